"""Files of people and appointments: good rows in, bad rows named, and the same file twice changes nothing."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.flows import intake
from bot.flows.context import Context
from bot.flows.intake import Taken
from bot.flows.tables import BadTable
from bot.store import clients, people, practices
from bot.store.clients import Client
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.timing import cost

NOW = MONDAY_NOON
THEO = "theo@riverside.example"
EMA = {
    "client_ref": "C-Ema",
    "name": "Ema Ortiz",
    "phone": "(202) 555-0144",
    "email": "",
    "language": "es",
    "timezone": "",
    "channel": "sms",
    "consent_at": "2026-08-01",
    "therapist_email": THEO,
}
VISIT = {
    "appointment_ref": "V-1",
    "client_ref": "C-Ana",
    "therapist_email": THEO,
    "starts_at": "2026-09-07T10:00:00-04:00",
    "ends_at": "2026-09-07T10:50:00-04:00",
    "status": "attended",
}


def table(*rows: Mapping[str, str]) -> bytes:
    """A CSV file of these rows."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def take(practice: Riverside, kind: str, *rows: Mapping[str, str], now: datetime = NOW) -> Taken:
    return intake.take_file(practice.ctx, practice.practice, kind, table(*rows), now)


def counts(taken: Taken) -> tuple[int, int, int, int]:
    return taken.new, taken.changed, taken.same, taken.refused


def said(taken: Taken) -> list[str]:
    return [str(problem) for problem in taken.problems]


def client(practice: Riverside, ref: str) -> Client:
    with practice.ctx.store.transaction(write=False) as tx:
        return clients.get(tx, practice.practice.id, clients.refs(tx, practice.practice.id)[ref])


def everything(practice: Riverside) -> dict[str, Sequence[dict[str, object]]]:
    """All that an import may touch, as it stands in the database."""
    tables = ("person", "person_role", "client", "appointment", "check_in", "consent_event", "suppression", "outbox")
    return {name: practice.rows(f"select * from {name} order by 1, 2, 3") for name in tables}


def test_therapists_are_taken_and_may_then_be_named_in_rosters(practice: Riverside) -> None:
    taken = take(practice, "therapists", {"name": "Noor", "email": "Noor@Riverside.Example"})
    assert counts(taken) == (1, 0, 0, 0)
    taken = take(practice, "roster", {**EMA, "therapist_email": "noor@riverside.example"})
    assert counts(taken) == (1, 0, 0, 0)


def test_a_client_is_taken_with_everything_normalised(practice: Riverside) -> None:
    assert counts(take(practice, "roster", EMA)) == (1, 0, 0, 0)
    ema = client(practice, "C-Ema")
    assert (ema.name, ema.phone, ema.language) == ("Ema Ortiz", "+12025550144", "es")
    assert (ema.timezone, ema.channel) == ("America/New_York", "sms")
    assert ema.consent_at == datetime(2026, 8, 1, 4, 0, tzinfo=UTC)
    assert ema.therapist_id == practice.staff["Theo"]


def test_an_appointment_is_planned_at_once(practice: Riverside) -> None:
    take(practice, "appointments", VISIT)
    [check_in] = practice.check_ins("Ana")
    assert check_in.state == "planned"
    assert check_in.due_at == datetime(2026, 9, 7, 16, 50, tzinfo=UTC)


def test_every_kind_of_file_twice_changes_nothing(practice: Riverside) -> None:
    files = {"therapists": {"name": "Noor", "email": "noor@riverside.example"}, "roster": EMA, "appointments": VISIT}
    for kind, row in files.items():
        assert counts(take(practice, kind, row)) == (1, 0, 0, 0)
    before = everything(practice)
    for kind, row in files.items():
        assert counts(take(practice, kind, row, now=NOW + timedelta(minutes=10))) == (0, 0, 1, 0)
    assert everything(practice) == before


def test_a_row_that_differs_changes_what_is_stored_and_the_plan(practice: Riverside) -> None:
    take(practice, "appointments", VISIT)
    assert counts(take(practice, "appointments", {**VISIT, "status": "no_show"})) == (0, 1, 0, 0)
    assert practice.check_ins("Ana") == []
    assert practice.rows("select not_asked from appointment") == [{"not_asked": "the client did not come"}]


