"""A therapist's own settings: sensitivity, quiet times, cover, digest."""

from flask import Blueprint

blueprint = Blueprint("own_settings", __name__)
