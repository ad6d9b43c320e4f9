"""One rule over another: the practice's, what differs for a therapist, what differs for a client.

A layer holds only the keys that differ. What keeps clients from being written to only ever adds up, so that an own
rule made long ago can't open a day the practice has closed since.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from surveys.keys import FORMS, BadSchedule
from surveys.schedule import Schedule

Texts = Mapping[str, str]
NOTHING: Texts = {}
DEFAULT = "default"  # typed as a value: as the layer below has it
NOT_OWN = {
    "client": {
        "paused_until": "paused_until is not set by a client's own rule: pause the client instead, on their page under "
        "People."
    }
}
_FURTHEST_WEST = timedelta(hours=12)  # where a date begins last


def merge(*layers: Texts) -> dict[str, str]:
    """One rule's texts from layers, the later ones over the earlier; closed days add up, the longer pause stands.

    The texts must be ones that Schedule.read takes.
    """
    merged: dict[str, str] = {}
    for layer in layers:
        over = dict(layer)
        for key, join in _JOINED.items():
            if key in merged and key in over:
                over[key] = join(merged[key], over[key])
        merged |= over
    return merged


def changed(own: Texts, changes: Texts, scope: str) -> dict[str, str]:
    """A layer after changes, by key and tidied; `default` takes a key out of it.

    Raises BadSchedule naming every key that is unknown, has a bad value, or has no place in this scope.
    """
    problems = {key: NOT_OWN[scope][key] for key in changes if key in NOT_OWN.get(scope, {})}
    kept = {key: text for key, text in {**own, **changes}.items() if text.strip() != DEFAULT or key not in FORMS}
    try:
        shown = Schedule.read(kept).show()
    except BadSchedule as error:
        problems = {**error.problems, **problems}
    if problems:
        raise BadSchedule(problems)
    return {key: shown[key] for key in FORMS if key in kept}


def differing(texts: Texts, below: Texts, held: Texts = NOTHING) -> dict[str, str]:
    """The layer that gives these texts over the one below. Closed days and a pause are a layer's own, so they stay
    as they are, unless they say nothing; so does what it `held` already in the same words."""

    def kept(key: str, text: str) -> bool:
        return bool(text) if key in _JOINED else text != below.get(key) or text == held.get(key)

    return {key: text for key, text in texts.items() if kept(key, text)}


class Rules:
    """The rule of each client of a practice. Rules that say the same are one object, since a rule's hours are worked
    out once for each."""

    def __init__(self, practice: Texts, therapists: Mapping[str, Texts], clients: Mapping[str, Texts]) -> None:
        self.practice, self.therapists, self.clients = dict(practice), therapists, clients
        self._read: dict[tuple[str, str], Schedule] = {}

    def of(self, therapist_id: str | None, client_id: str) -> Schedule:
        """The rule for a client of this therapist (None: of nobody)."""
        place = (therapist_id or "", client_id if client_id in self.clients else "")
        if place not in self._read:
            layers = (self.practice, self.therapists.get(place[0], {}), self.clients.get(place[1], {}))
            self._read[place] = Schedule.read(merge(*layers))
        return self._read[place]


def _both(below: str, own: str) -> str:
    return FORMS["holidays"].show(FORMS["holidays"].read(f"{below},{own}"))


def _longer(below: str, own: str) -> str:
    return max(below, own, key=_ends)


def _ends(until: str) -> datetime:
    """When a pause is over everywhere; one that is none was over long ago."""
    ends = FORMS["paused_until"].read(until)
    if isinstance(ends, datetime):
        return ends
    if isinstance(ends, date):
        return datetime(ends.year, ends.month, ends.day, tzinfo=UTC) + _FURTHEST_WEST
    return datetime.min.replace(tzinfo=UTC)


_JOINED = {"holidays": _both, "paused_until": _longer}
