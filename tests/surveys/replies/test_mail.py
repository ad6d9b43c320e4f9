"""Only the client's own words count, however their mail program quotes ours."""

import pytest

from tests.surveys.replies.reading import read

PLAIN = {"Content-Type": "text/plain; charset=utf-8", "Subject": "Re: How was your visit?"}
HTML = {"Content-Type": "text/html; charset=utf-8", "Subject": "Re: How was your visit?"}
QUOTED = (
    "> 1) heard\n> 2) respected\n> 3) understood\n> Reply like 4 2 5. STOP to stop. In danger call 988 (suicide line)."
)
UNMARKED = QUOTED.replace("> ", "")


@pytest.mark.parametrize(
    "after",
    [
        f"On Tue, Mar 4, 2025 at 5:12 PM Oak <a@oak.example> wrote:\n\n{QUOTED}",
        f"El mar, 4 mar 2025 a las 17:12, Oak (<a@oak.example>)\nescribió:\n\n{QUOTED}",
        f"Am 04.03.2025 um 17:12 schrieb Oak <a@oak.example>:\n{QUOTED}",
        f"2025年3月4日(火) 17:12 Oak <a@oak.example>:\n\n{QUOTED}",
        f"From: Oak <a@oak.example>\nSent: Tuesday, March 4, 2025 5:12 PM\nTo: Ana\nSubject: Visit\n\n{UNMARKED}",
        f"De : Oak\nEnvoyé : mardi 4 mars 2025 17:12\nÀ : Ana\nObjet : Visite\n\n{UNMARKED}",
        f"-----Original Message-----\nFrom: a@oak.example\n\n{UNMARKED}",
        f"Sent from my Pixel 4a (5G)\n\nOn 3/4/25 5:12 PM, Oak wrote:\n{QUOTED}",
        f"-- \nAna Ruiz\nSuite 5, 555-0142\n\nOn Tue, Mar 4, 2025 at 5:12 PM Oak <a@oak.example> wrote:\n{QUOTED}",
        f"On Wed, Sep 10, 2025 at 6:04 PM, Oak<a@oak.example> wrote:   Hello,\n\n{UNMARKED}",
        f">>> Oak <a@oak.example> 6/3/2025 4:45 PM >>>\n{UNMARKED}",
        f"Ana Ruiz (she/her)\nRN, Unit 5 West\n\nOn 3/4/25 5:12 PM, Oak wrote:\n> Dear Ana,\n{QUOTED}",
        f"Ana Ruiz, RN, BSN\nPager 5145\n\nFrom: Oak <a@oak.example>\nSent: Monday\nTo: Ana Ruiz <a@x>\n\n{UNMARKED}",
        f"~ sent from Spark, please forgive brevity ~\n\nOn 3/4/25 5:12 PM, Oak wrote:\n{QUOTED}",
        f"Oak <a@oak.example>, 4 Mar 2025 Sal, 17:12 tarihinde\nşunu yazdı:\n\n{QUOTED}",
        f"Quoting Oak <a@oak.example>:\n\n{QUOTED}",
        f"Oak Counseling wrote:\n{QUOTED}",
        f"Sent with Aqua Mail for Android\nhttps://aqua.example/5\n\nOn 3/4/25 5:12 PM, Oak wrote:\n{QUOTED}",
        f"<https://www.avast.example/sig?utm=4>\nVirus-free.www.avast.com\n\nOn 3/4/25 5:12 PM, Oak wrote:\n{QUOTED}",
        f"Ana Ruiz\nClerk 2\n(555) 010-0145 ext. 3\n\nFrom: Oak\nSent: Monday\nTo: Ana Ruiz <a@x>\n\n{UNMARKED}",
        f"Ana Ruiz\nBand 5 Nurse, Ward 4\n\n{'*' * 120}\n\nOn 3/4/25 5:12 PM, Oak wrote:\n> Ana, how was it?\n{QUOTED}",
        "CAUTION: This email originated from outside of the organization. Do not click 3 links.",
        "CONFIDENTIALITY NOTICE: stop reading, delete 3 copies, call 555-0100.",
    ],
)
def test_a_quotation_signature_or_notice_says_nothing(after: str) -> None:
    answered = read(f"5 4 3\n\n{after}", headers=PLAIN)
    assert (answered.scores, answered.opt_out, answered.crisis, answered.comment) == ((5, 4, 3), False, False, None)
    empty = read(f"\n\n{after}", headers=PLAIN)
    assert (set(empty.scores), empty.opt_out, empty.crisis, empty.comment) == ({None}, False, False, None)


def test_a_device_line_behind_the_scores_is_no_comment() -> None:
    reply = read(f"5 4 3 Sent from my iPhone\n\nOn 3/4/25 5:12 PM, Oak wrote:\n{QUOTED}", headers=PLAIN)
    assert (reply.scores, reply.comment) == ((5, 4, 3), None)


