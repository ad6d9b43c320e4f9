"""Therapists and other people of the practice."""

from flask import Blueprint

blueprint = Blueprint("staff", __name__)
