"""The caseload: who needs attention first, and why."""

from flask import Blueprint

blueprint = Blueprint("caseload", __name__)
