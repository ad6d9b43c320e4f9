"""Every address, asked for by everybody, about everything: default deny.

A route that isn't listed here fails, by its name: decide who may open it, and add a line. `{rule: Expect(...)}`:
`to` is the roles, or one of ALL, ACCOUNT, FIRST_STEP; `whose` is how far it reaches: one's `own`, or anything of the
`practice`; it stays empty where no object is named. `values` fills in places of the address that aren't ids; `form` is
sent along; `or_nothing`: a 404 is right also for whom it is for, where a form names nothing that is there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from bot.web import guard
from tests.support.everyone import PEOPLE, WORDS
from tests.support.world import METHODS, World, world_in

MANAGER, THERAPIST, SUPERVISOR = {"manager"}, {"therapist"}, {"supervisor"}
ALL, ACCOUNT, FIRST_STEP = set(guard.ANYONE), set(guard.OWN_ACCOUNT), set(guard.FIRST_STEP)
OWN, PRACTICE = "own", "practice"


@dataclass(frozen=True)
class Expect:
    """Who may open an address, about what, and with which other values in it."""

    to: set[str]
    whose: str = ""
    values: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)  # place in the address -> kind of object, where they differ
    form: dict[str, str] = field(default_factory=dict)
    or_nothing: str = ""  # the method


ROUTES = {
    "/": Expect(ALL),
    "/healthz": Expect(ALL),
    "/static/<path:filename>": Expect(ALL, values={"filename": "attune.css"}),
    # links, signatures and tokens are keys of their own
    "/a/<token>": Expect(ALL),
    "/a/<token>/again": Expect(ALL),
    "/a/<token>/resume": Expect(ALL),
    "/api/v1/appointments": Expect(ALL),
    "/c/<token>": Expect(ALL),
    "/c/stop/<token>": Expect(ALL),
    "/webhooks/mail": Expect(ALL),
    "/webhooks/mail/mime": Expect(ALL),
    "/webhooks/twilio/sms": Expect(ALL),
    "/webhooks/twilio/status": Expect(ALL),
    # the way in, one's own account
    "/new-address/<token>": Expect(ALL),
    "/sign-in": Expect(ALL),
    "/sign-in/<token>": Expect(ALL),
    "/sign-in/passkey": Expect(ALL),
    "/sign-in/passkey/options": Expect(ALL),
    "/sign-in/password": Expect(ALL),
    "/sign-in/practice": Expect(ALL),
    "/sign-out": Expect(FIRST_STEP),
    "/account": Expect(ACCOUNT),
    "/account/passkeys": Expect(ACCOUNT),
    "/account/passkeys/<passkey_id>/remove": Expect(ACCOUNT, OWN),
    "/account/passkeys/options": Expect(ACCOUNT),
    "/account/password": Expect(ACCOUNT),
    "/account/second-factor": Expect(FIRST_STEP),
    "/account/second-factor/app": Expect(ACCOUNT),
    "/account/second-factor/codes": Expect(ACCOUNT),
    "/account/sessions/<sign_in_id>/end": Expect(ACCOUNT, OWN),
    "/account/sessions/end-others": Expect(ACCOUNT),
    # a therapist's
    "/caseload": Expect(THERAPIST),
    "/clients/<client_id>": Expect(THERAPIST, OWN),
    "/clients/<client_id>/go-on": Expect(THERAPIST, OWN),
    "/clients/<client_id>/pause": Expect(THERAPIST, OWN),
    "/clients/<client_id>/print": Expect(THERAPIST, OWN),
    "/clients/<client_id>/record": Expect(THERAPIST, OWN),
    "/clients/<client_id>/replies/<inbox_id>": Expect(THERAPIST, OWN, form={"misread": "1"}),
    "/clients/<client_id>/talked": Expect(THERAPIST, OWN),
    "/insight": Expect(THERAPIST | SUPERVISOR | MANAGER),
    "/notes": Expect(THERAPIST),
    "/notes/<alert_id>": Expect(THERAPIST, OWN),
    "/notes/<alert_id>/done": Expect(THERAPIST, OWN),
    "/notes/<alert_id>/resume": Expect(THERAPIST, OWN),
    "/notes/<alert_id>/verdict": Expect(THERAPIST, OWN),
    "/settings": Expect(THERAPIST),
    # a supervisor's
    "/waiting": Expect(SUPERVISOR),
    # a manager's
    "/delivery": Expect(MANAGER),
    "/delivery/messages/<message_id>": Expect(MANAGER, PRACTICE),
    "/delivery/skipped": Expect(MANAGER, or_nothing="GET"),
    "/groups": Expect(MANAGER),
    "/import": Expect(MANAGER),
    "/import/<draft_id>": Expect(MANAGER, OWN),
    "/learned": Expect(MANAGER),
    "/learned/<model_id>/decline": Expect(MANAGER, PRACTICE),
    "/people": Expect(MANAGER),
    "/people/clients/<client_id>": Expect(MANAGER, PRACTICE),
    "/people/clients/<client_id>/edit": Expect(MANAGER, PRACTICE),
    "/people/clients/<client_id>/erase": Expect(MANAGER, PRACTICE),
    "/people/clients/<client_id>/merge": Expect(MANAGER, PRACTICE, or_nothing="POST"),
    "/people/clients/<client_id>/move": Expect(MANAGER, PRACTICE),
    "/people/clients/<client_id>/pause": Expect(MANAGER, PRACTICE),
    "/people/clients/<client_id>/record": Expect(MANAGER, PRACTICE),
    "/people/clients/<client_id>/state/<state>": Expect(MANAGER, PRACTICE, {"state": "on_hold"}),
    "/people/clients/<client_id>/stop": Expect(MANAGER, PRACTICE),
    "/people/clients/new": Expect(MANAGER),
    "/people/staff": Expect(MANAGER),
    "/people/staff/<person_id>": Expect(MANAGER, PRACTICE),
    "/people/staff/<person_id>/address": Expect(MANAGER, PRACTICE),
    "/people/staff/<person_id>/invite": Expect(MANAGER, PRACTICE),
    "/people/staff/<person_id>/leave": Expect(MANAGER, PRACTICE),
    "/people/staff/<person_id>/lost-phone": Expect(MANAGER, PRACTICE),
    "/people/staff/<person_id>/roles": Expect(MANAGER, PRACTICE),
    "/people/tokens": Expect(MANAGER),
    "/people/tokens/<token_id>/revoke": Expect(MANAGER, PRACTICE),
    "/schedules": Expect(MANAGER),
    "/schedules/<any(therapists, clients):kind>/<owner_id>": Expect(
        MANAGER, PRACTICE, {"kind": "clients"}, {"owner_id": "client_id"}
    ),
    "/schedules/<any(therapists, clients):kind>/<owner_id>/preview": Expect(
        MANAGER, PRACTICE, {"kind": "therapists"}, {"owner_id": "person_id"}
    ),
    "/schedules/clients": Expect(MANAGER),
    "/schedules/preview": Expect(MANAGER),
    "/schedules/undo": Expect(MANAGER),
    "/setup": Expect(MANAGER),
    "/setup/<any(practice, sender, danger, fairness):step>": Expect(MANAGER, values={"step": "fairness"}),
    "/setup/<step>": Expect(MANAGER, values={"step": "practice"}),
    "/setup/hours": Expect(MANAGER),
    "/setup/mails": Expect(MANAGER),
    "/setup/test": Expect(MANAGER),
    "/setup/therapists": Expect(MANAGER),
}
# What a page must never hold, whoever asks: another therapist's client, another practice's, a client's words.
RIVERSIDE, HILLSIDE = ("Ana<", "C-Ana", "Benvolio"), ("Zora",)
NEVER = {
    "therapist": ("Benvolio", *HILLSIDE),
    "manager": (WORDS, *HILLSIDE),
    "supervisor": (WORDS, *RIVERSIDE, *HILLSIDE),
    "foreign manager": (WORDS, *RIVERSIDE),
    "nobody": (WORDS, *RIVERSIDE, *HILLSIDE),
}
NEVER |= {"weak therapist": NEVER["nobody"], "leaver": NEVER["nobody"]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_in(tmp_path_factory.mktemp("routes")) as found:
        yield found


def came(answer: TestResponse) -> str:
    """What became of a request, in a word."""
    to = answer.location or ""
    if answer.status_code == 303 and re.match(r"/sign-in(\?|$)", to):
        return "sign in"
    if answer.status_code == 303 and to == "/account/second-factor":
        return "second step"
    return {404: "nothing", 500: "fault"}.get(answer.status_code, "opened")


def expected(expect: Expect, who: str, whose: str) -> str:
    """What should become of it."""
    if who in ("nobody", "leaver"):
        return "sign in"
    role = PEOPLE[who][2]
    if expect.to in (ACCOUNT, FIRST_STEP):
        mine = whose in ("", "own") and (not whose or who == "manager")
        mine = mine or (who.startswith("foreign") and whose == "foreign")
        return "opened" if mine else "nothing"
    if role not in expect.to:
        return "nothing"
    if who == "weak therapist":
        return "second step"
    reach = {"": ("",), OWN: ("own",), PRACTICE: ("own", "other")}[expect.whose]
    if who.startswith("foreign"):
        reach = ("foreign",) if expect.whose else ("",)
    return "opened" if whose in reach else "nothing"


def addresses(world: World, expect: Expect, rule: Rule) -> Iterator[tuple[str, str]]:
    """An address for each object that it could be about, and whose that is; crossed ones are nobody's."""
    places = [place for place in sorted(rule.arguments) if place not in expect.values]
    adapter, ids = world.app.url_map.bind("localhost"), world.everyone.ids
    kinds = {place: expect.ids.get(place, place) for place in places}
    if expect.to == ALL:
        kinds = {}
        values = {**dict.fromkeys(places, "no-such-token"), **expect.values}
        yield "", adapter.build(rule.endpoint, values, method=_method(rule))
        return
    mixes = [dict.fromkeys(places, whose) for whose in ("own", "other", "foreign", "missing")] if places else [{}]
    if len(places) > 1:
        mixes += [{places[0]: "own", places[1]: whose} for whose in ("other", "foreign", "missing")]
        mixes += [{places[0]: whose, places[1]: "own"} for whose in ("other", "foreign", "missing")]
    if any("erased" in ids[kind] for kind in kinds.values()):
        mixes.append({place: "erased" if "erased" in ids[kind] else "own" for place, kind in kinds.items()})
    for mix in mixes:
        values = {place: ids[kinds[place]][whose] for place, whose in mix.items()}
        told = set(mix.values())
        path = adapter.build(rule.endpoint, {**values, **expect.values}, method=_method(rule))
        yield (told.pop() if len(told) == 1 else "crossed" if told else ""), path


