"""A reply that was misread, or is read another way: only in its own words, with both readings kept."""

import json
from datetime import timedelta

import pytest

from bot.flows import rereading
from bot.flows.access import NotHere
from bot.flows.rereading import Choice
from bot.store import check_ins, clients, inbox
from tests.support.cast import Riverside
from tests.support.therapist import asked, audit, me_of, writes
from tests.support.weeks import CORE, FIRST_VISIT, assess

AT = FIRST_VISIT
WRITTEN, LATER = AT + timedelta(hours=3), AT + timedelta(hours=5)


def choices(practice: Riverside, inbox_id: str) -> list[Choice]:
    client_id, practice_id = practice.clients["Ana"], practice.practice.id
    with practice.ctx.store.transaction(write=False) as tx:
        reply = next(each for each in inbox.of_client(tx, practice_id, client_id) if each.id == inbox_id)
        check_in = check_ins.get(tx, practice_id, reply.check_in_id or "")
        stored = check_ins.stored_answers(tx, practice_id, client_id, practice.staff["Theo"])
    return rereading.choices(practice.ctx, reply, check_in, stored)


def answers(practice: Riverside, check_in_id: str) -> dict[str, int]:
    with practice.ctx.store.transaction(write=False) as tx:
        return check_ins.answers(tx, practice.practice.id, check_in_id)


def pick(practice: Riverside, inbox_id: str, value: str, who: str = "Theo") -> bool:
    return rereading.pick(practice.ctx, me_of(practice, who), practice.clients["Ana"], inbox_id, value, LATER)


def misread(practice: Riverside, inbox_id: str, who: str = "Theo") -> bool:
    return rereading.misread(practice.ctx, me_of(practice, who), practice.clients["Ana"], inbox_id, LATER)


def test_a_misread_reply_counts_no_more_and_is_kept(practice: Riverside) -> None:
    check_in_id = asked(practice, "Ana", AT)
    inbox_id = writes(practice, "Ana", "5 4 3", WRITTEN)
    assess(practice, WRITTEN)
    assert misread(practice, inbox_id)
    assert answers(practice, check_in_id) == {}
    kept = practice.rows("select score from answer where inbox_id = :i order by score", i=inbox_id)
    assert [row["score"] for row in kept] == [3, 4, 5]
    assert practice.rows("select 1 as one from to_assess"), "the signal looks again"
    assert "a reply was marked as misread" in audit(practice, inbox_id)
    assert not misread(practice, inbox_id), "nothing of it counted any more"


def test_another_reading_of_the_same_words_takes_the_place_of_the_first(practice: Riverside) -> None:
    check_in_id = asked(practice, "Ana", AT)
    inbox_id = writes(practice, "Ana", "5 4 3", WRITTEN)
    other = next(each for each in choices(practice, inbox_id) if not each.counts)
    assert pick(practice, inbox_id, other.value)
    assert answers(practice, check_in_id) == dict(other.scores)
    assert len(practice.rows("select id from answer where inbox_id = :i", i=inbox_id)) == 6, "both are kept"
    when = practice.rows("select distinct answered_at from answer where inbox_id = :i", i=inbox_id)
    assert [row["answered_at"] for row in when] == [int(WRITTEN.timestamp())], "it was said when it was written"
    assert "another reading of a reply was picked" in audit(practice, inbox_id)


def test_the_first_reading_can_be_chosen_again(practice: Riverside) -> None:
    check_in_id = asked(practice, "Ana", AT)
    inbox_id = writes(practice, "Ana", "5 4 3", WRITTEN)
    first = choices(practice, inbox_id)[0]
    misread(practice, inbox_id)
    assert choices(practice, inbox_id)[0].value == first.value
    assert pick(practice, inbox_id, first.value)
    assert answers(practice, check_in_id) == {"heard": 5, "respected": 4, "understood": 3}
    assert not pick(practice, inbox_id, first.value), "it counts already"


def test_nobody_types_a_score(practice: Riverside) -> None:
    check_in_id = asked(practice, "Ana", AT)
    inbox_id = writes(practice, "Ana", "5 4 3", WRITTEN)
    for value in ("heard=1,respected=1,understood=1", "heard=5", "", "nonsense", "heard=9"):
        with pytest.raises(NotHere):
            pick(practice, inbox_id, value)
    assert answers(practice, check_in_id) == {"heard": 5, "respected": 4, "understood": 3}


def test_each_reading_has_only_scores_that_were_written(practice: Riverside) -> None:
    asked(practice, "Ana", AT)
    inbox_id = writes(practice, "Ana", "4 or 3, then 5 and 2, see you at 10", WRITTEN)
    assert {score for each in choices(practice, inbox_id) for score in each.scores.values()} <= {2, 3, 4, 5}


