"""The only place that knows a provider: a message in, a provider's id or an exception out."""

from bot.channels.base import DeliveryFailed, InDoubt, Outgoing, Picture, Received
from bot.channels.mail import MailChannel
from bot.channels.sms import SmsChannel

__all__ = ["DeliveryFailed", "InDoubt", "MailChannel", "Outgoing", "Picture", "Received", "SmsChannel"]
