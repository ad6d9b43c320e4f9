"""A file before it is taken: the preview says what the import then does, and stores nothing."""

from datetime import timedelta

import pytest

from bot.flows import import_preview
from bot.flows.access import Me, NotHere
from bot.flows.import_preview import Change
from bot.flows.managing import Refused
from bot.store import staff
from tests.bot.flows.test_intake import EMA, VISIT, client, everything, table
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.managing import manager
from tests.support.timing import cost

NOW = MONDAY_NOON
ANA = {
    "client_ref": "C-Ana", "name": "Ana", "phone": "+12025550101", "email": "ana@clients.example", "language": "en",
    "timezone": "America/New_York", "channel": "sms", "consent_at": "", "therapist_email": "theo@riverside.example",
}  # fmt: skip


@pytest.fixture
def dana(practice: Riverside) -> Me:
    return manager(practice.ctx, practice.practice, practice.staff["Dana"])


def hand_in(practice: Riverside, dana: Me, kind: str, *rows: dict[str, str]) -> str:
    return import_preview.hand_in(practice.ctx, dana, kind, table(*rows), NOW)


def show(practice: Riverside, dana: Me, kind: str, *rows: dict[str, str]) -> import_preview.Handed:
    return import_preview.show(practice.ctx, dana, hand_in(practice, dana, kind, *rows), NOW)


def test_every_row_is_new_changed_as_before_or_wrong(practice: Riverside, dana: Me) -> None:
    moved = {**ANA, "phone": "+1 202 555 0150", "therapist_email": "ines@riverside.example"}
    ben = {**ANA, "client_ref": "C-Ben", "name": "Ben", "phone": "+12025550102", "email": "ben@clients.example"}
    handed = show(practice, dana, "roster", EMA, moved, ben, {**EMA, "client_ref": "C-9", "phone": "12"})
    assert handed.counts == {"new": 1, "changed": 1, "same": 1, "wrong": 1}
    new, changed, same, wrong = handed.lines
    assert (new.line, new.key, new.outcome) == (2, "C-Ema", "new")
    assert changed.changes == [
        Change("phone", "+12025550101", "+12025550150"),
        Change("therapist", "Theo", "Ines"),
    ]
    assert same.changes == []
    assert wrong.line == 5
    assert wrong.said == ["phone is not a phone number that exists; check its digits and the country code"]


def test_nothing_but_the_sealed_file_is_stored_before_it_is_confirmed(practice: Riverside, dana: Me) -> None:
    before = everything(practice)
    show(practice, dana, "roster", EMA)
    assert everything(practice) == before
    [row] = practice.rows("select file_sealed, shown_sealed from import_draft")
    assert "Ema Ortiz" not in str(row)
    assert "RW1hIE9y" not in str(row)  # nor as base64; shorter words stand in what is sealed by chance


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("roster", [EMA, {**ANA, "name": "Anna"}, {**EMA, "client_ref": "C-9", "channel": "fax"}, EMA]),
        ("therapists", [{"name": "Noor", "email": "noor@r.example"},
                        {"name": "Theodor", "email": "theo@riverside.example"},
                        {"name": "Dana", "email": "dana@riverside.example"}, {"name": "", "email": "x@r.example"}]),
        ("appointments", [VISIT, {**VISIT, "appointment_ref": "V-2", "client_ref": "C-nobody"}, VISIT]),
    ],
)  # fmt: skip
def test_what_was_shown_is_what_happens(practice: Riverside, dana: Me, kind: str, rows: list[dict[str, str]]) -> None:
    draft = hand_in(practice, dana, kind, *rows)
    shown = import_preview.show(practice.ctx, dana, draft, NOW).counts
    import_preview.confirm(practice.ctx, dana, draft, NOW)
    after = import_preview.show(practice.ctx, dana, draft, NOW)
    assert after.taken == shown
    assert [line.outcome for line in after.lines] == ["wrong"] * shown["wrong"]


