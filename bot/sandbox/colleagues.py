"""The practice's own people in the sandbox: a link into Attune's pages for each, and an authenticator app to sign in
with, since nobody wants to scan a code for a pretend practice."""

import binascii

import pyotp
from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from bot.sandbox.parts import here

colleagues = Blueprint("colleagues", __name__, template_folder="templates")


@colleagues.post("/colleagues/<name>")
def link(name: str) -> Response | str:
    """A fresh link that signs this colleague in, made by Attune's own command."""
    director = here().director or abort(404)
    if name not in director.colleagues:
        abort(404)
    return render_template("colleague.html", name=name, link=director.sign_in_link(name))


@colleagues.get("/authenticator")
def authenticator() -> str:
    """The code that an authenticator app would show now, by the sandbox's clock, for the key that was typed."""
    key = "".join(request.args.get("key", "").split()).upper()
    try:
        code = pyotp.TOTP(key).at(int(here().clock.now())) if key else ""
    except (binascii.Error, ValueError):
        code, problem = "", "That is no key: it is letters and the digits 2 to 7, as the page with the square shows it."
    else:
        problem = ""
    return render_template("authenticator.html", key=key, code=code, problem=problem)


@colleagues.get("/colleagues/<name>")
def back(name: str) -> Response:  # noqa: ARG001
    """Reloading doesn't make another link."""
    return redirect("/", 303)
