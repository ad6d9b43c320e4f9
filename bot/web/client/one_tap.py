"""One-tap answers: a form that a link opens. Looking records nothing."""

from flask import Blueprint

blueprint = Blueprint("one_tap", __name__)
