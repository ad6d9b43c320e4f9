"""Webhooks, the alert's page, the interface for appointments. Every route says who may use it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from bot.clock import Clock
    from bot.flows.context import Context

__all__ = ["create_app"]


def create_app(ctx: "Context | None" = None, clock: "Clock | None" = None) -> "Flask":
    """The application (`bot.web.app`), loaded once it is asked for: a server has settings to read before."""
    from bot.web import app

    return app.create_app(ctx, clock)
