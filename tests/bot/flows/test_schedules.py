"""Changing a rule: looked at first, saved as it was looked at, planned anew, and taken back once."""

from datetime import timedelta

import pytest

from bot.flows import asking, looking_ahead, schedules, settings
from bot.flows.context import Context
from bot.flows.planning import rule_for
from bot.flows.schedules import CantUndo, Look, Place
from bot.flows.settings import BadSetting
from bot.store import clients, practices
from surveys import schedule as rules
from surveys.schedule import BadSchedule
from tests.support.cast import MONDAY_NOON, PHONES, Riverside

NOW = MONDAY_NOON
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def whole(practice: Riverside) -> Place:
    return Place("practice", practice.practice.id)


def texts(practice: Riverside, place: Place, **changes: str) -> dict[str, str]:
    """What the form of this place would send."""
    with practice.ctx.store.transaction(write=False) as tx:
        shown = schedules.standing(tx, practices.get(tx, practice.practice.id), place).shown
    if place.scope == "client":
        del shown["paused_until"]
    return {**shown, **changes}


def look(practice: Riverside, place: Place | None = None, **changes: str) -> Look:
    place = place or whole(practice)
    return schedules.look(practice.ctx, practice.practice.id, place, texts(practice, place, **changes), NOW)


def save(practice: Riverside, place: Place | None = None, by: str = "Dana", **changes: str) -> None:
    """Look, then save what was seen."""
    place = place or whole(practice)
    typed = texts(practice, place, **changes)
    mark = schedules.look(practice.ctx, practice.practice.id, place, typed, NOW).mark
    assert schedules.save(practice.ctx, practice.practice.id, place, typed, mark, practice.staff[by], NOW)


def undo(practice: Riverside) -> None:
    last, _ = schedules.look_back(practice.ctx, practice.practice.id, NOW)
    schedules.undo(practice.ctx, practice.practice.id, last.id, practice.staff["Dana"], NOW)


def everything(practice: Riverside) -> list[object]:
    tables = ("practice", "schedule_rule", "schedule_change", "check_in", "appointment", "outbox", "audit")
    return [practice.rows(f"select * from {table} order by 1, 2") for table in tables]


def dues(practice: Riverside, name: str) -> list[object]:
    return [each.due_at for each in practice.check_ins(name)]


# Looking


def test_looking_stores_nothing(practice: Riverside) -> None:
    practice.visit("Ana", NOW - HOUR, now=NOW)
    before = everything(practice)
    found = look(practice, delay_minutes="240", every="2")
    assert found.changes
    assert everything(practice) == before


def test_a_look_says_what_the_saved_rule_then_does(practice: Riverside) -> None:
    for name in PHONES:
        practice.visit(name, NOW - HOUR, now=NOW)
    found = look(practice, delay_minutes="180").preview
    assert (found.moved, found.more, found.fewer, found.planned) == (3, 0, 0, 3)
    save(practice, delay_minutes="180")
    seen = sorted(at for day in found.days for at, _ in day.planned)
    assert sorted(due for name in PHONES for due in dues(practice, name)) == seen


def test_a_look_at_one_clients_rule_counts_that_client_alone(practice: Riverside) -> None:
    for name in PHONES:
        practice.visit(name, NOW - HOUR, now=NOW)
    place = Place("client", practice.clients["Ben"])
    assert look(practice, place, delay_minutes="180").preview.moved == 1
    theirs = Place("therapist", practice.staff["Ines"])
    assert look(practice, theirs, delay_minutes="180").preview.planned == 0


def test_what_was_read_of_late_gives_the_same_look_as_all_of_it(practice: Riverside) -> None:
    """A year of weekly visits, of which only the last weeks are read."""
    for week in range(20, 0, -1):
        practice.visit("Ana", NOW - 7 * week * DAY, now=NOW - 7 * week * DAY)
        with practice.ctx.store.transaction() as tx:
            tx.run("update check_in set state = 'answered', asked_at = due_at where state = 'planned'")
    practice.visit("Ana", NOW + 7 * DAY, status="booked", now=NOW)
    practice.visit("Ana", NOW + 14 * DAY, status="booked", now=NOW)
    planned = [len(look(practice, every=str(n)).preview.days[7].planned) for n in (1, 3, 7, 10)]
    assert planned == [1, 1, 1, 0], "the 21st visit: every third and seventh, not every tenth"


