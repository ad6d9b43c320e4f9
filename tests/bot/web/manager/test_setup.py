"""The first-run path: a form a step, what is missing always in sight, a test text shown before it goes."""

import re

import pytest

from bot.flows.context import Context
from bot.flows.setting_up import TITLES
from bot.flows.settings import set_practice
from bot.store import practices
from tests.support.browsing import Browser
from tests.support.cast import MONDAY_NOON, PHONES, Riverside

NOW = MONDAY_NOON
DANGER = {
    "duty_name": "Dana", "duty_email": "dana@riverside.example", "duty_phone": "(202) 555-0188",
    "duty_hours": "Mon-Fri 8-20", "local_lines": "call 911, or call/text 988",
    "second_name": "", "second_email": "", "second_phone": "",
}  # fmt: skip
HOURS = {"opens": "10:00", "closes": "18:00", "days": ["mon", "tue", "wed"]}


@pytest.fixture
def dana(ctx: Context, practice: Riverside) -> Browser:
    return Browser(ctx, NOW).sign_in(practice.practice.id, "dana@riverside.example")


def stored(practice: Riverside) -> practices.Practice:
    with practice.ctx.store.transaction(write=False) as tx:
        return practices.get(tx, practice.practice.id)


def test_the_overview_names_every_step_and_what_it_lacks(dana: Browser) -> None:
    page = dana.get("/setup").text
    assert all(title in page for title in TITLES.values())
    assert "Lacks when that person can be reached, what clients may call in an emergency" in page
    assert 'Next: <a href="/setup/hours">' in page


def test_every_step_opens_and_shows_the_others(dana: Browser) -> None:
    for step, title in TITLES.items():
        page = dana.get(f"/setup/{step}")
        assert (page.status_code, f"<h1>{title}</h1>" in page.text) == (200, True)
        assert page.text.count('href="/setup/') >= len(TITLES) - 1


def test_a_step_that_there_is_not_is_missing(dana: Browser) -> None:
    assert dana.get("/setup/nonsense").status_code == 404


def test_the_whole_path_leads_from_step_to_step_to_the_first_check_in(dana: Browser, practice: Riverside) -> None:
    named = {"name": "Riverside Rooms", "country": "US", "timezone": "America/Chicago", "language": "en"}
    assert dana.post("/setup/practice", named).headers["Location"] == "/setup/hours"
    assert dana.post("/setup/hours", HOURS).headers["Location"] == "/setup/danger"
    assert dana.post("/setup/danger", DANGER).headers["Location"] == "/setup/fairness"
    assert dana.post("/setup/fairness", {"not_for_appraisal": "yes"}).headers["Location"] == "/setup/test"
    assert "Everything is there." in dana.get("/setup").text
    practice.visit("Ana", NOW, now=NOW)
    page = " ".join(re.sub(r"<[^>]+>", " ", dana.get("/setup").text).split())
    assert "Riverside Rooms is ready" in page
    assert "The first check-in goes to client C-Ana on 7 September 2026, 1:00 pm" in page
    found = stored(practice)
    assert (found.name, found.timezone, found.schedule) == (
        "Riverside Rooms", "America/Chicago", {"hours": "10:00-18:00", "days": "mon,tue,wed"},
    )  # fmt: skip
    whos = {row["who"] for row in practice.rows("select who from audit where what like 'settings%'")}
    assert whos == {practice.staff["Dana"]}


def test_a_bad_value_is_told_at_its_field_with_what_was_typed(dana: Browser, practice: Riverside) -> None:
    before = stored(practice)
    page = dana.post("/setup/danger", {**DANGER, "duty_phone": "12", "second_name": "Ines"})
    assert page.status_code == 422
    assert 'id="duty_phone-error">This is not a phone number' in page.text
    assert 'value="12"' in page.text
    assert "Nothing was changed yet" in page.text
    page = dana.post("/setup/hours", {**HOURS, "opens": "19:00"})
    assert (page.status_code, "Give two times of day" in page.text) == (422, True)
    assert stored(practice) == before


def test_how_soon_the_second_contact_is_told_is_chosen_on_the_page(dana: Browser, ctx: Context) -> None:
    assert 'value="15" selected' in dana.get("/setup/danger").text
    dana.post("/setup/danger", {**DANGER, "second_contact_minutes": "0"})
    assert 'value="0" selected>together with the therapist' in dana.get("/setup/danger").text
    late = dana.post("/setup/danger", {**DANGER, "second_contact_minutes": "16"})
    assert (late.status_code, 'id="second_contact_minutes-error">' in late.text) == (422, True)


def test_a_contact_left_empty_takes_a_role_away_only_where_somebody_held_it(dana: Browser, ctx: Context) -> None:
    second = {"second_name": "Ines", "second_email": "ines@riverside.example", "second_phone": ""}
    dana.post("/setup/danger", {**DANGER, **second})
    assert 'value="ines@riverside.example"' in dana.get("/setup/danger").text
    dana.post("/setup/danger", DANGER)
    assert 'value="ines@riverside.example"' not in dana.get("/setup/danger").text


def test_the_texts_are_shown_with_a_name_before_it_is_saved(dana: Browser, practice: Riverside) -> None:
    page = dana.post("/setup/sender", {"sms_name": "River", "segment_price": "", "segment_currency": "", "look": "1"})
    assert page.status_code == 200
    assert "River: Hello." in page.text
    assert "3 segments" in page.text
    assert stored(practice).sms_name == "Riverside"
    bad = dana.post("/setup/sender", {"sms_name": "Riverside Counseling Rooms", "look": "1"})
    assert (bad.status_code, "at most 16" in bad.text) == (422, True)


