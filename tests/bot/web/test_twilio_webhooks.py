"""Twilio's webhooks: what it really signed is taken in once; everything else is refused and leaves no row."""

import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from bot.flows.context import Context
from bot.web.app import create_app
from surveys import replies
from tests.conftest import ACCOUNT_SID, PUBLIC_URL, SENDER, TOKEN
from tests.support.cast import PHONES, Riverside
from tests.support.talk import Talk, at

NOON = at("09-07 12:00")
SID = "SM" + "1" * 32
SMS, STATUS = "/webhooks/twilio/sms", "/webhooks/twilio/status"
# As Twilio posts it: https://www.twilio.com/docs/messaging/guides/webhook-request
TEXT = {
    "ToCountry": "US", "ToState": "", "SmsMessageSid": SID, "NumMedia": "0", "ToCity": "", "FromZip": "10001",
    "SmsSid": SID, "FromState": "NY", "SmsStatus": "received", "FromCity": "NEW YORK", "Body": "5 4 5",
    "FromCountry": "US", "To": SENDER, "ToZip": "", "NumSegments": "1", "MessageSid": SID,
    "AccountSid": ACCOUNT_SID, "From": PHONES["Ana"], "ApiVersion": "2010-04-01",
}  # fmt: skip
IDS = ("MessageSid", "SmsSid", "SmsMessageSid")
REPORT = {
    "SmsSid": SID, "SmsStatus": "delivered", "MessageStatus": "delivered", "To": PHONES["Ana"], "MessageSid": SID,
    "AccountSid": ACCOUNT_SID, "From": SENDER, "ApiVersion": "2010-04-01",
}  # fmt: skip


class Stopped:
    """A clock that shows one time."""

    def now(self) -> datetime:
        return NOON

    def report(self, who: str, *, busy: bool, next_due: int | None) -> None:
        """Nobody waits."""


@pytest.fixture
def talk(ctx: Context, practice: Riverside) -> Talk:
    return Talk(ctx, practice)


@pytest.fixture
def web(ctx: Context, practice: Riverside) -> FlaskClient:
    return browser(ctx)


def browser(ctx: Context, **config: Any) -> FlaskClient:
    changed = replace(ctx, config=replace(ctx.config, **config))
    return create_app(changed, Stopped()).test_client()


def signed(fields: Mapping[str, Any], url: str = PUBLIC_URL + SMS, token: str = TOKEN, algorithm: str = "") -> str:
    """X-Twilio-Signature by Twilio's own library."""
    return str(RequestValidator(token).compute_signature(url, MultiDict(fields), algorithm or None))


def post(web: FlaskClient, fields: Mapping[str, Any], signature: str | None = None, path: str = SMS) -> TestResponse:
    """A form post, rightly signed unless a signature is given."""
    signature = signed(fields, PUBLIC_URL + path) if signature is None else signature
    return web.post(path, data=fields, headers={"X-Twilio-Signature": signature})


def refused(talk: Talk, answer: TestResponse) -> bool:
    """403, and not a row of it anywhere."""
    return (answer.status_code, rows(talk)) == (403, (0, 0, 0))


def rows(talk: Talk) -> tuple[int, ...]:
    return tuple(len(talk.practice.rows(f"select 1 from {table}")) for table in ("inbox", "outbox", "answer"))


# ---------------------------------------------------------------------------------- taken in


def test_a_signed_text_is_stored_and_answered_through_the_outbox(talk: Talk, web: FlaskClient) -> None:
    talk.asked("Ana", NOON)
    answer = post(web, TEXT)
    assert (answer.status_code, answer.mimetype, answer.text) == (200, "text/xml", "<Response/>")
    assert talk.answers("Ana") == {"heard": 5, "respected": 4, "understood": 5}
    assert talk.said("Ana") == ["thanks"]


def test_the_same_text_again_is_taken_and_changes_nothing(talk: Talk, web: FlaskClient) -> None:
    talk.asked("Ana", NOON)
    assert [post(web, TEXT).status_code for _ in range(3)] == [200] * 3
    assert rows(talk) == (1, 1, 3)