@pytest.mark.parametrize("own", ["My sister wrote: 5 stars, https://a.example/5", "I kept this: https://a.example/4"])
def test_a_sentence_with_an_address_or_of_what_somebody_wrote_is_kept(own: str) -> None:
    assert read(f"{own}\n\nOn 3/4/25 5:12 PM, Oak wrote:\n{QUOTED}", headers=PLAIN).comment == own


@pytest.mark.parametrize("own", ["On Monday we started late.", "From where I sit it was fine.", "Sent from my heart."])
def test_a_sentence_that_only_starts_like_a_footer_is_kept(own: str) -> None:
    reply = read(f"{own}\n\nOn Tue, Mar 4, 2025 at 5:12 PM Oak <a@oak.example> wrote:\n{QUOTED}", headers=PLAIN)
    assert reply.comment == own


def test_words_below_a_quotation_are_own_words() -> None:
    assert read(f"On 3/4/25 5:12 PM, Oak wrote:\n{QUOTED}\n\n5 4 3", headers=PLAIN).scores == (5, 4, 3)


def test_a_line_under_a_quoted_question_answers_that_question() -> None:
    text = "On 3/4/25 5:12 PM, Oak wrote:\n> 1) heard\n5\n> 2) respected\n> 3) understood\n3\n> Thank you"
    assert read(text, headers=PLAIN).scores == (5, None, 3)


@pytest.mark.parametrize(
    "source",
    [
        f'<div dir="ltr">5 4 3</div><div class="gmail_quote"><blockquote>{UNMARKED}</blockquote></div>',
        f'<style>p{{margin:1px 2px}}</style><p>5 4 3</p><div id="divRplyFwdMsg">From</div><p>{UNMARKED}</p>',
        f'<div class="moz-cite-prefix">On 3/4/25, Oak wrote:</div><blockquote>{UNMARKED}</blockquote><p>5 4 3</p>',
        '<p title="1 1 1">5&nbsp;4&nbsp;3</p><div style="display:none">2 2 2</div>',
        "<ol><li>5</li><li>4</li><li>3</li></ol>",
        "<!DOCTYPE html><html><head><style>td{padding:4px}</style></head><body><p>5 4 3</p></body></html>",
        '<?xml version="1.0"?><html><![if !mso]><table><tr><td>5</td><td>4</td><td>3</td></tr></table></html>',
    ],
)
def test_html_counts_as_far_as_it_is_seen_and_written_by_the_client(source: str) -> None:
    reply = read(source, headers=HTML)
    assert (reply.scores, reply.opt_out, reply.crisis) == ((5, 4, 3), False, False)


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "auto-replied"},
        {"Subject": "Respuesta automática: visita"},
        {"From": "MAILER-DAEMON@mx.example"},
        {"Content-Type": "text/calendar; method=REPLY"},
    ],
)
def test_mail_from_a_machine_is_no_answer(headers: dict[str, str]) -> None:
    reply = read("5 4 3 STOP", headers=PLAIN | headers)
    assert (reply.kind, set(reply.scores), reply.opt_out) == ("autoreply", {None}, False)


def test_an_out_of_office_note_without_headers_is_known_by_its_words() -> None:
    note = "Thank you for your message. I am on annual leave until 5 June and will respond when I return."
    assert read(note, headers=PLAIN).kind == "autoreply"


@pytest.mark.parametrize(
    "text",
    [
        "Liked “How heard did you feel? 1 to 5. Reply like 4 2 5. STOP to stop.”",
        "Le gustó “How heard did you feel? 1 to 5. Reply like 4 2 5. STOP to stop.”",
        "A aimé « How heard did you feel? 1 to 5. Reply like 4 2 5. STOP to stop. »",
        "\u200a\u200b👍\u200b to “\u200aHow heard did you feel? Reply like 4 2 5. STOP to stop.\u200a”\u200a",
    ],
)
def test_a_reaction_quotes_us_and_says_nothing(text: str) -> None:
    reply = read(text)
    assert (reply.kind, set(reply.scores), reply.opt_out) == ("unclear", {None}, False)


def test_words_in_capitals_below_a_mail_are_not_taken_for_a_signature() -> None:
    assert read("5 4 3\n\nI WANT TO DIE 555-010-0142", headers=PLAIN).crisis
    assert read("5 4 3\n\nAna\nI can't keep myself safe tonight", headers=PLAIN).crisis