def test_a_client_without_consent_is_a_good_row_and_never_asked(practice: Riverside) -> None:
    assert counts(take(practice, "roster", {**EMA, "consent_at": ""})) == (1, 0, 0, 0)
    take(practice, "appointments", {**VISIT, "client_ref": "C-Ema"})
    assert practice.rows("select count(*) as n from check_in") == [{"n": 0}]
    assert practice.rows("select not_asked from appointment") == [{"not_asked": "the client has given no consent"}]


def test_consent_that_comes_with_a_later_roster_lets_them_be_asked(practice: Riverside) -> None:
    take(practice, "roster", {**EMA, "consent_at": ""})
    take(practice, "appointments", {**VISIT, "client_ref": "C-Ema"})
    assert counts(take(practice, "roster", EMA)) == (0, 1, 0, 0)
    assert practice.rows("select state from check_in") == [{"state": "planned"}]


def test_an_empty_cell_does_not_take_consent_back(practice: Riverside) -> None:
    take(practice, "roster", EMA)
    take(practice, "roster", {**EMA, "consent_at": ""})
    assert client(practice, "C-Ema").consent_at is not None


def test_consent_dated_ahead_is_taken_with_a_word_about_it(practice: Riverside) -> None:
    taken = take(practice, "roster", {**EMA, "consent_at": "2026-12-24"})
    assert counts(taken) == (1, 0, 0, 0)
    assert [str(note) for note in taken.notes] == [
        "line 2, column consent_at: lies ahead; the client isn't asked before"
    ]
    assert take(practice, "roster", {**EMA, "consent_at": "2026-09-07"}).notes == []


def test_no_import_lifts_a_stop(practice: Riverside, ctx: Context) -> None:
    take(practice, "roster", EMA)
    with ctx.store.transaction() as tx:
        clients.stop(tx, practice.practice.id, "+12025550144", "text", NOW)
    take(practice, "roster", {**EMA, "consent_at": "2026-09-07", "name": "Ema O."})
    take(practice, "roster", {**EMA, "client_ref": "C-Ema-again"})
    assert client(practice, "C-Ema").stopped
    assert client(practice, "C-Ema-again").stopped


def test_every_bad_row_is_named_by_line_and_column_and_the_good_ones_are_taken(practice: Riverside) -> None:
    bad = {**EMA, "client_ref": "C-2", "phone": "12", "timezone": "Mars", "therapist_email": "nobody@x.example"}
    taken = take(practice, "roster", EMA, bad, {**EMA, "client_ref": "C-3", "name": "Fay"})
    assert counts(taken) == (2, 0, 0, 1)
    assert said(taken) == [
        "line 3, column phone: is not a phone number that exists; check its digits and the country code",
        "line 3, column timezone: is not a time zone Attune knows; write it as America/New_York",
        "line 3, column therapist_email: belongs to no therapist; import the therapists first",
    ]


@pytest.mark.parametrize(
    ("kind", "changes", "column"),
    [
        *(("roster", {name: ""}, name) for name in ("client_ref", "name", "therapist_email", "phone")),
        ("roster", {"channel": "email"}, "email"),
        ("roster", {"channel": "fax"}, "channel"),
        ("roster", {"language": "de"}, "language"),
        ("roster", {"timezone": "EST"}, "timezone"),
        ("roster", {"email": "ema"}, "email"),
        ("roster", {"consent_at": "yes"}, "consent_at"),
        ("roster", {"therapist_email": "dana@riverside.example"}, "therapist_email"),
        *(("appointments", {name: ""}, name) for name in VISIT),
        ("appointments", {"client_ref": "C-nobody"}, "client_ref"),
        ("appointments", {"therapist_email": "dana@riverside.example"}, "therapist_email"),
        ("appointments", {"ends_at": VISIT["starts_at"]}, "ends_at"),
        ("appointments", {"ends_at": "2026-10-07T10:50:00-04:00"}, "ends_at"),
        ("appointments", {"starts_at": "2026-09-07T10:00:00"}, "starts_at"),
        ("appointments", {"starts_at": "2036-09-07T10:00:00Z", "ends_at": "2036-09-07T11:00:00Z"}, "starts_at"),
        ("appointments", {"status": "atten"}, "status"),
        ("therapists", {"name": ""}, "name"),
        ("therapists", {"email": "noor"}, "email"),
        ("therapists", {"email": ""}, "email"),
    ],
)
def test_each_bad_cell_is_named_by_its_column_and_changes_nothing(
    practice: Riverside, kind: str, changes: dict[str, str], column: str
) -> None:
    good = {"roster": EMA, "appointments": VISIT, "therapists": {"name": "Noor", "email": "noor@riverside.example"}}
    before = everything(practice)
    taken = take(practice, kind, {**good[kind], **changes})
    assert column in {problem.column for problem in taken.problems}
    assert (taken.new, taken.changed, taken.same) == (0, 0, 0)
    assert everything(practice) == before


