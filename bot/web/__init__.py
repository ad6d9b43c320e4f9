"""Webhooks, the alert's page, the interface for appointments. Every route says who may use it."""

from bot.web.app import create_app

__all__ = ["create_app"]
