"""What a client's pages share: their words, and headers that keep them out of caches and search engines."""

from flask import Response, render_template

from bot.flows.context import Context
from bot.flows.one_tap import Form
from surveys.client_letter import question
from surveys.page_wording import client_words


def page(template: str, code: int, form: Form, **values: object) -> Response:
    """One page in the client's language, with the practice's name as clients know it."""
    words = client_words(form.language, form.zone)
    html = render_template(template, words=words, language=words.language, form=form, **values)
    response = Response(html, status=code)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def questions(ctx: Context, form: Form) -> list[tuple[str, str]]:
    """What is asked: the feeling, and the question as a sentence."""
    words = client_words(form.language, form.zone)
    return [(feeling, question(feeling, ctx.instruments, words)) for feeling in form.asked]
