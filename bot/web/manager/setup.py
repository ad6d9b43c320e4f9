"""Setting up: the steps from nothing to the first planned check-in."""

from flask import Blueprint

blueprint = Blueprint("setup", __name__)
