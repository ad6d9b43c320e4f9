"""Delivery: what was planned, sent, answered, skipped, and what needs a person."""

from flask import Blueprint

blueprint = Blueprint("delivery", __name__)
