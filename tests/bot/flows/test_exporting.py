"""Exports: the format others rely on, with nothing in them that isn't theirs to see, and a reason kept."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from bot.flows import exporting
from bot.flows.context import Context
from bot.store import check_ins, inbox, outbox, practices
from bot.store.inbox import Inbound
from bot.store.outbox import Draft
from tests.support.cast import MONDAY_NOON, Riverside

NOW = MONDAY_NOON
ASKED = ("heard", "respected", "understood", "dependable")


def export(practice: Riverside, kind: str, form: str = "csv", reason: str = "audit by Ines") -> str:
    lines = exporting.export(practice.ctx, practice.practice, kind, reason, form, "command", NOW)
    return "".join(lines)


def rows(practice: Riverside, kind: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(export(practice, kind), newline="")))


def answered(practice: Riverside, name: str, scores: dict[str, int], at: datetime, replace: bool = False) -> None:
    """Answers to this client's last check-in, as if a text had brought them then."""
    with practice.ctx.store.transaction() as tx:
        check_in = practice.check_ins(name)[-1]
        check_ins.set_feelings(tx, practice.practice.id, check_in.id, ASKED)
        kept = inbox.remember(tx, practice.practice.id, Inbound("sms", f"SM{name}{at}", "+12025550100", "?"), at)
        assert kept
        check_ins.add_answers(tx, practice.practice.id, check_in.id, kept, scores, at, replace)


def test_answers_come_in_the_order_answered_and_then_as_asked(practice: Riverside) -> None:
    first, second = practice.visit("Ana", NOW), practice.visit("Ben", NOW)
    later = NOW + timedelta(hours=3)
    answered(practice, "Ben", {"understood": 3, "heard": 5}, later + timedelta(minutes=5))
    answered(practice, "Ana", {"dependable": 2, "understood": 4, "respected": 5, "heard": 1}, later)
    answered(practice, "Ben", {"respected": 4}, later + timedelta(minutes=9))
    assert export(practice, "answers").split("\r\n") == [
        "client_ref,appointment_ref,feeling,score,answered_at",
        f"C-Ana,{first},heard,1,2026-09-07T19:00:00Z",
        f"C-Ana,{first},respected,5,2026-09-07T19:00:00Z",
        f"C-Ana,{first},understood,4,2026-09-07T19:00:00Z",
        f"C-Ana,{first},dependable,2,2026-09-07T19:00:00Z",
        f"C-Ben,{second},heard,5,2026-09-07T19:05:00Z",
        f"C-Ben,{second},understood,3,2026-09-07T19:05:00Z",
        f"C-Ben,{second},respected,4,2026-09-07T19:09:00Z",
        "",
    ]


def test_an_answer_that_was_replaced_is_not_exported_and_its_successor_is(practice: Riverside) -> None:
    practice.visit("Ana", NOW)
    answered(practice, "Ana", {"heard": 1, "respected": 1, "understood": 1}, NOW)
    answered(practice, "Ana", {"heard": 5, "respected": 5, "understood": 4}, NOW + timedelta(hours=1), replace=True)
    assert [row["score"] for row in rows(practice, "answers")] == ["5", "5", "4"]


def test_json_lines_hold_the_same(practice: Riverside) -> None:
    ref = practice.visit("Ana", NOW)
    answered(practice, "Ana", {"heard": 5}, NOW)
    [line] = export(practice, "answers", "jsonl").splitlines()
    assert json.loads(line) == {
        "client_ref": "C-Ana",
        "appointment_ref": ref,
        "feeling": "heard",
        "score": 5,
        "answered_at": "2026-09-07T16:00:00Z",
    }


