"""`python -m bot.sandbox`: the sandbox in the foreground, until it is interrupted."""

import os
import signal
import sys
from datetime import datetime
from threading import Event

import click

from bot.sandbox.server import ACCOUNT_SID, AUTH_TOKEN, Sandbox, why_not


def _epoch(_context: click.Context, _option: click.Parameter, given: str | None) -> float | None:
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given)
    except ValueError as error:
        raise click.BadParameter("write it like 2026-03-02T09:00:00-05:00") from error
    if moment.tzinfo is None:
        raise click.BadParameter("say how far from UTC it is, like 2026-03-02T09:00:00-05:00")
    return moment.timestamp()


@click.command()
@click.option("--public-url", default="http://127.0.0.1:8000", show_default=True, help="where Attune's web answers")
@click.option("--account-sid", default=ACCOUNT_SID, show_default=True)
@click.option("--auth-token", default=AUTH_TOKEN, show_default=True, help="a comma list while rotating")
@click.option("--host", default="127.0.0.1", show_default=True, help="it has no sign-in: keep it on this machine")
@click.option("--port", default=4010, show_default=True, help="phones, mailbox and Twilio's REST API")
@click.option("--smtp-port", default=4025, show_default=True)
@click.option("--start-at", callback=_epoch, help="what the clock shows at first (ISO 8601 with offset)")
@click.option("--held", is_flag=True, help="the clock stands still between jumps")
@click.option("--opt-out-replies/--no-opt-out-replies", default=True, show_default=True, help="Twilio's own replies")
def main(
    public_url: str,
    account_sid: str,
    auth_token: str,
    host: str,
    port: int,
    smtp_port: int,
    start_at: float | None,
    held: bool,
    opt_out_replies: bool,
) -> None:
    """Phones and a mailbox that stand in for Twilio and a mail server."""
    if reason := why_not(os.environ):
        click.echo(reason, err=True)
        sys.exit(2)
    sandbox = Sandbox(
        public_url,
        account_sid,
        auth_token,
        port,
        smtp_port,
        host=host,
        start_at=start_at,
        held=held,
        opt_out_replies=opt_out_replies,
    )
    _serve(sandbox)


def _serve(sandbox: Sandbox) -> None:
    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with sandbox:
        click.echo(f"The sandbox is at {sandbox.url}\nRun Attune's web and worker with:")
        for name, value in sandbox.environment.items():
            click.echo(f"  {name}={value}")
        ended.wait()


if __name__ == "__main__":
    main()
