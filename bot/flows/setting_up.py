"""Setting up: the steps from nothing to the first planned check-in, and what each still lacks.

What must be there before a real client is texted is `bot.flows.readiness`'s to say; here it is only put to the step
that has the form for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.flows import cells, schedules
from bot.flows.access import Me
from bot.flows.cells import BadCell
from bot.flows.context import Context
from bot.flows.readiness import missing_for_going_live
from bot.flows.schedules import Place
from bot.flows.settings import BadSetting
from bot.flows.speaking import voice_of
from bot.store import Tx, clients, outbox, practices, starting
from bot.store.outbox import REPLY, Draft
from bot.store.practices import FIRST_NAME, Practice
from bot.store.starting import Reached
from surveys.segments import segments
from surveys.wording import Say, why_not_name, write

AGREED = "hours_agreed"  # a practice's setting: its manager has looked at the hours
BY_COMMAND = {"hours", "days"}  # whoever set one of them has looked, too
MOST_TESTS = 10  # test texts a day
LACKS = {
    "sms_name": "how texts are signed",
    "duty_email": "who is told of danger when nobody else answers",
    "duty_hours": "when that person can be reached",
    "local_lines": "what clients may call in an emergency",
    "not_for_appraisal": "that answers aren't used to judge anyone",
}
STEP_OF = {"sms_name": "sender", "duty_email": "danger", "duty_hours": "danger", "local_lines": "danger"}
STEP_OF |= {"not_for_appraisal": "fairness"}
TITLES = {
    "practice": "Your practice",
    "hours": "Hours",
    "sender": "How texts are signed",
    "danger": "Who is told of danger",
    "fairness": "What answers are not for",
    "therapists": "Therapists",
    "clients": "Clients and their consent",
    "test": "A test text to yourself",
    "first": "The first check-in",
}
AFTERWARDS = ("test", "first")  # a practice is set up without them


@dataclass(frozen=True)
class Step:
    """One step. `missing`: what it lacks, each completing "It lacks"; `needed`: the practice isn't set up without."""

    name: str
    title: str
    done: bool
    missing: tuple[str, ...]
    needed: bool = True


@dataclass(frozen=True)
class Progress:
    """How far a practice is. `sends_texts`, `sends_mail`, `for_real`: what this installation is set up for."""

    practice: Practice
    steps: list[Step]
    reached: Reached
    sends_texts: bool
    sends_mail: bool
    for_real: bool

    @property
    def next(self) -> Step | None:
        """The first step that isn't done."""
        return next((step for step in self.steps if not step.done), None)


@dataclass(frozen=True)
class Sample:
    """A text as a client would get it, and how many segments it takes."""

    text: str
    segments: int


@dataclass(frozen=True)
class Trial:
    """A test text, before it is sent: to which number, what it says."""

    number: str
    sample: Sample


def steps(ctx: Context, tx: Tx, practice: Practice) -> list[Step]:
    """Every step in order, with what it lacks."""
    found = starting.reached(tx, practice.id)
    lacking = _lacking(ctx, tx, practice, found)
    return [Step(n, t, not lacking[n], tuple(lacking[n]), n not in AFTERWARDS) for n, t in TITLES.items()]


def setup_finished(ctx: Context, tx: Tx, practice: Practice) -> bool:
    """Whether everything is there that a practice needs to begin."""
    return all(step.done for step in steps(ctx, tx, practice) if step.needed)


def progress(ctx: Context, me: Me) -> Progress:
    """How far the manager's practice is."""
    with ctx.store.transaction(write=False) as tx:
        practice = practices.get(tx, me.practice.id)
        found = starting.reached(tx, practice.id)
        config = ctx.config
        ways = "sms" in ctx.channels, "mail" in ctx.channels, config.real_twilio
        return Progress(practice, steps(ctx, tx, practice), found, *ways)


def agree_hours(ctx: Context, me: Me, changes: Mapping[str, str], now: datetime) -> None:
    """Set the practice's hours and days, and note that a manager has looked at them. Raises BadSchedule."""
    place = Place("practice", me.practice.id)
    schedules.change(ctx, me.practice.id, place, changes, me.person.id, now)
    with ctx.store.transaction() as tx:
        practice = practices.get(tx, me.practice.id)
        practices.save(tx, replace(practice, settings={**practice.settings, AGREED: "yes"}))


