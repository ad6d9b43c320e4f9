"""One-tap answers: a form that a link opens. Looking records nothing; sending does.

What mail scanners do is kept out so: they follow links, which records nothing; they may send the form as they find it,
which holds at most the one score that was tapped in the mail, and that alone is asked about once more before it counts;
they may fill in every field, and one that nobody sees is to be left empty.
"""

from flask import Blueprint, Response, abort, request

from bot.flows import one_tap
from bot.flows.one_tap import Form, Sent
from bot.web.client.pages import page, questions
from bot.web.guard import open_to_all
from bot.web.here import ctx, now
from surveys.page_wording import client_words
from surveys.tap import Tap, tap_of

blueprint = Blueprint("one_tap", __name__, url_prefix="/c")
TRAP = "website"  # the field that is to be left empty, by a name that robots like


@blueprint.get("/<token>")
@open_to_all
def show(token: str) -> Response:
    """The form, with the score that was tapped in the mail chosen already; 410 once it takes no answers any more."""
    form = one_tap.look(ctx(), token, now())
    if form is None:
        abort(404)
    if not form.live:
        return page("client/closed.html", 410, form)
    return _form(form, tap_of(dict.fromkeys(form.asked[:1], request.args.get("s", "")), form.asked), tapped=True)


@blueprint.post("/<token>")
@open_to_all
def send(token: str) -> Response:
    """The answers: shown back with thanks, on this page alone."""
    form = one_tap.look(ctx(), token, now())
    if form is None:
        abort(404)
    given = tap_of(request.form, form.asked)
    if given.empty or request.form.get(TRAP):
        return _form(form, given, problem="nothing") if form.live else page("client/closed.html", 410, form)
    if form.live and _only_as_tapped(form, given):
        return _form(form, given, problem="rest")
    sent = one_tap.send(ctx(), token, given, now())
    if sent is None:
        abort(404)
    return _answer(token, sent, given)


def _only_as_tapped(form: Form, given: Tap) -> bool:
    """Whether it holds just the score that came chosen with the page, and the button beside it was not pressed."""
    tapped = dict.fromkeys(form.asked[:1], request.form.get("tapped", ""))
    return given == tap_of(tapped, form.asked) and "sure" not in request.form


def _form(form: Form, given: Tap, *, tapped: bool = False, problem: str = "") -> Response:
    words = client_words(form.language, form.zone)
    first = next(iter(given.scores.values()), "") if tapped else request.form.get("tapped", "")
    return page(
        "client/form.html",
        422 if problem else 200,
        form,
        questions=questions(ctx(), form),
        choices=ctx().instruments.choices[words.language],
        given=given,
        tapped=first,
        problem=problem,
        trap=TRAP,
    )


def _answer(token: str, sent: Sent, given: Tap) -> Response:
    if sent.too_many:
        return page("client/busy.html", 429, sent.form)
    step = sent.step
    if step and step.kind == "crisis":
        return page("client/danger.html", 200, sent.form, stopped=step.stop)
    if step and step.stop:
        return page("client/stopped.html", 200, sent.form)
    if not sent.form.live and not (step and step.scores):
        return page("client/closed.html", 410, sent.form, kept=True, call=given.call)
    return page(
        "client/thanks.html",
        200,
        sent.form,
        token=token,
        step=step,
        repeat=sent.repeat,
        given=given,
        questions=questions(ctx(), sent.form),
        choices=ctx().instruments.choices[sent.form.language],
    )
