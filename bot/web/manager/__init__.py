"""A manager's pages: setting up, schedules, people, delivery, groups."""

from bot.web.manager import client_steps, clients, delivery, groups, imports, learned, schedules, setup, staff

blueprints = (
    client_steps.blueprint,
    clients.blueprint,
    delivery.blueprint,
    groups.blueprint,
    imports.blueprint,
    learned.blueprint,
    schedules.blueprint,
    setup.blueprint,
    staff.blueprint,
)