def test_the_same_text_many_times_at_once_counts_once(talk: Talk, ctx: Context) -> None:
    talk.asked("Ana", NOON)
    app, signature, codes, go = browser(ctx).application, signed(TEXT), [], threading.Barrier(8)

    def deliver() -> None:
        go.wait()
        codes.append(post(app.test_client(), TEXT, signature).status_code)

    threads = [threading.Thread(target=deliver) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (codes, rows(talk)) == ([200] * 8, (1, 1, 3))


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("", ""),
        ("5 4 5\x00", "5 4 5"),
        ("\u202e5 4 5\u202c", "\u202e5 4 5\u202c"),
        ("x" * 1600, "x" * 1600),
        ("💯 ¿qué?\n5", "💯 ¿qué?\n5"),
        ("a&b=c+d%20e", "a&b=c+d%20e"),
        ("From Body To MessageSid From+1", "From Body To MessageSid From+1"),
    ],
    ids=["empty", "nul", "rtl", "1,600", "emoji", "escapes", "names of fields"],
)
def test_odd_text_is_kept(talk: Talk, web: FlaskClient, body: str, kept: str) -> None:
    assert post(web, {**TEXT, "Body": body}).status_code == 200
    assert [each.body for each in talk.kept("Ana")] == [kept]


def test_half_an_emoji_in_raw_bytes_is_no_fault(talk: Talk, web: FlaskClient) -> None:
    """Bytes that are no UTF-8 stay escaped, and are good if signed as they are read."""
    read_as = {**TEXT, "Body": "5 4 5 %ED%A0%BD"}
    raw = urlencode({**TEXT, "Body": ""}).replace("Body=", "Body=5+4+5+%ED%A0%BD")
    headers = {"X-Twilio-Signature": signed(read_as), "Content-Type": "application/x-www-form-urlencoded"}
    assert web.post(SMS, data=raw, headers=headers).status_code == 200
    assert len(talk.kept("Ana")) == 1
    forged = web.post(SMS, data=raw, headers={**headers, "X-Twilio-Signature": signed(TEXT)})
    assert forged.status_code == 403


def test_the_providers_word_on_opting_out_is_heeded(talk: Talk, web: FlaskClient) -> None:
    assert post(web, {**TEXT, "Body": "Stop please", "OptOutType": "STOP"}).status_code == 200
    assert talk.practice.client("Ana").stopped
    assert talk.said("Ana") == []


def test_fields_that_twilio_may_add_one_day_are_no_reason_to_refuse(talk: Talk, web: FlaskClient) -> None:
    assert post(web, {**TEXT, "AddOns": '{"status": "successful"}', "SpamScore": "0.1", "Zone": ""}).status_code == 200


def test_a_picture_without_words_is_kept(talk: Talk, web: FlaskClient) -> None:
    sid = "MM" + "2" * 32
    media = {"NumMedia": "1", "MediaUrl0": "https://api.twilio.com/x", "MediaContentType0": "image/jpeg", "Body": ""}
    assert post(web, {**TEXT, **media, "MessageSid": sid, "SmsSid": sid, "SmsMessageSid": sid}).status_code == 200
    assert len(talk.kept("Ana")) == 1