def _method(rule: Rule) -> str:
    return next(method for method in METHODS if method in (rule.methods or ()))


def test_every_route_is_listed_here_and_every_listed_one_exists(world: World) -> None:
    """Whoever adds a route says who may open it."""
    known = {rule.rule for rule in world.app.url_map.iter_rules()}
    assert known - ROUTES.keys() == set(), "not listed in ROUTES"
    assert ROUTES.keys() - known == set(), "listed, but not there"


def test_every_view_says_who_may_open_it(world: World) -> None:
    for rule in world.app.url_map.iter_rules():
        if rule.endpoint != "static":
            view = world.app.view_functions[rule.endpoint]
            assert guard.allowed_to(view) == ROUTES[rule.rule].to, f"{rule.endpoint} ({rule.rule})"


@pytest.mark.parametrize("path", ROUTES)
def test_an_address_opens_to_those_it_is_for_and_to_nobody_else(world: World, path: str) -> None:
    expect, wrong = ROUTES[path], []
    for rule in world.rules(path):
        for method in sorted((rule.methods or set()) & set(METHODS)):
            for whose, address in addresses(world, expect, rule):
                for who in NEVER:
                    answer = world.ask(who, method, address, expect.form)
                    what = came(answer)
                    if expect.to == ALL:
                        bad = what in ("fault", "second step")
                    elif path == "/sign-out":
                        bad = answer.location != "/sign-in" and who not in ("nobody", "leaver")
                    else:
                        should = expected(expect, who, whose)
                        fair = what == "nothing" and expect.or_nothing == method
                        bad = not fair and not _fits(what, should, path)
                    leaked = [text for text in NEVER[who] if text in answer.text]
                    if bad or leaked:
                        wrong.append(f"{method} {address} ({whose or 'no object'}) by {who}: {what} {leaked}")
    assert not wrong, "\n".join(wrong)


def _fits(what: str, should: str, path: str) -> bool:
    # a weak session is led to the second step also from the account pages that need it
    return what == should or (should == "opened" and what == "second step" and path.startswith("/account"))
