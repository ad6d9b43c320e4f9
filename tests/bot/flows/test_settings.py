"""What a manager sets by KEY=VALUE: the rule, the practice's name and zone, whom to tell of danger."""

import threading
from datetime import timedelta

import pytest

from bot.flows import settings
from bot.flows.context import Context
from bot.flows.settings import KEYS, BadSetting
from bot.store import people, practices
from surveys.schedule import BadSchedule, Schedule
from tests.support.cast import MONDAY_NOON, Riverside

NOW = MONDAY_NOON


def stored(practice: Riverside) -> practices.Practice:
    with practice.ctx.store.transaction(write=False) as tx:
        return practices.get(tx, practice.practice.id)


def shown(practice: Riverside) -> dict[str, str]:
    return settings.show_practice(practice.ctx.store, stored(practice))


def change(practice: Riverside, **changes: str) -> None:
    settings.set_practice(practice.ctx, practice.practice, changes, NOW)


def refused(practice: Riverside, **changes: str) -> str:
    """What is said about changes that aren't made; nothing may have changed."""
    before = shown(practice)
    with pytest.raises(BadSetting) as found:
        change(practice, **changes)
    assert shown(practice) == before
    return str(found.value)


def test_the_practice_shows_what_holds_where_nothing_was_set(practice: Riverside) -> None:
    """Also where it was set and emptied again."""
    holds = {
        "alert_client": "none",
        "alert_picture": "no",
        "supervisor_after_days": "2",
        "second_contact_minutes": "15",
    }
    assert holds.items() <= shown(practice).items()
    change(practice, alert_client="code", alert_picture="yes", supervisor_after_days="4", second_contact_minutes="0")
    assert shown(practice)["second_contact_minutes"] == "0"
    change(practice, **dict.fromkeys(holds, ""))
    assert holds.items() <= shown(practice).items()


def test_the_rule_shows_every_key_with_its_default(practice: Riverside) -> None:
    rule = settings.show_schedule(practice.practice)
    assert rule == Schedule().show()
    assert (rule["delay_minutes"], rule["hours"], rule["days"]) == ("120", "09:00-20:00", "mon,tue,wed,thu,fri,sat")


def test_what_the_rule_shows_can_be_typed_back_and_changes_nothing(practice: Riverside, ctx: Context) -> None:
    before = settings.show_schedule(practice.practice)
    assert settings.set_schedule(ctx, practice.practice, before, NOW) == before


def test_a_key_that_is_not_named_stays(practice: Riverside, ctx: Context) -> None:
    settings.set_schedule(ctx, practice.practice, {"delay_minutes": "60"}, NOW)
    found = settings.set_schedule(ctx, practice.practice, {"hours": "10:00-18:00"}, NOW)
    assert (found["delay_minutes"], found["hours"], found["expiry_hours"]) == ("60", "10:00-18:00", "72")
    assert stored(practice).schedule == {"delay_minutes": "60", "hours": "10:00-18:00"}


def test_a_bad_value_is_named_by_its_key_and_nothing_changes(practice: Riverside, ctx: Context) -> None:
    with pytest.raises(BadSchedule) as found:
        settings.set_schedule(
            ctx, practice.practice, {"delay_minuts": "60", "digits": "9", "hours": "20:00-09:00", "every": "2"}, NOW
        )
    words = str(found.value)
    assert "Did you mean delay_minutes?" in words
    assert "digits=9" in words
    assert "hours=20:00-09:00" in words
    assert stored(practice).schedule == {}


def test_a_change_moves_what_is_not_yet_sent(practice: Riverside, ctx: Context) -> None:
    practice.visit("Ana", NOW - timedelta(hours=1), now=NOW)
    [before] = practice.check_ins("Ana")
    settings.set_schedule(ctx, practice.practice, {"delay_minutes": "180"}, NOW)
    [after] = practice.check_ins("Ana")
    assert (after.id, after.due_at - before.due_at) == (before.id, timedelta(hours=1))