def test_confirming_takes_exactly_that_file_once(practice: Riverside, dana: Me) -> None:
    draft = hand_in(practice, dana, "roster", EMA)
    for _ in range(2):
        import_preview.confirm(practice.ctx, dana, draft, NOW)
    assert client(practice, "C-Ema").name == "Ema Ortiz"
    assert practice.rows("select file_sealed from import_draft") == [{"file_sealed": None}]
    assert len(practice.rows("select 1 from audit where what = 'import roster'")) == 1


def test_a_file_whose_taking_was_cut_off_can_be_confirmed_again_and_is_taken_once(
    practice: Riverside, dana: Me, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = hand_in(practice, dana, "roster", EMA)
    with monkeypatch.context() as cut_off:
        cut_off.setattr(import_preview.intake, "take_file", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            import_preview.confirm(practice.ctx, dana, draft, NOW)
    assert import_preview.show(practice.ctx, dana, draft, NOW).taken is None
    import_preview.confirm(practice.ctx, dana, draft, NOW)
    assert client(practice, "C-Ema").name == "Ema Ortiz"
    found = import_preview.show(practice.ctx, dana, draft, NOW)
    assert (found.taken or {})["new"] == 1
    with monkeypatch.context() as never_again:
        never_again.setattr(import_preview.intake, "take_file", lambda *_: 1 / 0)
        import_preview.confirm(practice.ctx, dana, draft, NOW)
    assert practice.rows("select file_sealed from import_draft") == [{"file_sealed": None}]


def test_an_appointment_that_moved_is_shown_with_both_times_on_the_practices_clock(
    practice: Riverside, dana: Me
) -> None:
    draft = hand_in(practice, dana, "appointments", VISIT)
    import_preview.confirm(practice.ctx, dana, draft, NOW)
    later = {**VISIT, "starts_at": "2026-09-07T15:00:00Z", "ends_at": "2026-09-07T15:50:00Z", "status": "no_show"}
    [line] = show(practice, dana, "appointments", later).lines
    assert line.changes == [
        Change("starts_at", "2026-09-07 10:00", "2026-09-07 11:00"),
        Change("ends_at", "2026-09-07 10:50", "2026-09-07 11:50"),
        Change("status", "attended", "no_show"),
    ]


def test_a_file_is_its_own_managers_for_an_hour(practice: Riverside, dana: Me) -> None:
    draft = hand_in(practice, dana, "roster", EMA)
    theo = manager(practice.ctx, practice.practice, practice.staff["Theo"], "manager")
    for me, at in ((theo, NOW), (dana, NOW + timedelta(minutes=61))):
        with pytest.raises(NotHere):
            import_preview.show(practice.ctx, me, draft, at)
        with pytest.raises(NotHere):
            import_preview.confirm(practice.ctx, me, draft, at)
    assert import_preview.forget_old(practice.ctx, NOW + timedelta(minutes=59)) == 0
    assert import_preview.forget_old(practice.ctx, NOW + timedelta(minutes=61)) == 1


@pytest.mark.parametrize("raw", [b"", b"name,email\n", b"PK\x03\x04", b"only,this\n1,2\n"])
def test_a_file_that_is_no_table_is_refused_in_words(practice: Riverside, dana: Me, raw: bytes) -> None:
    with pytest.raises(Refused) as refused:
        import_preview.hand_in(practice.ctx, dana, "therapists", raw, NOW)
    assert refused.value.problems["file"]


def test_a_leaver_is_not_made_a_therapist_anew_in_words_either(practice: Riverside, dana: Me) -> None:
    with practice.ctx.store.transaction() as tx:
        assert [each.name for each in staff.everyone(tx, practice.practice.id)] == ["Theo", "Ines", "Dana"]
    [line] = show(practice, dana, "therapists", {"name": "Theo", "email": "theo@riverside.example"}).lines
    assert line.outcome == "same"


def test_ten_thousand_rows_are_looked_over_in_seconds(practice: Riverside, dana: Me) -> None:
    rows = [{**EMA, "client_ref": f"C-{n}", "phone": f"202555{n % 10000:04}"} for n in range(10_000)]
    new: list[int] = []
    assert cost(lambda: new.append(show(practice, dana, "roster", *rows).counts["new"])) < 10
    assert new == [10_000]
