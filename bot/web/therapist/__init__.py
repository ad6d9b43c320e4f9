"""A therapist's pages: caseload, one client, alerts, own settings."""

from bot.web.therapist import caseload, client, insight, notes, own_settings

blueprints = (
    caseload.blueprint,
    client.blueprint,
    insight.blueprint,
    notes.blueprint,
    own_settings.blueprint,
)
