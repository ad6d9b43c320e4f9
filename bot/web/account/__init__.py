"""Sign-in and one's own account: links, passkeys, password and second factor, sessions."""

from bot.web.account import overview, second_factor, sign_in

blueprints = (
    overview.blueprint,
    second_factor.blueprint,
    sign_in.blueprint,
)
