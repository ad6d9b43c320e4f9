"""Rapport over time for groups large enough that nobody can be told apart."""

from flask import Blueprint

blueprint = Blueprint("groups", __name__)