def test_the_marks_tell_who_changed_what_and_when(practice: Riverside) -> None:
    asked(practice, "Ana", AT)
    inbox_id = writes(practice, "Ana", "5 4 3", WRITTEN)
    misread(practice, inbox_id)
    pick(practice, inbox_id, choices(practice, inbox_id)[0].value)
    rows = practice.rows("select * from reading_mark where inbox_id = :i order by at, id", i=inbox_id)
    with practice.ctx.store.transaction(write=False) as tx:
        found = [
            {name: json.loads(tx.open("reading_mark", name, str(row["id"]), str(row[f"{name}_sealed"])))
             for name in ("before", "after")}
            for row in rows
        ]  # fmt: skip
    full = {"heard": 5, "respected": 4, "understood": 3}
    assert found == [{"before": full, "after": {}}, {"before": {}, "after": full}]
    assert {(row["by_id"], row["at"]) for row in rows} == {(practice.staff["Theo"], int(LATER.timestamp()))}


def test_what_another_reply_answered_stays_as_it_is(practice: Riverside) -> None:
    check_in_id = asked(practice, "Ana", AT)
    first = writes(practice, "Ana", "5 4", WRITTEN)
    writes(practice, "Ana", "2", WRITTEN + timedelta(minutes=5))
    assert answers(practice, check_in_id) == {"heard": 5, "respected": 4, "understood": 2}
    for each in choices(practice, first):
        assert "understood" not in each.scores
    misread(practice, first)
    assert answers(practice, check_in_id) == {"understood": 2}


def test_a_reply_that_a_later_one_replaced_cannot_be_read_anew(practice: Riverside) -> None:
    asked(practice, "Ana", AT)
    first = writes(practice, "Ana", "5 4 3", WRITTEN)
    writes(practice, "Ana", "2 2 2", WRITTEN + timedelta(minutes=5))
    assert choices(practice, first) == []
    with pytest.raises(NotHere):
        pick(practice, first, "heard=5,respected=4,understood=3")


def test_what_was_written_when_nothing_was_open_is_no_answer(practice: Riverside) -> None:
    asked(practice, "Ana", AT)
    first = writes(practice, "Ana", "5 4 3", WRITTEN)
    comment = writes(practice, "Ana", "we had only 3 minutes for the last part", WRITTEN + timedelta(minutes=5))
    misread(practice, first)
    assert choices(practice, comment) == []


def test_a_late_reply_does_not_come_to_count(practice: Riverside) -> None:
    check_in_id = asked(practice, "Ana", AT)
    with practice.ctx.store.transaction() as tx:
        check_ins.set_state(tx, practice.practice.id, check_in_id, "expired", AT + timedelta(days=4))
    late = writes(practice, "Ana", "5 4 3", AT + timedelta(days=4, hours=1))
    assert choices(practice, late) == []


def test_a_message_that_could_not_be_read_may_be_read_by_its_therapist(
    practice: Riverside, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_in_id = asked(practice, "Ana", AT)
    with monkeypatch.context() as broken:
        broken.setattr("bot.flows.receiving.replies.parse", lambda *_, **__: 1 / 0)
        inbox_id = writes(practice, "Ana", "5 4 3", WRITTEN)
    found = choices(practice, inbox_id)
    assert found[0].scores == {}
    full = {"heard": 5, "respected": 4, "understood": 3}
    assert pick(practice, inbox_id, next(each.value for each in found if each.scores == full))
    assert answers(practice, check_in_id) == full


def test_an_open_check_in_is_answered_by_the_reading_that_was_picked(practice: Riverside) -> None:
    check_in_id = asked(practice, "Ana", AT)
    inbox_id = writes(practice, "Ana", "4 or 3, 4, 3", WRITTEN)
    full = next(each for each in choices(practice, inbox_id) if set(each.scores) == set(CORE))
    assert pick(practice, inbox_id, full.value)
    state = practice.rows("select state from check_in where id = :id", id=check_in_id)[0]["state"]
    assert state == "answered"
    sent = practice.rows("select kind from outbox where check_in_id = :id and kind = 'thanks'", id=check_in_id)
    assert sent == [], "nothing is said to the client"


def test_only_the_clients_own_therapist_may_read_it_anew(practice: Riverside) -> None:
    asked(practice, "Ana", AT)
    inbox_id = writes(practice, "Ana", "5 4 3", WRITTEN)
    with pytest.raises(NotHere):
        misread(practice, inbox_id, "Ines")
    with practice.ctx.store.transaction() as tx:
        tx.run(
            "update client set therapist_id = :t where id = :c",
            {"t": practice.staff["Ines"], "c": practice.clients["Ana"]},
        )
    for who in ("Theo", "Ines"):
        with pytest.raises(NotHere):
            misread(practice, inbox_id, who)


def test_once_a_client_was_discharged_nothing_is_changed_any_more(practice: Riverside) -> None:
    asked(practice, "Ana", AT)
    inbox_id = writes(practice, "Ana", "5 4 3", WRITTEN)
    with practice.ctx.store.transaction() as tx:
        clients.set_state(tx, practice.practice.id, practice.clients["Ana"], "discharged")
    with pytest.raises(NotHere):
        misread(practice, inbox_id)
