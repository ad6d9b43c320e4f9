"""`attune copy-database`."""

import click

from bot import calls


@click.command("copy-database")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
def copy_database(source: str, target: str) -> None:
    """Copy everything from one database to another and compare row by row.

    FROM and TO are addresses like DATABASE_URL. Stop web and worker first; set DATABASE_URL to TO before you start
    them again. FROM is kept, and refuses to be used.
    """
    from bot.flows import copying

    config = calls.with_secrets()
    done = copying.copy_database(source, target, config.secrets, calls.now_by(config))
    for each in done:
        if each.rows:
            click.echo(f"{each.table:16} {each.rows:>9} rows  {each.fingerprint[:16]}")
    click.echo(f"{sum(each.rows for each in done)} rows copied, and compared: both databases hold the same.")


@click.command("after-restore")
@click.argument("made_at", metavar="ISO")
def after_restore(made_at: str) -> None:
    """Make a database safe that other tools brought back to an earlier time (PostgreSQL's, say).

    ISO is when the backup was made. Run it before web and worker start: what may have gone out since is put in doubt.
    """
    from bot.flows import backups, erasing, older_copy

    ctx = calls.make_context()
    now = calls.now_by(ctx.config)
    done = backups.after_restore(ctx, calls.moment(made_at, "ISO"), now)
    erasing.at_start(ctx, now)
    older_copy.advance(ctx, now, made_safe=True)
    click.echo(f"{done.check_ins} check-ins closed, {done.messages} messages to be looked up before anything is sent.")


ALL = (copy_database, after_restore)