def samples(ctx: Context, practice: Practice, sms_name: str = "") -> list[Sample]:
    """The welcome and the longest check-in, signed with a name. Raises BadSetting for a name that can't be used."""
    if sms_name and (reason := why_not_name(sms_name)):
        raise BadSetting(f"sms_name can't be used. {reason}")
    named = replace(practice, sms_name=sms_name or practice.sms_name)
    return [_sample(ctx, named, Say("welcome")), _longest(ctx, named)]


def read_test(ctx: Context, me: Me, number: str) -> Trial:
    """What a test text to this number would be. Raises BadSetting where none can go there."""
    if "sms" not in ctx.channels:
        raise BadSetting("Texts aren't set up on this installation: see TWILIO_ACCOUNT_SID in docs/operators.md.")
    with ctx.store.transaction(write=False) as tx:
        practice = practices.get(tx, me.practice.id)
        try:
            found = cells.phone(cells.text(number, "your own mobile number"), practice.country)
        except BadCell as error:
            raise BadSetting(f"The number {error}.") from None
        if any(each.practice_id == practice.id for each in clients.by_address(tx, found)):
            raise BadSetting("The number belongs to a client: an answer to the test would count as theirs.")
    sample = _longest(ctx, practice)
    text = f"(Test) {sample.text}"
    return Trial(found, Sample(text, segments(text).count))


def send_test(ctx: Context, me: Me, number: str, now: datetime) -> bool:
    """Text oneself what a client would get, at once, whatever the hours; it counts as nothing.

    False where one was queued within this minute. Raises BadSetting, also after ten in a day.
    """
    test = read_test(ctx, me, number)
    with ctx.store.transaction() as tx:
        if sum(starting.sent_tests(tx, me.practice.id, now - timedelta(days=1)).values()) >= MOST_TESTS:
            raise BadSetting(f"There were {MOST_TESTS} test texts within a day; try again tomorrow.")
        name = f"test_text:{me.person.id}:{int(now.timestamp()) // 60}"
        draft = Draft("test_text", name, "sms", test.number, test.sample.text, segments=test.sample.segments)
        queued = outbox.put(tx, me.practice.id, replace(draft, urgency=REPLY, person_id=me.person.id), now, now)
        if queued:
            practices.note(tx, me.practice.id, me.person.id, "test text", me.person.id, now)
    return queued is not None


def _lacking(ctx: Context, tx: Tx, practice: Practice, found: Reached) -> dict[str, list[str]]:
    lacking: dict[str, list[str]] = {name: [] for name in TITLES}
    for sentence in missing_for_going_live(tx, practice):
        key = sentence.partition(":")[0]
        lacking[STEP_OF[key]].append(LACKS[key])
    if practice.name == FIRST_NAME:
        lacking["practice"].append("its name")
    looked_at = practice.settings.get(AGREED) or BY_COMMAND & practice.schedule.keys()
    if not looked_at and not found.asked:
        lacking["hours"].append("a look at the hours and days")
    if not found.therapists:
        lacking["therapists"].append("a therapist")
    if not found.consented:
        lacking["clients"].append("a client who has agreed" if found.clients else "clients")
    if not set(starting.sent_tests(tx, practice.id)) & {"sent", "in_doubt", "due", "claimed"}:
        lacking["test"].append("a text to your own phone" if "sms" in ctx.channels else "a way to send texts")
    if not found.first and not found.asked:
        lacking["first"].append("a visit to ask about" if found.visits else "appointments")
    return lacking


def _longest(ctx: Context, practice: Practice) -> Sample:
    """The check-in with the fourth question that takes the most room."""
    core = ctx.instruments.core
    further = [each for each in ctx.instruments.questions if each not in core]
    found = [_sample(ctx, practice, Say("check_in", (*core, each))) for each in further]
    return max(found, key=lambda sample: (sample.segments, len(sample.text)))


def _sample(ctx: Context, practice: Practice, say: Say) -> Sample:
    text = write(say, voice_of(practice, practice.language), ctx.instruments).text
    return Sample(text, segments(text).count)
