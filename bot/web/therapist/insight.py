"""How often alerts were useful, practice-wide, and how often they are false or missed."""

from flask import Blueprint

blueprint = Blueprint("insight", __name__)
