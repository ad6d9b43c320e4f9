"""Whether the installation is well, for a load balancer and for `attune doctor`. Nothing of anyone is in it."""

from flask import Blueprint, Response, jsonify

from bot.flows import operating
from bot.web.guard import open_to_all
from bot.web.here import ctx, now

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@open_to_all
def healthz() -> tuple[Response, int]:
    """200 while the database answers and no worker has stopped; says how long ago one was last seen."""
    health = operating.health(ctx(), now())
    return jsonify(health), 200 if operating.is_well(health) else 503