@pytest.mark.parametrize(
    "text",
    [
        *(
            "5 5 5\n\nThanks\nAna\nI want to die",
            "Caution: he has a gun and hits me",
            "Attention: je vais me tuer ce soir",
        ),
        *("Sent from my phone because he is hitting me and I can't talk", "5 5 5\n\nDad Hits Me\n555-0123"),
        *("typed on the bus. I want to kill myself", "Este correo es mi despedida. Me voy a matar."),
        *("On 11/2 I wrote:\nI want to die", "Thanks for today.\n\n-- \nAna\nPS I want to die"),
    ],
)
def test_danger_is_heard_in_what_looks_like_a_signature_a_banner_or_a_quotation(text: str) -> None:
    reply = read(text, headers=PLAIN)
    assert reply.crisis
    assert reply.comment


@pytest.mark.parametrize(
    "below",
    [
        *(
            "-- \nIf you are thinking of suicide call 988",
            "-- \nNational Suicide Prevention Lifeline 988",
            "-- \nUnsubscribe",
        ),
        *("Sent from my iPhone. To unsubscribe from this list reply stop", "-- \nOak Clinic\nSTOP"),
        "CONFIDENTIAL: if you received this in error, stop, do not read it, delete it",
    ],
)
def test_a_notice_that_offers_help_or_speaks_of_stopping_raises_no_flag(below: str) -> None:
    reply = read(f"5 4 3\n\n{below}", headers=PLAIN)
    assert (reply.scores, reply.opt_out, reply.crisis) == ((5, 4, 3), False, False)


def test_what_is_left_out_gives_no_score() -> None:
    assert read("(1/2) 5 4 I want to die").scores == (None, None, None)
    assert read("5 4\n\nThanks\nAna 3\nI want to die", headers=PLAIN).scores != (5, 4, 3)


@pytest.mark.parametrize("quoted", ["> Reply STOP", "> STOP to opt out", "> are you thinking of suicide"])
def test_a_quoted_line_of_a_text_raises_no_flag(quoted: str) -> None:
    reply = read(f"5 4 3\n{quoted}")
    assert (reply.scores, reply.opt_out, reply.crisis) == ((5, 4, 3), False, False)


@pytest.mark.parametrize(
    "text",
    [
        *("Hello\n\n1) 5 2) 4 3) 3", "Thanks\nAna\n5 4 3", "Best,\nAna\n\nHeard: 5\nRespected: 4\nUnderstood: 3"),
        "Ana Lima: Heard 5, Respected 4, Understood 3",
    ],
)
def test_scores_below_a_greeting_or_a_name_are_no_signature(text: str) -> None:
    assert read(f"{text}\n\nOn 3/4/25 5:12 PM, Oak wrote:\n> Dear Ana,\n{QUOTED}", headers=PLAIN).scores == (5, 4, 3)


def test_a_message_passed_on_counts_unless_it_is_our_own() -> None:
    assert read('fw: "my husband is beating me tonight help"').crisis
    assert not read('Fwd: "Did you feel heard today? 1-5. Reply STOP to end."').opt_out


@pytest.mark.parametrize(
    "text",
    [
        "Please Call Me Back\n555-010-1234",
        "Theo Marsh\nHe listened to me",
        "Dana\nMove me to Friday please",
        "Help Me\n555-010-1234",
    ],
)
def test_words_below_the_scores_are_no_card(text: str) -> None:
    reply = read(f"5 4 3\n\n{text}", headers=PLAIN)
    assert (reply.scores, reply.comment) == ((5, 4, 3), text)


@pytest.mark.parametrize("mark", ["-- ", "--", "_______________"])
def test_scores_below_the_mark_of_a_signature_are_no_signature(mark: str) -> None:
    assert read(f"{mark}\n5 4 3", headers=PLAIN).scores == (5, 4, 3)


@pytest.mark.parametrize("own", ["He hit me and wrote:", "I'm scared, he wrote:"])
def test_a_sentence_above_quoted_lines_is_no_line_that_announces_them(own: str) -> None:
    assert read(f"{own}\n> you deserve it", headers=PLAIN).crisis


def test_answers_between_and_below_gmails_quotations_are_heard() -> None:
    frame = "<div class='gmail_quote'><div class='gmail_attr'>On Tue, Oak &lt;a@oak.example&gt; wrote:</div>{}</div>"
    quoted = "<blockquote class='gmail_quote'>1) heard 2) respected</blockquote>"
    below = read(frame.format(f"{quoted}<div>5 4 3, I want to die</div>"), headers=HTML)
    assert (below.scores, below.crisis) == ((5, 4, 3), True)
    assert read(f"<p>5 4 3</p>{frame.format(quoted)}", headers=HTML).comment is None
    indented = "<blockquote style='margin:0 0 0 40px;border:none'>5 4 3</blockquote>"
    assert read(indented, headers=HTML).scores == (5, 4, 3)


def test_scores_behind_the_clients_own_name_are_no_signature() -> None:
    quoted = f"On 3/4/25 5:12 PM, Oak wrote:\n> Dear Ana,\n{QUOTED}"
    assert read(f"Hello\n\nAna 454\n\n{quoted}", headers=PLAIN).scores == (4, 5, 4)
