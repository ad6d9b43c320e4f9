"""Every form of every page, sent empty, odd and huge by whoever may send it: refused in words or taken, never a fault.

The forms are those that the pages hold: a new page's are sent too, without a line here. Where an address takes a form
that no page shows by itself, it gets every name of a field that there is.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup, Tag

from bot.flows.links import alert_link, stop_link
from bot.store import alerts, answer_links, clients
from tests.support.everyone import NOW
from tests.support.world import World, world_in

LONG = "long " * 3_000
ODD = ("", "\x00", "x", "-1", "9" * 40, "9999-12-31", "25:61", LONG)
ODDER = (" ", "\u0664", "1e999", "2026-13-45", "0001-01-01", "a@b", "{}[]%{}%s", "\u202e\U0001f4a9'\"<script>")
WHO = ("manager", "therapist", "supervisor", "foreign manager", "nobody")
NOTES = ("own", "low", "danger")
NAMED_BY = ("input[name]", "select[name]", "textarea[name]", "button[name]")
Fields = dict[str, str]


@dataclass(frozen=True)
class Form:
    """One form of a page: who sees it, where it goes, and what stands in it."""

    who: str
    action: str
    fields: Fields


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """With a note that waits, and danger that Theo has taken on, while check-ins to Ana are paused."""
    with world_in(tmp_path_factory.mktemp("forms")) as found:
        ids = {kind: whose.get("own", "") for kind, whose in found.everyone.ids.items()}
        with found.store.transaction() as tx:
            [practice] = tx.all("select practice_id as id from client where id = :c", {"c": ids["client_id"]})
            for kind in ("low", "danger"):
                found.everyone.put("alert_id", kind, alerts.open_alert(
                    tx, practice["id"], client_id=ids["client_id"], therapist_id=ids["person_id"], kind=kind,
                    explanation="", check_in_id=None, now=NOW,
                ))  # fmt: skip
            alerts.acknowledge(tx, practice["id"], found.everyone.ids["alert_id"]["danger"], ids["person_id"], "", NOW)
            clients.halt(tx, practice["id"], ids["client_id"], NOW)
        yield found


@pytest.fixture(scope="module")
def forms(world: World) -> list[Form]:
    """Every form that posts, of every page that opens; one that several pages share once."""
    found: dict[tuple[str, ...], Form] = {}
    for who in WHO:
        for path in pages(world):
            for form in on_page(world, who, path):
                found.setdefault((endpoint(world, form.action), *sorted(form.fields)), form)
    return list(found.values())


def endpoint(world: World, path: str) -> str:
    return str(world.app.url_map.bind("localhost").match(path, "POST")[0])


def pages(world: World) -> Iterator[str]:
    return addresses(world, "GET")


def addresses(world: World, method: str) -> Iterator[str]:
    """Every address that takes a method, about each thing that is somebody's own."""
    ids = {place: whose.get("own", "") for place, whose in world.everyone.ids.items()}
    some: Mapping[str, Sequence[str]] = {
        "step": ("practice", "hours", "sender", "danger", "fairness", "therapists", "clients", "test", "first"),
        "state": ("active", "on_hold", "discharged", "died"),
        "kind": ("therapists", "clients"),
        "owner_id": (ids["person_id"], ids["client_id"]),
        "filename": ("attune.css",),
        "token": links(world),
        "alert_id": [world.everyone.ids["alert_id"][each] for each in NOTES],
    }
    adapter = world.app.url_map.bind("localhost")
    for rule in world.app.url_map.iter_rules():
        if method in (rule.methods or ()):
            for values in _each({place: some.get(place) or (ids[place],) for place in sorted(rule.arguments)}):
                with suppress(ValueError):  # the rule names the values that it takes, and this is none of them
                    yield adapter.build(rule.endpoint, values, method=method)


def links(world: World) -> tuple[str, ...]:
    """Keys of every kind: to a client's form, to stop, to a note."""
    ids, ctx, token = world.everyone.ids, world.everyone.ctx, "t" * 43
    with world.store.transaction() as tx:
        [row] = tx.all("select * from check_in where client_id = :c", {"c": ids["client_id"]["own"]})
        if answer_links.find(tx, token) is None:
            answer_links.add(tx, row["practice_id"], row["id"], row["client_id"], token, NOW)
    notes = [
        alert_link(ctx.config, row["practice_id"], ids["alert_id"][each], ids["person_id"]["own"], NOW)
        for each in NOTES
    ]
    found = [stop_link(ctx.config, ids["message_id"]["own"]), *notes]
    return token, *(each.rpartition("/")[2] for each in found)


def _each(places: Mapping[str, Sequence[str]]) -> Iterator[Fields]:
    if not places:
        yield {}
        return
    (place, *_), rest = places, dict(list(places.items())[1:])
    yield from ({place: value, **others} for value in places[place] for others in _each(rest))


def on_page(world: World, who: str, path: str) -> Iterator[Form]:
    answer = world.ask(who, "GET", path, {})
    assert answer.status_code < 500, f"{path} by {who}"
    if answer.status_code != 200 or answer.mimetype != "text/html":
        return
    for form in BeautifulSoup(answer.text, "html.parser").select("form[method=post]"):
        action = urlsplit(urljoin(f"http://localhost{path}", str(form.get("action") or path))).path
        fields = {str(each["name"]): _stands(each) for each in form.select(", ".join(NAMED_BY))}
        yield Form(who, action, {name: value for name, value in fields.items() if name != "csrf_token"})


def _stands(field: Tag) -> str:
    if field.name == "textarea":
        return field.text
    if field.name == "select":
        chosen = field.select_one("option[selected]") or field.select_one("option")
        return str(chosen.get("value", "")) if chosen else ""
    return str(field.get("value", ""))


def odd(form: Form) -> Iterator[Fields]:
    """As it came, with nothing, with one field left out or odd, and with all of them odd."""
    yield form.fields
    yield {}
    for name in form.fields:
        yield {key: value for key, value in form.fields.items() if key != name}
        yield from ({**form.fields, name: value} for value in ODD)
    yield from (dict.fromkeys(form.fields, value) for value in (*ODD, *ODDER))


def told(fields: Fields) -> dict[str, str]:
    return {name: value[:20] for name, value in fields.items()}


def test_no_form_of_any_page_makes_a_fault(world: World, forms: list[Form]) -> None:
    assert {"/c/", "/a/"} <= {form.action[:3] for form in forms}
    assert len(forms) > 40
    wrong = [
        f"{form.action} by {form.who}: {told(fields)}"
        for form in forms
        for fields in odd(form)
        if world.ask(form.who, "POST", form.action, fields).status_code >= 500
    ]
    assert not wrong, "\n".join(wrong)


def test_no_address_makes_a_fault_of_the_fields_of_another(world: World, forms: list[Form]) -> None:
    """Also those whose form is shown only after a step that nobody took here."""
    names = sorted({name for form in forms for name in form.fields})
    wrong = [
        f"{path} by {who}: {value[:20]!r}"
        for path in addresses(world, "POST")
        for who in ("manager", "therapist")
        for value in ("", "1", "\x00", LONG)
        if world.ask(who, "POST", path, dict.fromkeys(names, value)).status_code >= 500
    ]
    assert not wrong, "\n".join(wrong)
