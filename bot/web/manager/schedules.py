"""Schedules, with a preview of what would change."""

from flask import Blueprint

blueprint = Blueprint("schedules", __name__)
