"""Clients: consent, pause, moving, merging, discharge, export, erasing."""

from flask import Blueprint

blueprint = Blueprint("clients", __name__)