def test_a_bad_value_is_named_by_its_key(practice: Riverside) -> None:
    with pytest.raises(BadSchedule) as told:
        look(practice, digits="9")
    assert list(told.value.problems) == ["digits"]


# Saving


def test_only_what_was_looked_at_is_saved(practice: Riverside) -> None:
    mark = look(practice, digits="3").mark
    typed = texts(practice, whole(practice), digits="3", every="2")
    before = everything(practice)
    assert not schedules.save(
        practice.ctx, practice.practice.id, whole(practice), typed, mark, practice.staff["Dana"], NOW
    )
    assert everything(practice) == before


def test_a_rule_that_somebody_changed_meanwhile_must_be_looked_at_again(practice: Riverside, ctx: Context) -> None:
    typed = texts(practice, whole(practice), digits="3")
    mark = look(practice, digits="3").mark
    settings.set_schedule(ctx, practice.practice, {"every": "2"}, NOW)
    assert not schedules.save(ctx, practice.practice.id, whole(practice), typed, mark, practice.staff["Dana"], NOW)


def test_a_change_is_written_down_with_who_made_it(practice: Riverside) -> None:
    save(practice, digits="3", min_gap_days="13")
    [change] = practice.rows("select * from schedule_change")
    assert change["by_id"] == practice.staff["Dana"]
    assert (change["before"], change["after"]) == ("{}", '{"digits": "3", "min_gap_days": "13"}')
    [note] = practice.rows("select * from audit where what like 'schedule%'")
    assert note["who"] == practice.staff["Dana"]


def test_a_save_that_changes_nothing_leaves_no_trace_in_the_history(practice: Riverside) -> None:
    save(practice)
    assert practice.rows("select * from schedule_change") == []


def test_what_a_command_sets_to_what_holds_anyway_is_no_change(practice: Riverside, ctx: Context) -> None:
    """Compared by meaning: neither the history nor a page that was only opened speaks of a change."""
    save(practice, digits="3")
    settings.set_schedule(ctx, practice.practice, {"delay_minutes": "120", "hours": "09:00-20:00"}, NOW)
    assert len(practice.rows("select * from schedule_change")) == 1
    assert not look(practice).changes
    undo(practice)
    assert not look(practice).changes


def test_a_page_only_opened_offers_no_change_of_a_rule_that_holds_what_the_practice_has(
    practice: Riverside, ctx: Context
) -> None:
    """It is held for when the practice changes; dropping it is a change."""
    theo = Place("therapist", practice.staff["Theo"])
    settings.set_schedule(ctx, practice.practice, {"digits": "4"}, NOW, therapist="theo@riverside.example")
    found = look(practice, theo)
    assert (found.changes, found.own) == (False, {"digits": "4"})
    typed = texts(practice, theo)
    dropping = schedules.look(ctx, practice.practice.id, theo, typed, NOW, drop=True)
    assert (dropping.changes, dropping.own) == (True, {})
    assert schedules.save(ctx, practice.practice.id, theo, typed, dropping.mark, practice.staff["Dana"], NOW)
    assert practice.rows("select * from schedule_rule") == []


# Rules of their own


def test_a_therapists_rule_holds_for_their_clients_alone(practice: Riverside, ctx: Context) -> None:
    with ctx.store.transaction() as tx:
        tx.run("update client set therapist_id = :t where id = :c",
               {"t": practice.staff["Ines"], "c": practice.clients["Chidi"]})  # fmt: skip
    for name in PHONES:
        practice.visit(name, NOW - HOUR, now=NOW)
    save(practice, Place("therapist", practice.staff["Ines"]), delay_minutes="240")
    assert dues(practice, "Chidi") == [NOW + 3 * HOUR]
    assert dues(practice, "Ana") == dues(practice, "Ben") == [NOW + HOUR]


