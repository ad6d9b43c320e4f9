"""The second step: codes of an app, recovery codes, passkeys; each works once, and nothing opens before it."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.flows import accounts_passkeys, accounts_second
from bot.flows.accounts_second import BadCode
from bot.flows.context import Context
from bot.store import people, sign_ins
from tests.conftest import PUBLIC_URL
from tests.support.browsing import Browser
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.letters import letters
from tests.support.signing_in import App, Device, add_passkey, me, use_passkey, with_app

THEO = "theo@riverside.example"
STEP = "/account/second-factor"


def browser_of(practice: Riverside, name: str = "Theo", strong: bool = False) -> Browser:
    browser = Browser(practice.ctx, MONDAY_NOON)
    return browser.sign_in(practice.practice.id, f"{name.lower()}@riverside.example", strong)


def offered(page: str) -> tuple[str, App]:
    """What the page that sets up an app carries: the sealed secret of its form, and an app that scanned its picture."""
    sealed, secret = re.search(r'name="sealed" value="([^"]+)"', page), re.search(r'class="secret">([A-Z2-7 ]+)<', page)
    assert sealed
    assert secret
    return sealed[1], App(secret[1].replace(" ", ""))


def test_an_app_is_set_up_by_its_first_code_and_gives_eight_recovery_codes_once(practice: Riverside) -> None:
    browser = browser_of(practice)
    page = browser.get(STEP).text
    assert 'src="data:image/svg+xml' in page
    sealed, app = offered(page)
    refused = browser.post(f"{STEP}/app", {"sealed": sealed, "code": "000000"})
    assert refused.status_code == 422
    assert offered(refused.text) == (sealed, app), "whoever mistyped goes on with the same secret"
    done = browser.post(f"{STEP}/app", {"sealed": sealed, "code": app.code(MONDAY_NOON)})
    codes = re.findall(r"<code>([a-z2-9-]{14})</code>", done.text)
    assert (done.status_code, len(set(codes))) == (200, 8)
    page = browser.get("/account").text
    assert "8 left" in page
    assert codes[0] not in page
    assert "second step" in letters(practice)[-1].body
    again = browser.post(f"{STEP}/app", {"sealed": sealed, "code": app.code(MONDAY_NOON, 1)})
    assert again.status_code == 422, "going back and sending the form again replaces nothing"


def test_setting_it_up_changes_the_browsers_secret(practice: Riverside) -> None:
    """Whoever had the weak session's cookie has nothing."""
    browser = browser_of(practice)
    with browser.client.session_transaction() as session:
        before = session["sign_in"]
    sealed, app = offered(browser.get(STEP).text)
    browser.post(f"{STEP}/app", {"sealed": sealed, "code": app.code(MONDAY_NOON)})
    with practice.ctx.store.transaction(write=False) as tx:
        assert sign_ins.find(tx, before, MONDAY_NOON) is None
    assert browser.get("/account").status_code == 200


def test_a_code_works_once_and_no_older_one_after_it(practice: Riverside) -> None:
    app = with_app(practice, "Theo", MONDAY_NOON)
    assert browser_of(practice).post(STEP, {"code": app.code(MONDAY_NOON)}).status_code == 303
    for ahead in (0, -1):
        assert browser_of(practice).post(STEP, {"code": app.code(MONDAY_NOON, ahead)}).status_code == 422
    assert browser_of(practice).post(STEP, {"code": app.code(MONDAY_NOON, 1)}).status_code == 303


@pytest.mark.parametrize("ahead", [-2, 2, 40])
def test_a_code_of_another_time_opens_nothing(practice: Riverside, ahead: int) -> None:
    app = with_app(practice, "Theo", MONDAY_NOON)
    assert browser_of(practice).post(STEP, {"code": app.code(MONDAY_NOON, ahead)}).status_code == 422


@pytest.mark.parametrize("code", ["", "12345", "abcdef", "١٢٣٤٥٦", "0" * 5000, "\x00", "-", "[]"])
def test_what_is_no_code_opens_nothing(practice: Riverside, code: str) -> None:
    with_app(practice, "Theo", MONDAY_NOON)
    browser = browser_of(practice)
    assert browser.post(STEP, {"code": code}).status_code == 422
    assert browser.get("/account").location == STEP


def test_a_recovery_code_works_once_however_it_is_typed_and_its_owner_is_told(practice: Riverside) -> None:
    ctx = practice.ctx
    with_app(practice, "Theo", MONDAY_NOON)
    first, *_ = accounts_second.new_codes(ctx, me(practice, "Theo", MONDAY_NOON), MONDAY_NOON)
    browser = browser_of(practice)
    assert browser.post(STEP, {"code": first.upper().replace("-", " ")}).status_code == 303
    assert "7 left" in browser.get("/account").text
    assert "recovery code was used" in letters(practice)[-1].body
    assert browser_of(practice).post(STEP, {"code": first}).status_code == 422


