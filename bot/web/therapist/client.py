"""One client: trend, appointments, alerts, replies and how they were read."""

from flask import Blueprint

blueprint = Blueprint("client", __name__)
