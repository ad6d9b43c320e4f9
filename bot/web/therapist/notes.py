"""Alerts: what changed, what helps, what was done, and what came of it."""

from flask import Blueprint

blueprint = Blueprint("notes", __name__)
