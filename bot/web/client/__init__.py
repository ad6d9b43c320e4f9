"""A client's pages: one-tap answers, stopping mails. They open by a link alone and say nothing of anyone."""

from bot.web.client import one_tap, stopping

blueprints = (
    one_tap.blueprint,
    stopping.blueprint,
)
