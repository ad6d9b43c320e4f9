"""Sign-in and one's own account: links, passkeys, password and second factor, sessions."""

from bot.web.account import home, new_address, overview, passkeys, passwords, second_factor, sign_in

blueprints = (
    home.blueprint,
    new_address.blueprint,
    overview.blueprint,
    passkeys.blueprint,
    passwords.blueprint,
    second_factor.blueprint,
    sign_in.blueprint,
)
