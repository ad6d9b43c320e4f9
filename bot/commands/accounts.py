"""`attune invite` and `attune sign-in-link`: how people get in, the first manager too."""

import click

from bot import calls
from bot import config as settings
from bot.calls import practice_option

ROLES = ("manager", "therapist", "supervisor")


@click.command()
@click.argument("role", type=click.Choice(ROLES))
@click.argument("email")
@click.option("--name", default="", help="As colleagues and clients know them.")
@practice_option
def invite(role: str, email: str, name: str, practice_name: str | None) -> None:
    """Give somebody a role and mail them a link to begin with; it works once, within seven days."""
    from bot.flows import accounts

    _, practice = calls.with_practice(practice_name)
    ctx = calls.make_context()
    settings.needs(ctx.config, "public_url")
    done = accounts.invite(ctx, None, practice, role, email, name, calls.now_by(ctx.config))
    verb = "is now" if done.new_role else "was already"
    click.echo(f"{done.name} <{done.email}> {verb} a {role} of {practice.name}.")
    if done.mailed:
        click.echo("An invitation is queued: the worker mails it, and its link works once, within seven days.")
        click.echo("Whether it went stands in `attune export messages --reason TEXT`; if no mail arrives, "
                   f"`attune sign-in-link {done.email}` prints a link.")  # fmt: skip
    else:
        click.echo("No mail is set up (SMTP_URL, MAIL_FROM), so hand them this link; it works once, within seven days:")
        click.echo(done.link)


@click.command("sign-in-link")
@click.argument("email")
@click.option("--forget", is_flag=True, help="Also drop password, second factor and passkeys: they are set up anew.")
@practice_option
def sign_in_link(email: str, forget: bool, practice_name: str | None) -> None:
    """Print a link that signs somebody in, once, within fifteen minutes; it is kept in the audit trail that you did."""
    from bot.flows import accounts

    _, practice = calls.with_practice(practice_name)
    ctx = calls.make_context()
    settings.needs(ctx.config, "public_url")
    click.echo(accounts.sign_in_link(ctx, practice, email, calls.now_by(ctx.config), forget=forget))


ALL: tuple[click.Command, ...] = (invite, sign_in_link)