def test_a_manager_is_no_therapist_so_answers_cannot_be_led_to_one(practice: Riverside) -> None:
    taken = take(practice, "roster", {**EMA, "therapist_email": "dana@riverside.example"})
    assert said(taken) == ["line 2, column therapist_email: belongs to no therapist; import the therapists first"]


def test_a_row_given_twice_counts_once(practice: Riverside) -> None:
    assert counts(take(practice, "roster", EMA, EMA)) == (1, 0, 1, 0)


def test_two_rows_that_contradict_each_other_are_named_and_the_first_stands(practice: Riverside) -> None:
    for _ in range(2):  # else the second import would change it back and forth
        taken = take(practice, "roster", EMA, {**EMA, "name": "Someone Else"})
        assert said(taken) == [
            "line 3, column client_ref: stands on line 2 with other values; keep one of the two rows"
        ]
        assert client(practice, "C-Ema").name == "Ema Ortiz"
    assert counts(taken) == (0, 0, 1, 1)


def test_a_good_row_after_a_bad_one_of_the_same_reference_is_taken(practice: Riverside) -> None:
    assert counts(take(practice, "roster", {**EMA, "phone": "12"}, EMA)) == (1, 0, 0, 1)


def test_therapists_are_told_apart_by_address_however_it_is_written(practice: Riverside) -> None:
    rows = [{"name": "Noor", "email": "noor@r.example"}, {"name": "Nora", "email": " NOOR@r.example"}]
    taken = take(practice, "therapists", *rows)
    assert counts(taken) == (1, 0, 0, 1)


def test_line_numbers_stay_right_behind_quoted_line_breaks(practice: Riverside) -> None:
    taken = take(practice, "roster", {**EMA, "name": "Ema\nOrtiz"}, {**EMA, "client_ref": "C-2", "channel": "fax"})
    assert said(taken) == ["line 4, column channel: is neither sms nor email"]
    assert client(practice, "C-Ema").name == "Ema Ortiz"


def test_a_file_cut_half_way_gives_its_good_rows_and_a_problem(practice: Riverside) -> None:
    raw = table(EMA, {**EMA, "client_ref": "C-2"}, {**EMA, "client_ref": "C-3"})
    taken = intake.take_file(practice.ctx, practice.practice, "roster", raw[:-40], NOW)
    assert counts(taken) == (2, 0, 0, 1)
    assert said(taken) == ["line 4 is where the file ends, in the middle of a row; export it again"]


def test_a_file_without_the_columns_is_refused_whole(practice: Riverside) -> None:
    with pytest.raises(BadTable, match="lacks consent_at"):
        take(practice, "roster", {name: value for name, value in EMA.items() if name != "consent_at"})


def test_two_clients_may_share_a_phone(practice: Riverside) -> None:
    taken = take(practice, "roster", EMA, {**EMA, "client_ref": "C-2", "name": "Fay"})
    assert counts(taken) == (2, 0, 0, 0)


def test_one_practice_cannot_reach_into_another(practice: Riverside, ctx: Context) -> None:
    with ctx.store.transaction() as tx:
        other = practices.add(tx, "Hillside", NOW)
    taken = intake.take_file(ctx, other, "appointments", table(VISIT), NOW)
    assert {problem.column for problem in taken.problems} == {"client_ref", "therapist_email"}
    intake.take_file(ctx, other, "therapists", table({"name": "Theo", "email": THEO}), NOW)
    assert intake.take_file(ctx, other, "roster", table({**EMA, "client_ref": "C-Ana"}), NOW).new == 1
    assert client(practice, "C-Ana").name == "Ana"