def test_a_fault_in_reading_is_still_answered_200_and_told(
    talk: Talk, web: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> Any:
        raise RecursionError

    monkeypatch.setattr(replies, "parse", broken)
    assert post(web, TEXT).status_code == 200
    assert [each.kind for each in talk.kept("Ana")] == ["unread"]
    assert talk.alerts() == [("danger", "Ana")]


def test_a_fault_of_the_store_is_answered_500_and_leaves_nothing(
    talk: Talk, ctx: Context, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> Any:
        raise OSError("disk full while keeping: 5 4 5")

    monkeypatch.setattr("bot.store.inbox.remember", full)
    answer = post(browser(ctx), TEXT)
    assert answer.status_code == 500
    told = answer.text + capsys.readouterr().err
    assert not [word for word in ("5 4 5", PHONES["Ana"], PHONES["Ana"][1:]) if word in told]
    assert rows(talk) == (0, 0, 0)


# ---------------------------------------------------------------------------------- who signed it


@pytest.mark.parametrize(
    "signature",
    ["", "x", "é" * 28, "=" * 5000, signed(TEXT, token="another"), signed(TEXT)[:-1], signed({}) + signed(TEXT)],
)
@pytest.mark.parametrize(("path", "fields"), [(SMS, TEXT), (STATUS, REPORT)])
def test_without_a_true_signature_nothing_is_taken(
    talk: Talk, web: FlaskClient, signature: str, path: str, fields: dict[str, str]
) -> None:
    assert refused(talk, post(web, fields, signature.encode().decode("latin-1"), path))


def test_without_any_signature_nothing_is_taken(talk: Talk, web: FlaskClient) -> None:
    assert refused(talk, web.post(SMS, data=TEXT))
    assert refused(talk, web.post(STATUS, data=REPORT))


@pytest.mark.parametrize("name", [*TEXT, "OptOutType"])
def test_a_changed_field_is_refused(talk: Talk, web: FlaskClient, name: str) -> None:
    changed = {**TEXT, name: TEXT.get(name, "") + "1"}
    assert refused(talk, post(web, changed, signed(TEXT)))


@pytest.mark.parametrize("name", TEXT)
def test_a_field_left_out_is_refused(talk: Talk, web: FlaskClient, name: str) -> None:
    if TEXT[name]:
        assert refused(talk, post(web, {k: v for k, v in TEXT.items() if k != name}, signed(TEXT)))


@pytest.mark.parametrize("url", ["http://elsewhere.example" + SMS, "https://attune.example" + SMS, PUBLIC_URL + STATUS])
def test_what_was_signed_for_another_address_is_refused(talk: Talk, web: FlaskClient, url: str) -> None:
    assert refused(talk, post(web, TEXT, signed(TEXT, url)))


def test_the_host_that_a_request_claims_does_not_matter(talk: Talk, web: FlaskClient) -> None:
    """Behind a proxy it is another one; and whoever sends the request could write anything there."""
    hosts = {"Host": "elsewhere.example", "X-Forwarded-Host": "third.example", "X-Forwarded-Proto": "https"}
    forged = signed(TEXT, "https://third.example" + SMS)
    assert refused(talk, web.post(SMS, data=TEXT, headers={**hosts, "X-Twilio-Signature": forged}))
    true = web.post(SMS, data=TEXT, headers={**hosts, "X-Twilio-Signature": signed(TEXT)})
    assert true.status_code == 200


@pytest.mark.parametrize(
    "public_url",
    ["https://practice.example/attune", "https://practice.example:8443/attune", "http://10.0.0.5:5000"],
)
def test_a_public_address_with_a_path_and_a_port_is_what_twilio_signs(
    talk: Talk, ctx: Context, public_url: str
) -> None:
    behind = browser(ctx, public_url=public_url)
    assert refused(talk, post(behind, TEXT, signed(TEXT, "https://practice.example" + SMS)))
    assert post(behind, TEXT, signed(TEXT, public_url + SMS)).status_code == 200


@pytest.mark.parametrize("port", ["", ":443"])
def test_a_default_port_may_be_signed_or_not(talk: Talk, ctx: Context, port: str) -> None:
    """Twilio does it either way."""
    url = f"https://practice.example{port}{SMS}"
    assert post(browser(ctx, public_url="https://practice.example"), TEXT, signed(TEXT, url)).status_code == 200


def test_while_tokens_change_both_are_good_and_later_only_the_new_one(talk: Talk, ctx: Context) -> None:
    changing = browser(ctx, twilio_auth_tokens=("the-new-one", TOKEN))
    assert post(changing, TEXT, signed(TEXT, token="the-new-one")).status_code == 200
    assert post(changing, TEXT, signed(TEXT, token=TOKEN)).status_code == 200
    assert post(browser(ctx, twilio_auth_tokens=("the-new-one",)), TEXT, signed(TEXT)).status_code == 403
    assert post(browser(ctx, twilio_auth_tokens=()), TEXT, signed(TEXT, token="")).status_code == 403


def test_the_newer_signatures_are_good_too_and_unknown_ones_are_not(talk: Talk, web: FlaskClient) -> None:
    settings = {"X-Twilio-Webhooks-Signature-Settings": "key=k1,algorithm=HMAC_SHA256"}
    newer = {"X-Twilio-Signature": signed(TEXT, algorithm="HMAC_SHA256"), **settings}
    unknown = {**newer, "X-Twilio-Webhooks-Signature-Settings": "algorithm=HMAC_MD5"}
    assert refused(talk, web.post(SMS, data=TEXT, headers=unknown))
    assert web.post(SMS, data=TEXT, headers=newer).status_code == 200


def test_another_account_is_refused_although_signed(talk: Talk, web: FlaskClient) -> None:
    assert refused(talk, post(web, {**TEXT, "AccountSid": "AC" + "9" * 32}))


# ---------------------------------------------------------------------------------- the form of each field


@pytest.mark.parametrize(
    "changes",
    [
        dict.fromkeys(IDS, "SM" + "A" * 32), {"MessageSid": SID + "1"}, {"MessageSid": SID[:-1]}, {"MessageSid": ""},
        {"MessageSid": "SM" + "2" * 32}, {"SmsSid": "SM" + "2" * 32}, {"SmsMessageSid": "nonsense"},
        {"MessageSid": SID + "\n"}, {"From": "+1 202 555 0101"}, {"From": "anonymous"}, {"From": ""},
        {"From": PHONES["Ana"] + "\n"}, {"From": "+1٢٠٢٥٥٥٠١٠١"}, {"To": "nobody"}, {"NumMedia": "many"},
        {"NumSegments": "-1"}, {"OptOutType": "MAYBE"}, {"AccountSid": "x"}, {"ApiVersion": "now"},
        {"Body": "x" * 10_001}, {"ErrorCode": "x"}, {"SmsStatus": "RECEIVED!"}, {"a-b": "1"}, {"": "1"}, {"é": "1"},
    ],
    ids=str,
)  # fmt: skip
def test_a_field_in_another_form_is_refused_although_signed(
    talk: Talk, web: FlaskClient, changes: dict[str, str]
) -> None:
    assert refused(talk, post(web, {**TEXT, **changes}))


@pytest.mark.parametrize("name", ["Body", "From", "To", "MessageSid"])
def test_a_text_without_what_it_needs_is_refused_although_signed(talk: Talk, web: FlaskClient, name: str) -> None:
    assert refused(talk, post(web, {k: v for k, v in TEXT.items() if k != name}))


@pytest.mark.parametrize("name", ["Body", "From", "MessageSid", "AccountSid", "Whatever"])
def test_two_values_of_one_field_are_refused_although_signed(talk: Talk, web: FlaskClient, name: str) -> None:
    """Which one would count? The signature covers both in one order only."""
    for values in ([TEXT.get(name, "1"), "2"], [TEXT.get(name, "1")] * 2):
        assert refused(talk, post(web, {**TEXT, name: values}))


@pytest.mark.parametrize("mimetype", ["multipart/form-data", "application/json", "text/plain"])
def test_another_kind_of_body_is_refused(talk: Talk, web: FlaskClient, mimetype: str) -> None:
    data: Any = TEXT if mimetype.startswith("multipart") else urlencode(TEXT)
    for signature in (signed(TEXT), signed({})):
        headers = {"X-Twilio-Signature": signature}
        assert refused(talk, web.post(SMS, data=data, content_type=mimetype, headers=headers))


def test_a_post_too_large_to_be_a_text_is_refused(talk: Talk, web: FlaskClient) -> None:
    answer = post(web, {**TEXT, "Body": "x" * 300_000}, "x")
    assert answer.status_code in (403, 413)
    assert rows(talk) == (0, 0, 0)


def test_the_addresses_take_posts_only(web: FlaskClient) -> None:
    assert [web.get(path).status_code for path in (SMS, STATUS)] == [405, 405]


# ---------------------------------------------------------------------------------- cut elsewhere


def joined(fields: Mapping[str, str]) -> str:
    """What the signature runs over, after the address."""
    return "".join(name + fields[name] for name in sorted(fields))


RECUT = {
    "MessageSid swallows the next field": (
        {},
        {"MessageSid": SID + "NumMedia0"},
        ["NumMedia"],
    ),
    "the text's end becomes a field of its own": (
        {"Body": "5 4 5 C: but not really"},
        {"Body": "5 4 5 ", "C": ": but not really"},
        [],
    ),
    "the text's end becomes a field that we know": (
        {"Body": "I want to dieErrorCode30007"},
        {"Body": "I want to die", "ErrorCode": "30007"},
        [],
    ),
    "the text's beginning becomes a field of its own": (
        {"Body": "dy image: noBody listens"},
        {"Bo": "dydy image: no", "Body": " listens"},
        [],
    ),
    "the text becomes a text from someone else": (
        {"Body": f"stopFrom{PHONES['Ben']}FromA"},
        {"Body": "stop", "From": PHONES["Ben"], "FromA": f"From{PHONES['Ana']}"},
        [],
    ),
    "the sender swallows where they are": ({}, {"From": PHONES["Ana"] + "FromCityNEW YORK"}, ["FromCity"]),
    "a place swallows the sender": (
        {"ApiVersion": "2010-04-01"},
        {"ApiVersion": "2010-04-01Body5 4 5From" + PHONES["Ana"]},
        ["Body", "From"],
    ),
    "the account swallows the version": ({}, {"AccountSid": ACCOUNT_SID + "ApiVersion2010-04-01"}, ["ApiVersion"]),
    "the recipient swallows their country": ({}, {"To": SENDER + "ToCity" + "ToCountryUS"}, ["ToCity", "ToCountry"]),
}


@pytest.mark.parametrize("how", RECUT)
def test_fields_cut_elsewhere_under_the_same_signature_are_refused(talk: Talk, web: FlaskClient, how: str) -> None:
    original_changes, changes, gone = RECUT[how]
    original = {**TEXT, **original_changes}
    recut = {name: value for name, value in {**original, **changes}.items() if name not in gone}
    assert joined(recut) == joined(original), "the signature must cover both for this test to mean anything"
    assert refused(talk, post(web, recut, signed(original)))
    assert post(web, original).status_code == 200


def test_every_cut_of_a_text_into_two_fields_is_refused(talk: Talk, web: FlaskClient) -> None:
    """Wherever its words are cut, with every name that the order allows."""
    body = "CallerId Zoe says nobody From here Cares about Body or To+1 Dr Fromm"
    whole, tried = {**TEXT, "Body": body}, 0
    for start in range(1, len(body)):
        for end in range(start + 1, min(start + 9, len(body) + 1)):
            recut = {**TEXT, "Body": body[:start], body[start:end]: body[end:]}
            if joined(recut) == joined(whole):
                tried += 1
                assert refused(talk, post(web, recut, signed(whole))), (start, end)
    assert tried > 10


@pytest.mark.parametrize(
    "changes",
    [{"MessageStatus": "lost"}, {"MessageSid": "x"}, {"ErrorCode": "3000x"}, {"SmsSid": "SM" + "2" * 32}],
    ids=str,
)
def test_a_status_in_another_form_is_refused(talk: Talk, web: FlaskClient, changes: dict[str, str]) -> None:
    assert refused(talk, post(web, {**REPORT, **changes}, path=STATUS))


@pytest.mark.parametrize("attempt", ["x", "A" * 32, "a" * 33, "a" * 32 + "AccountSid"])
def test_a_status_about_no_attempt_of_ours_is_refused(talk: Talk, web: FlaskClient, attempt: str) -> None:
    path = f"{STATUS}?attempt={attempt}"
    assert refused(talk, post(web, REPORT, path=path))


def test_a_signed_status_is_taken(web: FlaskClient) -> None:
    assert post(web, REPORT, path=f"{STATUS}?attempt={'a' * 32}").status_code == 204
    assert post(web, REPORT, path=STATUS).status_code == 204


def test_a_refusal_is_logged_without_a_word_of_the_request(
    web: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    post(web, {**TEXT, "Body": "my secret", "weird name": "x"})
    post(web, TEXT, "forged")
    logged = capsys.readouterr()
    assert not [word for word in ("secret", PHONES["Ana"], "weird", SID) if word in logged.out + logged.err]
