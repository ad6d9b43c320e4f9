"""The web application, put together."""

import gc
import re

from flask import Flask, Response, render_template, request
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException

from bot import config as settings
from bot import log
from bot.clock import Clock, clock_for
from bot.flows import context
from bot.flows.access import NotHere
from bot.flows.context import Context
from bot.web import account, alerts, api, client, guard, health, mail, manager, therapist, twilio
from bot.web.account import limits

LARGEST_BODY = 5_000_000


def create_app(ctx: Context | None = None, clock: Clock | None = None) -> Flask:
    """The application. Without arguments it reads the environment, as a server does.

    Raises BadConfig or StoreError, in words, where it couldn't keep its promises.
    """
    served = ctx is None
    if ctx is None:
        log.set_up("web")
        config = settings.from_environment()
        settings.needs(config, "secrets", "public_url")
        ctx = context.build(config)
        ctx.store.check_ready()
    app = Flask(__name__)
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_BODY, MAX_FORM_MEMORY_SIZE=200_000, MAX_FORM_PARTS=200)
    app.extensions["attune"] = ctx
    app.extensions["clock"] = clock or clock_for(ctx.config.clock_url)
    _sign_in(app, ctx)
    for part in (twilio, mail, api, alerts, health):
        app.register_blueprint(part.blueprint)
    for room in (account, manager, therapist, client):
        for blueprint in room.blueprints:
            app.register_blueprint(blueprint)
    app.before_request(guard.check)
    limits.limiter.init_app(app)  # after the guard: limits for a person need to know whom
    app.context_processor(lambda: {"me": guard.current()})
    app.after_request(_headers)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(NotHere, _not_here)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _broken)
    if served:
        _settle()
    return app


def _settle() -> None:
    """Let the collector leave alone what stays for good: processes that part now go on sharing it."""
    gc.collect()
    gc.freeze()


def _sign_in(app: Flask, ctx: Context) -> None:
    """Cookies signed by our keys, and a token in every form, except where a link, signature or token is the key."""
    newest, *older = ctx.config.secrets
    secure = ctx.config.public_url.startswith("https:")
    app.config.update(
        SECRET_KEY=newest,
        SECRET_KEY_FALLBACKS=older,
        SESSION_COOKIE_NAME="__Host-attune" if secure else "attune",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=secure,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session, whose life we watch ourselves
    )
    csrf = CSRFProtect(app)
    for blueprint in (twilio.blueprint, mail.blueprint, api.blueprint, alerts.blueprint, *client.blueprints):
        csrf.exempt(blueprint)


def _headers(response: Response) -> Response:
    """Nothing from elsewhere, no framing, no caching of pages, no address handed on."""
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _stale_form(_error: CSRFError) -> tuple[str, int]:
    text = "Nothing was changed. Go back, load the page again, and send it once more."
    return _say("This form was too old.", text), 400


def _not_here(_error: NotHere) -> tuple[str, int]:
    return _say("There is nothing here."), 404


def _refused(error: HTTPException) -> tuple[str, int] | tuple[str, int, dict[str, str]]:
    known = {403: "This can't be opened.", 404: "There is nothing here.", 405: "There is nothing here."}
    code = error.code or 500
    return _too_often() if code == 429 else (_say(known.get(code, "That didn't work.")), code)


def _too_often() -> tuple[str, int, dict[str, str]]:
    """Somebody knocked too often: how long to wait, and what works meanwhile."""
    minutes = limits.minutes_left()
    wait = "a minute" if minutes == 1 else f"{minutes} minutes"
    text = f"Please wait {wait}. Until then another way in may work: a mailed link, a passkey, or a password."
    return _say("That was tried too often.", text), 429, {"Retry-After": str(60 * minutes)}


def _say(heading: str, text: str = "") -> str:
    """A page with a sentence or two; for our own people with a way back."""
    ours = guard.current() is not None or request.path.startswith("/sign-in")
    return render_template("account/said.html" if ours else "message.html", heading=heading, text=text)


def _broken(error: Exception) -> tuple[str, int]:
    """A fault of ours: the log gets its kind and place, never its words, which may hold a client's."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace else ""
    log.get().error("fault", error=error.__class__.__name__, what=place, request=_request_id())
    text = "The fault is on our side and was written down. Please try again in a minute."
    return _say("That didn't work.", text), 500


def _request_id() -> str:
    """The id by which the proxy told its client of this request, so that the two can be brought together."""
    given = request.headers.get("X-Request-Id", "")
    return given if re.fullmatch(r"[0-9a-f-]{32,36}", given) else ""
