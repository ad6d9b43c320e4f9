"""The webhook for clients' mails: a mail server or provider posts each as it came, raw MIME, or in the wrapping that
its own inbound webhook has."""

import hmac

from flask import Blueprint, Response, abort, request

from bot import log
from bot.flows import receiving
from bot.flows.mail_in import read_mail
from bot.web.guard import open_to_all
from bot.web.here import ctx, now
from bot.web.mail_shapes import subscription_of, unwrapped

LARGEST = 5_000_000
blueprint = Blueprint("mail", __name__, url_prefix="/webhooks")


@blueprint.post("/mail")
@blueprint.post("/mail/mime")  # Mailgun posts raw MIME only to an address that ends so
@open_to_all
def mail() -> Response:
    """One mail. Answered 204 only once it is on disk (also when it was before), so that any other answer is for
    trying again; 403 without the secret, 400 without a mail in it, 413 over 5 MB."""
    if not _knows_the_secret():
        log.get().warning("webhook refused", what="mail secret")
        abort(403)
    request.max_form_memory_size = LARGEST
    if address := subscription_of(request):
        log.get().warning("confirm this subscription by opening it", what=address)
        return Response("", status=204)
    raw = unwrapped(request)
    if not raw.strip():
        abort(400)
    receiving.receive(ctx(), read_mail(raw), now())
    return Response("", status=204)


def _knows_the_secret() -> bool:
    """Whether MAIL_WEBHOOK_SECRET came as the bearer's token or as the password; where none is set, nobody knows."""
    secret, given = ctx().config.mail_webhook_secret, request.authorization
    word = (given.token if given.type == "bearer" else given.password) if given else None
    same = hmac.compare_digest((word or "").encode("utf-8", "replace"), secret.encode("utf-8", "replace"))
    return bool(secret) and same
