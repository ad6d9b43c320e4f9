"""One cell at a time: what is taken and how it is written, what is refused and what is said about it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.flows import cells
from bot.flows.cells import BadCell

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def refused(read: Callable[[], object]) -> str:
    """What is said about a cell that isn't taken."""
    with pytest.raises(BadCell) as found:
        read()
    return str(found.value)


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("+1 202 555 0123", "US", "+12025550123"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("202.555.0123", "US", "+12025550123"),
        ("12025550123", "US", "+12025550123"),
        ("011 44 20 7946 0958", "US", "+442079460958"),
        ("\uff0b1\u00a0202\u2011555\u20110123", "US", "+12025550123"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("030/12345678", "DE", "+493012345678"),
        ("+15005550006", "US", "+15005550006"),
        ("  ", "US", ""),
    ],
)
def test_a_phone_number_is_written_one_way(written: str, country: str, number: str) -> None:
    assert cells.phone(written, country) == number


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("555", "not a phone number"),
        ("none", "not a phone number"),
        ("+1 202 555 0123 x44", "has an extension"),
        ("202 555 0123 ext. 44", "has an extension"),
        ("202 555 0123 / 202 555 0124", "phone number"),
        ("202 555 0123, 202 555 0124", "phone number"),
        ("2025550123 (his mother's)", "phone number"),
        ("home 202 555 0123", "one phone number and nothing else"),
        ("2.02555E+09", "phone number"),
        ("+1 111 222 3333", "not a phone number that exists"),
        ("+999 123 4567", "not a phone number"),
        ("0" * 300, "not a phone number"),
    ],
)
def test_what_is_not_one_phone_number_is_refused_without_repeating_it(written: str, words: str) -> None:
    said = refused(lambda: cells.phone(written, "US"))
    assert words in said
    assert written not in said


@given(st.text(max_size=30), st.sampled_from(["US", "GB", "FR"]))
def test_a_phone_cell_is_taken_or_refused_whatever_is_in_it_and_reads_back_as_itself(text: str, country: str) -> None:
    try:
        number = cells.phone(text, country)
    except BadCell:
        return
    assert number == "" or cells.phone(number, country) == number


@pytest.mark.parametrize("written", ["Ana@Clients.Example", " ana@clients.example ", "ANA@CLIENTS.EXAMPLE"])
def test_a_mail_address_is_kept_in_small_letters(written: str) -> None:
    assert cells.mail(written) == "ana@clients.example"


@pytest.mark.parametrize(
    "written",
    [
        *("ana", "ana@", "@clients.example", "ana@clients", "ana@@clients.example", "ana@clients.example, b@c.example"),
        *("Ana <ana@clients.example>", "mailto:ana@clients.example", "ana@clients..example", "an a@clients.example"),
        *("ana@clients.example\u200b", "ana@clïents.example", "añ@clients.example", f"{'a' * 250}@b.example"),
        "ana@clients.example\nBcc: x@y.example",
    ],
)
def test_what_is_no_mail_address_is_refused_without_repeating_it(written: str) -> None:
    said = refused(lambda: cells.mail(written))
    assert said == "is not a mail address; write it as name@example.org"


def test_an_empty_zone_is_the_practices() -> None:
    assert cells.zone(" ", "America/Chicago") == "America/Chicago"
    assert cells.zone("Europe/Paris", "America/Chicago") == "Europe/Paris"


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("america/new_york", "did you mean America/New_York?"),
        ("New York", "did you mean America/New_York?"),
        ("Los Angeles", "did you mean America/Los_Angeles?"),
        ("Eastern Time", "did you mean America/New_York?"),
        ("ET", "did you mean America/New_York?"),
        ("PST", "did you mean America/Los_Angeles?"),
        ("Mars/Olympus", "write it as America/New_York"),
        ("../../etc/passwd", "write it as America/New_York"),
    ],
)
def test_an_unknown_zone_is_refused_with_a_hint(written: str, hint: str) -> None:
    assert refused(lambda: cells.zone(written, "America/New_York")).endswith(hint)


@pytest.mark.parametrize("written", ["EST", "MST", "HST", "Etc/GMT+5", "localtime", "Factory"])
def test_a_zone_that_is_an_hour_wrong_in_summer_or_read_the_wrong_way_round_is_refused(written: str) -> None:
    """Messages would go out beyond the hours on the client's own clock, all summer."""
    assert written in available_timezones() or written == "localtime", "a name must be known to be dangerous"
    refused(lambda: cells.zone(written, "America/New_York"))


