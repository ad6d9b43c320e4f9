"""The web application, put together."""

from flask import Flask, Response, render_template
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException

from bot import config as settings
from bot import log
from bot.clock import Clock, clock_for
from bot.flows import context
from bot.flows.access import NotHere
from bot.flows.context import Context
from bot.web import account, alerts, api, client, guard, health, mail, manager, therapist, twilio, watch

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
    app.context_processor(lambda: {"me": guard.current()})
    app.after_request(_headers)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(NotHere, _not_here)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _broken)
    if served:
        watch.start(ctx, app.extensions["clock"])
    return app


def _sign_in(app: Flask, ctx: Context) -> None:
    """Cookies signed by our keys, and a token in every form, except where a link, signature or token is the key."""
    newest, *older = ctx.config.secrets
    app.config.update(
        SECRET_KEY=newest,
        SECRET_KEY_FALLBACKS=older,
        SESSION_COOKIE_NAME="attune",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=ctx.config.public_url.startswith("https:"),
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
    return render_template("message.html", heading="This form was too old.", text=text), 400


def _not_here(_error: NotHere) -> tuple[str, int]:
    return render_template("message.html", heading="There is nothing here.", text=""), 404


def _refused(error: HTTPException) -> tuple[str, int]:
    known = {403: "This can't be opened.", 404: "There is nothing here.", 405: "There is nothing here."}
    code = error.code or 500
    return render_template("message.html", heading=known.get(code, "That didn't work."), text=""), code


def _broken(error: Exception) -> tuple[str, int]:
    """A fault of ours: the log gets its kind and place, never its words, which may hold a client's."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace else ""
    log.get().error("fault", error=error.__class__.__name__, what=place)
    text = "The fault is on our side and was written down. Please try again in a minute."
    return render_template("message.html", heading="That didn't work.", text=text), 500