def test_new_recovery_codes_end_the_old_ones(practice: Riverside) -> None:
    with_app(practice, "Theo", MONDAY_NOON)
    who = me(practice, "Theo", MONDAY_NOON)
    old, *_ = accounts_second.new_codes(practice.ctx, who, MONDAY_NOON)
    browser = browser_of(practice, strong=True)
    assert browser.post(f"{STEP}/codes").status_code == 200
    assert browser_of(practice).post(STEP, {"code": old}).status_code == 422


def test_guessing_codes_ends_soon(practice: Riverside) -> None:
    """Six a quarter of an hour and twenty a day for one person, however many browsers; colleagues go on."""
    app = with_app(practice, "Theo", MONDAY_NOON)
    browser = browser_of(practice)
    tried = [browser.post(STEP, {"code": "000000"}).status_code for _ in range(7)]
    assert tried == [422] * 6 + [429]
    refused = browser_of(practice).post(STEP, {"code": app.code(MONDAY_NOON)})
    assert refused.status_code == 429
    assert "15 minutes" in refused.text
    assert refused.headers["Retry-After"] == "900"
    other = with_app(practice, "Ines", MONDAY_NOON)
    assert browser_of(practice, "Ines").post(STEP, {"code": other.code(MONDAY_NOON)}).status_code == 303
    later = browser_of(practice)
    later.clock.time += timedelta(minutes=14, seconds=59)
    assert later.post(STEP, {"code": "000000"}).status_code == 429
    later.clock.time = MONDAY_NOON + timedelta(minutes=15)
    assert later.post(STEP, {"code": "000000"}).status_code == 422


def test_half_way_in_nothing_can_be_set_up_or_taken_away(practice: Riverside) -> None:
    """Whoever reads somebody's mail can't put a second step of their own in place of theirs."""
    with_app(practice, "Theo", MONDAY_NOON)
    browser, half = browser_of(practice), replace(me(practice, "Theo", MONDAY_NOON, False), has_second=True)
    for path in ("app", "codes"):
        assert browser.post(f"{STEP}/{path}", {"code": "1"}).location == STEP
    for path in ("/account/password", "/account/passkeys/options", "/account/passkeys", "/account/sessions/end-others"):
        assert browser.post(path).location == STEP
    offer = accounts_second.offer(practice.ctx, half)
    with pytest.raises(BadCode):
        accounts_second.set_up(
            practice.ctx, half, offer.sealed, App(offer.secret).code(MONDAY_NOON), "a test", MONDAY_NOON
        )
    with pytest.raises(accounts_passkeys.BadPasskey):
        accounts_passkeys.ask_to_add(practice.ctx, half)


def test_one_persons_offered_secret_sets_up_nothing_for_another(practice: Riverside) -> None:
    offer = accounts_second.offer(practice.ctx, me(practice, "Theo", MONDAY_NOON))
    with pytest.raises(BadCode):
        accounts_second.offer(practice.ctx, me(practice, "Ines", MONDAY_NOON), offer.sealed)
    assert browser_of(practice, "Ines").post(f"{STEP}/app", {"sealed": "x.y", "code": "1"}).status_code == 422


def test_a_passkey_signs_in_both_steps_at_once(practice: Riverside) -> None:
    device, browser = Device(PUBLIC_URL), browser_of(practice)
    assert add_passkey(browser, device, "work laptop").json == {"go": "/account"}
    page = browser.get("/account").text
    assert "work laptop" in page
    assert "No recovery codes yet" in page
    stranger = Browser(practice.ctx, MONDAY_NOON)
    stranger.get("/sign-in", query_string={"back": "/caseload"})
    assert use_passkey(stranger, device).json == {"go": "/caseload"}
    assert stranger.get("/account").status_code == 200


def test_a_passkey_that_does_not_ask_who_holds_it_is_refused(practice: Riverside) -> None:
    """Without finger, face or lock it would be one step only."""
    assert add_passkey(browser_of(practice), Device(PUBLIC_URL, verifies=False)).status_code == 422
    device = Device(PUBLIC_URL)
    add_passkey(browser_of(practice), device)
    device.verifies = False
    assert use_passkey(Browser(practice.ctx, MONDAY_NOON), device).status_code == 422


def test_a_passkey_of_another_site_or_nobodys_opens_nothing(practice: Riverside) -> None:
    device = Device(PUBLIC_URL)
    add_passkey(browser_of(practice), device)
    copied = replace(device, origin="https://evil.example")
    forged = replace(Device(PUBLIC_URL), id=device.id)
    for bad in (copied, forged, Device(PUBLIC_URL)):
        assert use_passkey(Browser(practice.ctx, MONDAY_NOON), bad).status_code == 422