@pytest.mark.parametrize(
    ("written", "read"), [("", "en"), ("ES", "es"), ("fr-CA", "fr"), ("en_US", "en"), (" es ", "es")]
)
def test_a_language_is_one_we_write_in(written: str, read: str) -> None:
    assert cells.language(written, "en") == read


def test_another_language_is_refused_with_those_there_are() -> None:
    assert refused(lambda: cells.language("de", "en")).endswith("one of en, es, fr")


@pytest.mark.parametrize(("written", "read"), [("", "sms"), ("SMS", "sms"), ("email", "mail"), ("E-Mail", "mail")])
def test_a_channel_is_text_or_mail(written: str, read: str) -> None:
    assert cells.channel(written) == read
    assert "neither sms nor email" in refused(lambda: cells.channel("fax"))


@pytest.mark.parametrize(
    ("written", "read"),
    [("Attended", "attended"), ("no-show", "no_show"), ("No Show", "no_show"), ("canceled", "cancelled")],
)
def test_a_status_may_be_spelt_as_people_spell_it(written: str, read: str) -> None:
    assert cells.status(written) == read


@pytest.mark.parametrize("written", ["", "atten", "done", "yes"])
def test_any_other_status_is_refused(written: str) -> None:
    assert "one of booked, attended, cancelled, no_show" in refused(lambda: cells.status(written))


@pytest.mark.parametrize(
    "written", ["2026-11-23T10:00:00-05:00", "2026-11-23T15:00Z", "2026-11-23 16:00+01:00", "20261123T150000Z"]
)
def test_a_time_is_the_same_moment_whatever_its_offset(written: str) -> None:
    assert cells.moment(written, NOW) == datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("2026-11-23T10:00:00", "has no offset"),
        ("2026-11-23", "has no offset"),
        ("23.11.2026 10:00", "is not a time"),
        ("2026-13-01T10:00:00Z", "is not a time"),
        ("", "is not a time"),
        ("2062-11-23T10:00:00Z", "more than two years ahead"),
        ("0206-11-23T10:00:00Z", "before the year 2000"),
        ("0001-01-01T00:00:00+05:00", "before the year 2000"),
        ("9999-12-31T23:59:59-05:00", "more than two years ahead"),
    ],
)
def test_a_time_that_cannot_be_meant_is_refused(written: str, words: str) -> None:
    assert words in refused(lambda: cells.moment(written, NOW))


def test_two_years_ahead_is_the_furthest() -> None:
    assert cells.moment((NOW + timedelta(days=731)).isoformat(), NOW) == NOW + timedelta(days=731)
    refused(lambda: cells.moment((NOW + timedelta(days=731, seconds=1)).isoformat(), NOW))


def test_consent_may_be_a_bare_date_which_begins_where_the_practice_is() -> None:
    assert cells.consent("2026-07-01", "America/New_York", NOW) == datetime(2026, 7, 1, 4, 0, tzinfo=UTC)
    assert cells.consent("2026-07-01T09:00:00Z", "America/New_York", NOW) == datetime(2026, 7, 1, 9, tzinfo=UTC)


def test_no_consent_is_a_fact_and_no_mistake() -> None:
    assert cells.consent("  ", "America/New_York", NOW) is None


@pytest.mark.parametrize("written", ["yes", "2026-02-30", "07/01/2026", "2062-07-01", "1926-07-01"])
def test_what_is_no_date_of_consent_is_refused(written: str) -> None:
    refused(lambda: cells.consent(written, "America/New_York", NOW))


@pytest.mark.parametrize("written", ["01/11/2026", "yes", "2026-11-23T10:00"])
def test_for_consent_a_day_is_said_to_be_enough(written: str) -> None:
    assert "a day such as 2026-11-23 is enough" in refused(lambda: cells.consent(written, "America/New_York", NOW))


@given(st.text(max_size=40))
def test_times_and_consent_are_taken_or_refused_whatever_is_written(text: str) -> None:
    for read in (lambda: cells.moment(text, NOW), lambda: cells.consent(text, "Europe/Paris", NOW)):
        try:
            read()
        except BadCell:
            continue


def test_blanks_in_a_name_become_single_spaces() -> None:
    assert cells.text("  Ana \n  Ortiz\u00a0", "a name") == "Ana Ortiz"


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", "is empty; it holds a name"),
        (" \n ", "is empty"),
        ("A\x00na", "isn't text"),
        ("\ud800na", "isn't text"),
        ("\x1b[31mAna", "isn't text"),
        ("a" * 201, "longer than 200"),
    ],
)
def test_a_name_that_cannot_be_one_is_refused(written: str, words: str) -> None:
    assert words in refused(lambda: cells.text(written, "a name"))