def test_an_export_of_nothing_is_a_header(practice: Riverside) -> None:
    assert export(practice, "answers") == "client_ref,appointment_ref,feeling,score,answered_at\r\n"
    assert export(practice, "answers", "jsonl") == ""


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_a_reference_that_a_spreadsheet_would_run_is_made_harmless(practice: Riverside, start: str) -> None:
    """A cell that begins so is a formula to a spreadsheet, and may fetch an address with the answers in it."""
    practice.visit("Ana", NOW)
    answered(practice, "Ana", {"heard": 5}, NOW)
    evil = f'{start}HYPERLINK("http://x")'
    with practice.ctx.store.transaction() as tx:
        tx.run("update client set client_ref = :ref where client_ref = 'C-Ana'", {"ref": evil})
    assert [row["client_ref"] for row in rows(practice, "answers")] == [f"'{evil}"]
    assert json.loads(export(practice, "answers", "jsonl"))["client_ref"] == evil


def test_the_reason_is_kept_where_nobody_without_the_key_can_read_it(practice: Riverside, ctx: Context) -> None:
    export(practice, "answers", reason="Ana asked for hers")
    with ctx.store.transaction(write=False) as tx:
        [note] = tx.all("select * from audit")
        assert (note["who"], note["what"]) == ("command", "export answers")
        assert tx.open("audit", "words", note["id"], note["words_sealed"]) == "Ana asked for hers"
    assert "asked" not in str(note)


def test_the_reason_is_kept_before_anything_is_read(practice: Riverside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting.exports, "rows", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export(practice, "answers")
    assert len(practice.rows("select * from audit")) == 1


def test_no_export_holds_a_name_a_number_an_address_or_a_word(practice: Riverside, ctx: Context) -> None:
    practice.visit("Ana", NOW)
    answered(practice, "Ana", {"heard": 5}, NOW)
    ana = practice.client("Ana")
    with ctx.store.transaction() as tx:
        draft = Draft("check_in", "one", "sms", ana.phone, "Dear Ana", client_id=ana.id)
        assert outbox.put(tx, practice.practice.id, draft, NOW, NOW)
    held = "".join(export(practice, kind, form) for kind in exporting.KINDS for form in ("csv", "jsonl"))
    assert "C-Ana" in held
    for secret in ("Dear", "+12025550101", "clients.example", '"Ana"', ",Ana,"):
        assert secret not in held


def test_the_list_of_messages_does_not_tell_what_was_answered(practice: Riverside, ctx: Context) -> None:
    """ "confirm_low" goes out after all ones: by that name alone, a manager would know the ratings."""
    ana = practice.client("Ana")
    with ctx.store.transaction() as tx:
        for kind in ("welcome", "check_in", "confirm_low", "thanks", "ask_rest"):
            draft = Draft(kind, kind, "sms", ana.phone, "words", client_id=ana.id)
            outbox.put(tx, practice.practice.id, draft, NOW, NOW)
    assert sorted(row["kind"] for row in rows(practice, "messages")) == [
        "check_in",
        "reply",
        "reply",
        "reply",
        "welcome",
    ]


def test_messages_show_when_and_in_which_state(practice: Riverside, ctx: Context) -> None:
    ana = practice.client("Ana")
    with ctx.store.transaction() as tx:
        outbox.put(tx, practice.practice.id, Draft("help", "h", "sms", ana.phone, "x", client_id=ana.id), NOW, NOW)
    [row] = rows(practice, "messages")
    assert (row["kind"], row["client_ref"], row["state"]) == ("help", "C-Ana", "due")
    assert (row["created_at"], row["sent_at"]) == ("2026-09-07T16:00:00Z", "")


def test_an_export_holds_nothing_of_another_practice(practice: Riverside, ctx: Context) -> None:
    practice.visit("Ana", NOW)
    answered(practice, "Ana", {"heard": 5}, NOW)
    with ctx.store.transaction() as tx:
        other = practices.add(tx, "Hillside", datetime(2026, 1, 1, tzinfo=UTC))
    for kind in exporting.KINDS:
        assert len(list(exporting.export(ctx, other, kind, "why", "csv", "command", NOW))) == 1