def test_two_managers_at_once_lose_nothing_of_each_other(practice: Riverside, ctx: Context) -> None:
    """Both had read the practice before either wrote."""
    changes = [{"delay_minutes": "60"}, {"digits": "3"}, {"every": "2"}, {"first": "3"}]
    threads = [
        threading.Thread(target=settings.set_schedule, args=(ctx, practice.practice, each, NOW)) for each in changes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    change(practice, sms_name="River")
    assert stored(practice).schedule == {"delay_minutes": "60", "digits": "3", "every": "2", "first": "3"}


def test_changes_are_written_down_by_key(practice: Riverside, ctx: Context) -> None:
    settings.set_schedule(ctx, practice.practice, {"digits": "3"}, NOW)
    change(practice, duty_email="ines@riverside.example")
    notes = [row["what"] for row in practice.rows("select what from audit order by what")]
    assert notes == ["schedule: digits", "settings: duty_email"]


def test_every_setting_is_shown(practice: Riverside) -> None:
    assert list(shown(practice)) == list(KEYS)


def test_settings_are_stored_and_shown(practice: Riverside) -> None:
    given = {
        "country": "GB",
        "name": "Riverside Rooms",
        "sms_name": "Riverside UK",
        "timezone": "Europe/London",
        "language": "fr",
        "one_false_alarm_in": "100",
        "duty_hours": "Mon-Fri 8-20",
        "local_lines": "call 999, or Samaritans on 116 123",
        "crisis_words": "the bridge, my pills",
        "not_for_appraisal": "yes",
        "duty_name": "Dana Duty",
        "duty_email": "duty@riverside.example",
        "duty_phone": "+442079460958",
    }
    change(practice, **given)
    assert given.items() <= shown(practice).items()


def test_numbers_are_read_as_of_the_country_that_is_set_with_them(practice: Riverside) -> None:
    change(practice, duty_phone="020 7946 0958", duty_name="Dee", duty_email="duty@riverside.example", country="GB")
    assert shown(practice)["duty_phone"] == "+442079460958"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("sms_name", "Riverside Counseling Rooms", "at most 16"),
        ("sms_name", "Riverside’s", "can't have '’'"),
        ("sms_name", " ", "needs a name"),
        ("name", "", "is empty"),
        ("country", "UK", "two letters"),
        ("country", "USA", "two letters"),
        ("timezone", "EST", "did you mean America/New_York?"),
        ("language", "de", "one of en, es, fr"),
        ("one_false_alarm_in", "10", "from 20 to 200"),
        ("one_false_alarm_in", "²", "from 20 to 200"),
        ("one_false_alarm_in", "", "from 20 to 200"),
        ("not_for_appraisal", "no", "either yes or empty"),
        ("local_lines", "call " * 30, "longer than 120"),
        ("crisis_words", "the bridge, i", "less than 3 letters"),
        ("duty_email", "dana", "is not a mail address"),
        ("duty_phone", "12", "is not a phone number"),
        ("duty_name", "\x00", "isn't text"),
        ("supervisor_phone", "+12025550123", "needs supervisor_email beside it"),
        ("duty_emial", "x", "Did you mean duty_email?"),
        ("zzzzzz", "x", "The settings are: country, name"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_and_changes_nothing(
    practice: Riverside, key: str, value: str, words: str
) -> None:
    said = refused(practice, **{key: value, "second_name": "Ines", "second_email": "ines@riverside.example"})
    assert key in said
    assert words in said


def test_every_bad_setting_is_named_at_once(practice: Riverside) -> None:
    said = refused(practice, country="UK", duty_email="dana", zone="x")
    assert len(said.splitlines()) == 3


def test_a_contact_is_replaced_and_an_empty_address_takes_the_role_away(practice: Riverside) -> None:
    change(practice, duty_name="Ines", duty_email="ines@riverside.example", duty_phone="+12025550199")
    found = shown(practice)
    assert (found["duty_name"], found["duty_email"], found["duty_phone"]) == (
        "Ines",
        "ines@riverside.example",
        "+12025550199",
    )
    change(practice, duty_email="")
    assert shown(practice)["duty_email"] == ""
    with practice.ctx.store.transaction(write=False) as tx:
        assert people.by_email(tx, practice.practice.id, "ines@riverside.example"), "the person stays"


def test_a_contacts_field_renames_nobody_who_is_known(practice: Riverside) -> None:
    """Clients know Theo by his name."""
    said = refused(practice, privacy_name="Privacy office", privacy_email="theo@riverside.example")
    assert "what the person with that address is called here, Theo" in said
    change(practice, privacy_email="theo@riverside.example")
    assert shown(practice)["privacy_name"] == "Theo"


def test_somebody_new_needs_a_name_and_is_stored_as_given(practice: Riverside) -> None:
    assert refused(practice, privacy_email="pia@riverside.example").startswith("privacy_name is needed")
    change(practice, privacy_name="Pia Q.", privacy_email="pia@riverside.example")
    assert (shown(practice)["privacy_name"], shown(practice)["privacy_email"]) == ("Pia Q.", "pia@riverside.example")


def test_a_leaver_is_no_contact_until_they_are_taken_back(practice: Riverside) -> None:
    with practice.ctx.store.transaction() as tx:
        people.set_active(tx, practice.practice.id, practice.staff["Ines"], False)
    assert "Ines's, who has left" in refused(practice, second_email="ines@riverside.example")


def test_a_phone_number_is_added_to_whoever_holds_the_role(practice: Riverside) -> None:
    change(practice, duty_phone="+12025550199")
    assert (shown(practice)["duty_email"], shown(practice)["duty_phone"]) == ("dana@riverside.example", "+12025550199")


def test_the_only_practice_needs_no_name_and_is_made_on_first_use(ctx: Context) -> None:
    with ctx.store.transaction() as tx:
        made = settings.find_practice(tx, None, NOW)
        assert settings.find_practice(tx, None, NOW) == made
        assert (made.country, made.timezone, made.language) == ("US", "America/New_York", "en")


def test_among_several_practices_one_must_be_named(practice: Riverside, ctx: Context) -> None:
    with ctx.store.transaction() as tx:
        hillside = settings.find_practice(tx, " Hillside  Rooms ", NOW, create=True)
        assert settings.find_practice(tx, "Hillside Rooms", NOW) == hillside
        with pytest.raises(BadSetting, match="add --practice with one of 'Hillside Rooms', 'Riverside Counseling'"):
            settings.find_practice(tx, None, NOW)
        with pytest.raises(BadSetting, match="no practice called 'Hillsid'"):
            settings.find_practice(tx, "Hillsid", NOW)
        with pytest.raises(BadSetting, match="--practice is empty"):
            settings.find_practice(tx, " ", NOW, create=True)


def test_a_name_that_another_practice_has_is_refused(practice: Riverside, ctx: Context) -> None:
    with ctx.store.transaction() as tx:
        settings.find_practice(tx, "Hillside", NOW, create=True)
    assert "another practice's already" in refused(practice, name="Hillside")
    change(practice, name="Riverside Counseling")


@pytest.mark.parametrize("minutes", [str(n) for n in range(16)])
def test_the_second_contact_may_be_told_at_any_minute_up_to_the_fifteenth(practice: Riverside, minutes: str) -> None:
    change(practice, second_contact_minutes=minutes)
    assert shown(practice)["second_contact_minutes"] == minutes


@pytest.mark.parametrize("minutes", ["-1", "16", "20", "99", "015", "7.5", "five", "\u0664"])
def test_any_other_time_for_the_second_contact_is_refused(practice: Riverside, minutes: str) -> None:
    assert refused(practice, second_contact_minutes=minutes).startswith("second_contact_minutes must be a whole number")
