"""A manager's pages: setting up, schedules, people, delivery, groups."""

from bot.web.manager import clients, delivery, groups, imports, schedules, setup, staff

blueprints = (
    clients.blueprint,
    delivery.blueprint,
    groups.blueprint,
    imports.blueprint,
    schedules.blueprint,
    setup.blueprint,
    staff.blueprint,
)
