"""Importing a file, with a preview of every row."""

from flask import Blueprint

blueprint = Blueprint("imports", __name__)