def test_an_answer_works_once_for_its_own_question_and_soon(practice: Riverside) -> None:
    device = Device(PUBLIC_URL)
    add_passkey(browser_of(practice), device)
    browser = Browser(practice.ctx, MONDAY_NOON)
    options = browser.send("/sign-in/passkey/options", {}).text
    with browser.client.session_transaction() as session:
        asked = session["passkey"]
    answer = device.signed(options)
    assert browser.send("/sign-in/passkey", answer).status_code == 200
    for replayed in (answer, replace(device, count=50).signed(options)):
        again = Browser(practice.ctx, MONDAY_NOON)
        assert again.send("/sign-in/passkey", replayed).status_code == 422, "without the question"
        with again.client.session_transaction() as session:
            session["passkey"] = asked
        assert again.send("/sign-in/passkey", replayed).status_code == 422, "with a copied cookie"
    late = Browser(practice.ctx, MONDAY_NOON)
    options = late.send("/sign-in/passkey/options", {}).text
    late.clock.time += timedelta(minutes=6)
    assert late.send("/sign-in/passkey", device.signed(options)).status_code == 422


def test_a_copied_passkey_shows_by_its_counter(practice: Riverside) -> None:
    device = Device(PUBLIC_URL)
    add_passkey(browser_of(practice), device)
    copy = replace(device)
    for _ in range(3):
        assert use_passkey(Browser(practice.ctx, MONDAY_NOON), device).status_code == 200
    assert use_passkey(Browser(practice.ctx, MONDAY_NOON), copy).status_code == 422


@pytest.mark.parametrize(
    "answer", [None, [], "x", {"id": 5}, {"id": "\x00"}, {"id": "a" * 9000}, {"id": "é", "response": 1}]
)
def test_nonsense_from_a_browser_is_refused_in_words(practice: Riverside, answer: object) -> None:
    stranger, browser = Browser(practice.ctx, MONDAY_NOON), browser_of(practice)
    stranger.send("/sign-in/passkey/options", {})
    browser.send("/account/passkeys/options", {})
    for path, who in (("/sign-in/passkey", stranger), ("/account/passkeys", browser)):
        refused = who.send(path, answer)
        assert refused.status_code == 422
        assert refused.json
        assert refused.json["problem"]


def test_a_leavers_passkey_opens_nothing(practice: Riverside) -> None:
    device = Device(PUBLIC_URL)
    add_passkey(browser_of(practice), device)
    with practice.ctx.store.transaction() as tx:
        people.set_active(tx, practice.practice.id, practice.staff["Theo"], False)
    assert use_passkey(Browser(practice.ctx, MONDAY_NOON), device).status_code == 422


def test_the_only_second_step_of_whoever_sees_ratings_stays(practice: Riverside) -> None:
    """A manager may go back to mailed links; a therapist's last passkey goes only once an app is set up."""
    found = {}
    for name in ("Theo", "Dana"):
        browser = browser_of(practice, name)
        add_passkey(browser, Device(PUBLIC_URL))
        removal = re.search(r"/account/passkeys/[0-9a-f]+/remove", browser.get("/account").text)
        assert removal
        browser.post(removal[0])
        found[name] = "None yet. A passkey" in browser.get("/account").text
    assert found == {"Theo": False, "Dana": True}


def test_a_passkey_is_removed_by_its_owner_alone(practice: Riverside) -> None:
    browser = browser_of(practice)
    add_passkey(browser, Device(PUBLIC_URL))
    removal = re.search(r"/account/passkeys/[0-9a-f]+/remove", browser.get("/account").text)
    assert removal
    assert browser_of(practice, "Ines").post(removal[0]).status_code == 404
    sealed, app = offered(browser.get(STEP).text)
    browser.post(f"{STEP}/app", {"sealed": sealed, "code": app.code(MONDAY_NOON)})
    assert browser.post(removal[0]).status_code == 303
    assert browser.post(removal[0]).status_code == 404


def test_nothing_of_a_second_step_is_readable_in_the_database(ctx: Context, practice: Riverside) -> None:
    app = with_app(practice, "Theo", MONDAY_NOON)
    codes = accounts_second.new_codes(ctx, me(practice, "Theo", MONDAY_NOON), MONDAY_NOON)
    add_passkey(browser_of(practice, "Ines"), Device(PUBLIC_URL), "a name of my own")
    told = str(practice.rows("select * from account") + practice.rows("select * from passkey"))
    for secret in (app.secret, *codes, *(code.replace("-", "") for code in codes), "a name of my own"):
        assert secret not in told