def test_a_clients_rule_lies_over_their_therapists(practice: Riverside) -> None:
    practice.visit("Ana", NOW - HOUR, now=NOW)
    save(practice, Place("therapist", practice.staff["Theo"]), delay_minutes="240", expiry_hours="24")
    save(practice, Place("client", practice.clients["Ana"]), delay_minutes="180")
    [planned] = practice.check_ins("Ana")
    assert (planned.due_at, planned.expires_at) == (NOW + 2 * HOUR, NOW + 26 * HOUR)


def test_an_own_rule_keeps_only_what_differs_and_follows_the_rest(practice: Riverside) -> None:
    place = Place("client", practice.clients["Ana"])
    save(practice, place, delay_minutes="180")
    save(practice, digits="3", delay_minutes="60")
    with practice.ctx.store.transaction(write=False) as tx:
        standing = schedules.standing(tx, practices.get(tx, practice.practice.id), place)
        assert standing.own == {"delay_minutes": "180"}
        found = rule_for(tx, practices.get(tx, practice.practice.id), practice.staff["Theo"], place.id)
    assert (found.delay_minutes, found.digits) == (180, 3)


def test_an_own_rule_that_no_longer_differs_is_gone(practice: Riverside) -> None:
    place = Place("client", practice.clients["Ana"])
    save(practice, place, delay_minutes="180")
    save(practice, place, delay_minutes="120")
    assert practice.rows("select * from schedule_rule") == []


def test_a_client_who_moves_is_asked_by_the_new_therapists_rule(practice: Riverside, ctx: Context) -> None:
    save(practice, Place("therapist", practice.staff["Ines"]), hours="18:00-20:00")
    with ctx.store.transaction() as tx:
        tx.run("update client set therapist_id = :t where id = :c",
               {"t": practice.staff["Ines"], "c": practice.clients["Ana"]})  # fmt: skip
    practice.visit("Ana", NOW - HOUR, therapist="Theo", now=NOW)
    assert dues(practice, "Ana") == [NOW + 6 * HOUR]


def test_what_is_asked_follows_the_clients_own_rule(practice: Riverside, ctx: Context) -> None:
    """Digits, and what a fourth question may be about."""
    save(practice, Place("client", practice.clients["Ana"]), digits="3")
    save(practice, Place("client", practice.clients["Ben"]), fourth="seen")
    for name in ("Ana", "Ben"):
        practice.visit(name, NOW - 3 * HOUR, now=NOW)
        with ctx.store.transaction() as tx:
            clients.mark_welcomed(tx, practice.practice.id, practice.clients[name], NOW)
    asking.ask_due(ctx, NOW)
    assert practice.check_ins("Ana")[0].feelings == ctx.instruments.core
    assert practice.check_ins("Ben")[0].feelings == (*ctx.instruments.core, "seen")


def test_who_has_no_address_for_the_ways_of_the_rule_is_not_asked(practice: Riverside, ctx: Context) -> None:
    practice.visit("Ana", NOW - HOUR, now=NOW)
    with ctx.store.transaction() as tx:
        clients.drop_address(tx, practice.practice.id, practice.clients["Ana"], "mail")
    save(practice, channels="mail")
    assert practice.check_ins("Ana") == []
    assert practice.rows("select not_asked from appointment") == [{"not_asked": rules.UNREACHABLE}]
    save(practice, channels="mail,sms")
    assert len(practice.check_ins("Ana")) == 1


