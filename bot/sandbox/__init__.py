"""A local phone and mailbox that speak Twilio's REST API and SMTP, for trying Attune without an account.

It meets the rest of Attune only where the real providers do: over HTTP and SMTP.
"""

from bot.sandbox.book import Line
from bot.sandbox.parts import Owner
from bot.sandbox.server import Sandbox, why_not

__all__ = ["Line", "Owner", "Sandbox", "why_not"]
