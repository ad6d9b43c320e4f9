"""Stopping mails with one click, RFC 8058."""

from flask import Blueprint

blueprint = Blueprint("stopping", __name__)