def test_a_command_sets_and_shows_a_rule_of_their_own(practice: Riverside, ctx: Context) -> None:
    found = settings.set_schedule(ctx, practice.practice, {"min_gap_days": "13"}, NOW, client="C-Ana")
    assert found["min_gap_days"] == "13"
    settings.set_schedule(ctx, practice.practice, {"digits": "3"}, NOW, therapist="theo@riverside.example")
    shown = settings.show_rule(ctx.store, practice.practice, None, "C-Ana")
    assert (shown["min_gap_days"], shown["digits"], shown["every"]) == ("13", "3", "1")
    settings.set_schedule(ctx, practice.practice, {"min_gap_days": "default"}, NOW, client="C-Ana")
    assert settings.show_rule(ctx.store, practice.practice, None, "C-Ana")["min_gap_days"] == "6"


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ({"therapist": "dana@riverside.example"}, "No therapist has this mail address"),
        ({"therapist": "nobody@riverside.example"}, "No therapist has this mail address"),
        ({"client": "C-Nobody"}, "C-Nobody is not on the roster"),
        ({"client": "C-Ana", "therapist": "theo@riverside.example"}, "either a therapist or a client"),
    ],
)
def test_a_rule_for_nobody_is_refused_in_words(
    practice: Riverside, ctx: Context, who: dict[str, str], words: str
) -> None:
    with pytest.raises(BadSetting, match=words):
        settings.set_schedule(ctx, practice.practice, {"digits": "3"}, NOW, **who)


def test_a_clients_own_rule_has_no_pause(practice: Riverside, ctx: Context) -> None:
    with pytest.raises(BadSchedule, match="pause the client instead"):
        settings.set_schedule(ctx, practice.practice, {"paused_until": "2026-12-01"}, NOW, client="C-Ana")


# Taking the last change back


def test_the_last_change_is_taken_back_and_planned_anew(practice: Riverside) -> None:
    practice.visit("Ana", NOW - HOUR, now=NOW)
    before = dues(practice, "Ana")
    save(practice, delay_minutes="240")
    assert dues(practice, "Ana") != before
    undo(practice)
    assert dues(practice, "Ana") == before
    assert practice.rows("select schedule from practice") == [{"schedule": "{}"}]
    assert practice.rows("select undone_at from schedule_change") == [{"undone_at": int(NOW.timestamp())}]


def test_no_change_is_taken_back_twice_nor_one_before_the_last(practice: Riverside) -> None:
    save(practice, digits="3")
    save(practice, Place("client", practice.clients["Ana"]), every="2")
    undo(practice)
    with pytest.raises(CantUndo, match="taken back already"):
        undo(practice)
    assert practice.rows("select schedule from practice") == [{"schedule": '{"digits": "3"}'}]
    assert practice.rows("select * from schedule_rule") == []


def test_a_page_that_is_out_of_date_takes_nothing_back(practice: Riverside, ctx: Context) -> None:
    save(practice, digits="3")
    last, _ = schedules.look_back(ctx, practice.practice.id, NOW)
    save(practice, every="2")
    with pytest.raises(CantUndo, match="another change since"):
        schedules.undo(ctx, practice.practice.id, last.id, practice.staff["Dana"], NOW)


def test_a_rule_that_is_not_as_the_change_left_it_is_not_taken_back(practice: Riverside) -> None:
    save(practice, digits="3")
    practice.set_rule(every="2")
    with pytest.raises(CantUndo, match="no longer as that change left it"):
        undo(practice)


def test_nothing_is_taken_back_before_anything_was_changed(practice: Riverside) -> None:
    with pytest.raises(CantUndo, match="Nothing was changed yet"):
        undo(practice)


def test_costs_are_told_in_money_once_there_is_a_price(practice: Riverside, ctx: Context) -> None:
    practice.visit("Ana", NOW - HOUR, now=NOW)
    bill = look(practice).preview.bill
    assert 0 < bill.least < bill.most
    assert looking_ahead.price_of(practice.practice, bill) is None
    settings.set_practice(ctx, practice.practice, {"segment_price": "0.5", "segment_currency": "USD"}, NOW)
    with ctx.store.transaction(write=False) as tx:
        priced = practices.get(tx, practice.practice.id)
    assert looking_ahead.price_of(priced, bill) == (f"USD {bill.least / 2:.2f}", f"USD {bill.most / 2:.2f}")