def test_no_secret_of_the_installation_is_on_any_page(dana: Browser, ctx: Context) -> None:
    for step in ("", *(f"/{name}" for name in TITLES)):
        page = dana.get(f"/setup{step}").text
        assert ctx.config.twilio_auth_tokens[0] not in page
        assert ctx.config.twilio_account_sid not in page
        assert ctx.config.secrets[0] not in page
        assert ctx.config.smtp_url not in page


def test_a_therapist_is_added_and_gets_a_mail(dana: Browser, practice: Riverside) -> None:
    new = {"therapist_name": "Mira", "therapist_email": "mira@riverside.example"}
    assert dana.post("/setup/therapists", new).status_code == 303
    assert "There are 3 therapists" in dana.get("/setup/therapists").text
    bad = dana.post("/setup/therapists", {"therapist_name": "Nobody", "therapist_email": "nobody"})
    assert bad.status_code == 422
    assert 'value="Nobody"' in bad.text


def test_a_test_text_is_shown_first_and_sent_when_that_is_confirmed(dana: Browser, practice: Riverside) -> None:
    shown = dana.post("/setup/test", {"number": "202 555 0177"})
    assert "+12025550177" in shown.text
    assert "(Test) Riverside" in shown.text
    assert practice.rows("select * from outbox") == []
    assert dana.post("/setup/test", {"number": "+12025550177", "confirmed": "1"}).status_code == 303
    assert practice.rows("select kind, state from outbox") == [{"kind": "test_text", "state": "due"}]
    page = dana.post("/setup/test", {"number": PHONES["Ana"], "confirmed": "1"})
    assert (page.status_code, "belongs to a client" in page.text) == (422, True)
    assert len(practice.rows("select id from outbox")) == 1


def test_therapists_do_not_set_the_practice_up(ctx: Context, practice: Riverside) -> None:
    theo = Browser(ctx, NOW).sign_in(practice.practice.id, "theo@riverside.example")
    assert [theo.get(path).status_code for path in ("/setup", "/setup/sender")] == [404, 404]
    assert theo.post("/setup/fairness", {"not_for_appraisal": "yes"}).status_code == 404


MAILS = {"alert_client": "initials", "alert_picture": "yes", "supervisor_after_days": "4",
         "privacy_name": "Pia", "privacy_email": "pia@riverside.example"}  # fmt: skip


def test_what_mails_to_staff_say_is_chosen_on_a_page_and_audited(dana: Browser, practice: Riverside) -> None:
    shown = dana.get("/setup/mails").text
    assert 'value="none" checked' in shown
    assert "Mails about danger never name anybody" in shown
    assert dana.post("/setup/mails", MAILS).headers["Location"] == "/setup/mails"
    kept = stored(practice).settings
    assert [kept[key] for key in ("alert_client", "alert_picture", "supervisor_after_days")] == ["initials", "yes", "4"]
    shown = dana.get("/setup/mails").text
    assert 'value="initials" checked' in shown
    assert 'value="pia@riverside.example"' in shown
    dana.post("/setup/mails", {**MAILS, "alert_picture": "no"})
    assert (
        "Nothing was different."
        in dana.post("/setup/mails", {**MAILS, "alert_picture": "no"}, follow_redirects=True).text
    )
    told = [row["what"] for row in practice.rows("select what from audit where what like 'settings%' order by at, id")]
    assert told == [f"settings: {', '.join(MAILS)}", "settings: alert_picture"]


def test_a_choice_that_there_is_not_is_told_at_its_field(dana: Browser, practice: Riverside) -> None:
    before = stored(practice)
    for key, value in (("alert_client", "surname"), ("supervisor_after_days", "1"), ("privacy_email", "pia")):
        page = dana.post("/setup/mails", {**MAILS, key: value})
        assert (page.status_code, f'id="{key}-error"' in page.text) == (422, True)
    assert stored(practice) == before


def test_the_privacy_contact_is_named_and_let_go(dana: Browser, practice: Riverside) -> None:
    dana.post("/setup/mails", MAILS)
    sql = "select person_id from person_role where role = 'privacy'"
    [pia] = practice.rows(sql)
    page = dana.post("/setup/mails", {**MAILS, "privacy_name": "Pia Q."})
    assert (page.status_code, 'id="privacy_name-error"' in page.text) == (422, True), (
        "they are renamed on their own page"
    )
    assert practice.rows(sql) == [pia]
    dana.post("/setup/mails", {**MAILS, "privacy_email": "pia.two@riverside.example"})
    shown = dana.get("/setup/mails").text
    assert 'value="pia.two@riverside.example"' in shown
    assert 'value="Pia"' in shown
    dana.post("/setup/mails", {**MAILS, "privacy_email": ""})
    assert practice.rows(sql) == []


def test_minutes_that_a_command_set_stay_chosen_on_the_page(dana: Browser, practice: Riverside) -> None:
    """A form that didn't offer them would change them when it is saved for something else."""
    set_practice(practice.ctx, practice.practice, {"second_contact_minutes": "7"}, NOW)
    [select] = re.findall(r'<select id="second_contact_minutes".*?</select>', dana.get("/setup/danger").text, re.DOTALL)
    assert re.findall(r'value="(\d+)"', select) == ["0", "5", "7", "10", "15"]
    assert re.findall(r'value="(\d+)" selected', select) == ["7"]
    dana.post("/setup/danger", {**DANGER, "second_contact_minutes": "7"})
    assert stored(practice).settings["second_contact_minutes"] == "7"


def test_more_digits_than_a_number_can_have_are_refused_in_words(dana: Browser) -> None:
    page = dana.post("/setup/danger", {**DANGER, "second_contact_minutes": "9" * 5_000})
    assert (page.status_code, 'id="second_contact_minutes-error">' in page.text) == (422, True)