def test_what_is_stored_is_planned_even_if_the_import_dies_further_on(
    practice: Riverside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows and plan stand in one transaction: nothing waits for a second import."""
    rows = [{**VISIT, "appointment_ref": f"V-{n}", "client_ref": f"C-{n}"} for n in range(3)]
    take(practice, "roster", *({**EMA, "client_ref": f"C-{n}"} for n in range(3)))
    monkeypatch.setattr(intake, "AT_ONCE", 1)
    planned = intake.replan

    def dies_in_the_third(*args: object) -> None:
        if practice.rows("select count(*) as n from appointment") == [{"n": 3}]:
            raise KeyboardInterrupt
        planned(*args)

    monkeypatch.setattr(intake, "replan", dies_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        take(practice, "appointments", *rows)
    assert practice.rows("select count(*) as n from appointment") == [{"n": 2}]
    assert practice.rows("select count(*) as n from check_in") == [{"n": 2}]


def test_a_leaver_is_still_who_saw_the_client(practice: Riverside, ctx: Context) -> None:
    with ctx.store.transaction() as tx:
        tx.run("update person set active = 0 where id = :id", {"id": practice.staff["Theo"]})
        assert people.with_role(tx, practice.practice.id, "therapist"), "Ines must still be there"
    assert counts(take(practice, "appointments", VISIT)) == (1, 0, 0, 0)


def test_a_practice_abroad_reads_its_own_numbers(practice: Riverside) -> None:
    practice.practice = replace(practice.practice, country="GB", timezone="Europe/London")
    take(practice, "roster", {**EMA, "phone": "020 7946 0958"})
    assert (client(practice, "C-Ema").phone, client(practice, "C-Ema").timezone) == ("+442079460958", "Europe/London")


def test_ten_thousand_rows_take_a_few_seconds(practice: Riverside) -> None:
    """People first, then a year of weekly appointments, as a practice's system exports them: by time."""
    people_ = [{**EMA, "client_ref": f"C-{n}", "phone": f"202555{n:04}"} for n in range(200)]
    first = datetime(2025, 10, 6, 14, 0, tzinfo=UTC)
    visits = [
        {
            **VISIT,
            "appointment_ref": f"V-{week}-{n}",
            "client_ref": f"C-{n}",
            "starts_at": (first + timedelta(weeks=week, minutes=n)).isoformat(),
            "ends_at": (first + timedelta(weeks=week, minutes=n + 50)).isoformat(),
        }
        for week in range(50)
        for n in range(200)
    ]
    assert take(practice, "roster", *people_).new == 200
    took: list[tuple[int, ...]] = []
    seconds = cost(lambda: took.append(counts(take(practice, "appointments", *visits))))
    assert took == [(10_000, 0, 0, 0)]
    assert seconds < 15, f"{seconds:.1f} s"


def test_ten_thousand_clients_take_a_few_seconds(practice: Riverside) -> None:
    rows = [{**EMA, "client_ref": f"C-{n}", "phone": f"202555{n:04}"} for n in range(10_000)]
    took: list[tuple[int, ...]] = []
    seconds = cost(lambda: took.append(counts(take(practice, "roster", *rows))))
    assert took == [(10_000, 0, 0, 0)]
    assert seconds < 15, f"{seconds:.1f} s"


def test_json_objects_are_rows_with_the_same_keys() -> None:
    rows = list(
        intake.table_rows([VISIT, {**VISIT, "appointment_ref": 17, "status": None, "extra": 1}], "appointments")
    )
    assert [row.line for row in rows] == [1, 2]
    assert rows[0].cells == VISIT
    assert (rows[1].cells["appointment_ref"], rows[1].cells["status"], rows[1].fault) == ("17", "", "")


@pytest.mark.parametrize(
    ("item", "fault"),
    [
        ("V-1", "is not an object"),
        (None, "is not an object"),
        ({"appointment_ref": ["V-1"]}, "has something other than text under appointment_ref"),
        ({"status": True, "client_ref": {}}, "has something other than text under client_ref, status"),
    ],
)
def test_json_that_is_no_row_is_named(item: object, fault: str) -> None:
    [row] = intake.table_rows([item], "appointments")
    assert row.fault == fault
