"""The conversation: the states of a check-in, and what follows from one reply.

Both are tables. `docs/conversation.md` draws its diagram from MOVES; a test walks every pair.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from surveys.replies import Reply
from surveys.wording import Say


class State(StrEnum):
    """Where a check-in stands."""

    PLANNED = "planned"
    ASKED = "asked"
    REMINDED = "reminded"
    PARTLY_ANSWERED = "partly_answered"
    ANSWERED = "answered"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Event(StrEnum):
    """What can happen to a check-in."""

    SENT = "sent"
    REMINDED = "reminded"
    ANSWERED = "answered"
    ANSWERED_PART = "answered_part"
    TIMED_OUT = "timed_out"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"


MOVES: dict[State, dict[Event, State]] = {
    State.PLANNED: {
        Event.SENT: State.ASKED,
        Event.TIMED_OUT: State.EXPIRED,
        Event.WITHDRAWN: State.CANCELLED,
        Event.REFUSED: State.FAILED,
    },
    State.ASKED: {
        Event.REMINDED: State.REMINDED,
        Event.ANSWERED: State.ANSWERED,
        Event.ANSWERED_PART: State.PARTLY_ANSWERED,
        Event.TIMED_OUT: State.EXPIRED,
        Event.WITHDRAWN: State.CANCELLED,
        Event.REFUSED: State.FAILED,
    },
    State.REMINDED: {
        Event.ANSWERED: State.ANSWERED,
        Event.ANSWERED_PART: State.PARTLY_ANSWERED,
        Event.TIMED_OUT: State.EXPIRED,
        Event.WITHDRAWN: State.CANCELLED,
        Event.REFUSED: State.FAILED,
    },
    State.PARTLY_ANSWERED: {
        Event.ANSWERED: State.ANSWERED,
        Event.ANSWERED_PART: State.PARTLY_ANSWERED,
        Event.TIMED_OUT: State.EXPIRED,
        Event.WITHDRAWN: State.CANCELLED,
    },
    State.ANSWERED: {Event.ANSWERED: State.ANSWERED},
    State.EXPIRED: {},
    State.CANCELLED: {},
    State.FAILED: {},
}
SKIPPED = "S19"  # the parser's rule for "skip" in the place of a score
OPEN = frozenset({State.ASKED, State.REMINDED, State.PARTLY_ANSWERED})


def move(state: State, event: Event) -> State | None:
    """The state that follows, or None where this event changes nothing any more."""
    return MOVES[state].get(event)


@dataclass(frozen=True)
class Situation:
    """All that is known when a reply comes.

    `state`, `asked`, `answers` and `prompted` are of the check-in asked last (None: none ever was);
    `recent`: it was answered within the last 24 hours. `provider_said`: STOP, START or HELP when the
    provider has acted on the word and answered the client itself.
    """

    state: State | None = None
    asked: tuple[str, ...] = ()
    answers: Mapping[str, int] = field(default_factory=dict)
    prompted: frozenset[str] = frozenset()
    recent: bool = False
    stopped: bool = False
    halted: bool = False
    known: bool = True
    usually_high: bool = False
    provider_said: str = ""

    @property
    def is_open(self) -> bool:
        """Whether answers are awaited."""
        return self.state in OPEN

    @property
    def missing(self) -> tuple[str, ...]:
        """The feelings still without an answer, in the order they were asked."""
        return tuple(feeling for feeling in self.asked if feeling not in self.answers)


@dataclass(frozen=True)
class Step:
    """What follows from one reply: what to store, what to say (at most one message), whom to tell, how it was read."""

    kind: str
    say: Say | None = None
    event: Event | None = None
    scores: Mapping[str, int] = field(default_factory=dict)
    replaces: bool = False
    prompted: str = ""
    stop: bool = False
    start: bool = False
    wrong_person: bool = False
    alert: str = ""
    reading: Reply | None = None

    @property
    def assess(self) -> bool:
        """Whether the signal must look again."""
        return bool(self.scores)


Parse = Callable[[Sequence[str]], Reply]


def read(situation: Situation, parse: Parse) -> tuple[Reply, dict[str, int], bool]:
    """Read a reply against what is open: the reading, its scores by feeling, and whether they replace all.

    A full new set counts in place of the first one while the check-in is open or was answered within
    24 hours. Anything less never changes what was answered before.
    """
    open_now = situation.missing if situation.is_open else ()
    reply = parse(open_now)
    scores = _by_feeling(open_now, reply)
    if not scores and situation.answers and (situation.is_open or situation.recent):
        again = parse(situation.asked)
        full = _by_feeling(situation.asked, again)
        if len(full) == len(situation.asked):
            return again, full, True
    return reply, scores, False


def step(situation: Situation, parse: Parse) -> Step:
    """What to store and what to say after one reply, with how it was read."""
    reply, scores, replace_all = read(situation, parse)
    return replace(_decide(situation, reply, scores, replace_all), reading=reply)


def _decide(situation: Situation, reply: Reply, scores: dict[str, int], replace_all: bool) -> Step:
    """The first rule that applies decides."""
    if reply.kind == "autoreply":
        return Step(kind="autoreply")
    for rule in (_danger, _stop, _start, _quiet, _wrong_person, _help, _call):
        if found := rule(situation, reply, scores, replace_all):
            return found
    if situation.is_open:
        return _answer(situation, reply, scores, replace_all)
    return _after(situation, reply, scores, replace_all)


def usually_high(earlier: Sequence[Mapping[str, int]]) -> bool:
    """Whether a client's earlier check-ins (feeling to score each) make all ones a likely mix-up of the ends.

    At least two answered check-ins with a mean of four or more.
    """
    scores = [score for answers in earlier for score in answers.values()]
    return len([answers for answers in earlier if answers]) >= 2 and sum(scores) >= 4 * len(scores)


def _by_feeling(feelings: Sequence[str], reply: Reply) -> dict[str, int]:
    pairs = zip(feelings, reply.scores, strict=True)
    return {feeling: score for feeling, score in pairs if score is not None}


def _event(situation: Situation, scores: Mapping[str, int], replaces: bool) -> Event | None:
    """What the scores do to the check-in."""
    if not scores:
        return None
    complete = replaces or len(scores) == len(situation.missing)
    return Event.ANSWERED if complete else Event.ANSWERED_PART


def _ending(situation: Situation, scores: Mapping[str, int], replaces: bool) -> Event | None:
    """The check-in ends here: answered if the scores complete it, else withdrawn."""
    event = _event(situation, scores, replaces)
    if event is not Event.ANSWERED and situation.is_open:
        return Event.WITHDRAWN
    return event


def _danger(situation: Situation, reply: Reply, scores: dict[str, int], replaces: bool) -> Step | None:
    if not reply.crisis:
        return None
    # Someone who said STOP before gets no text from us; people are told all the same.
    silent = situation.stopped
    say = None if silent else Say("crisis_stopped" if reply.opt_out else "crisis")
    ending = _ending(situation, scores, replaces)
    return Step("crisis", say, ending, scores, replaces, stop=reply.opt_out and not situation.stopped, alert="danger")


def _stop(situation: Situation, reply: Reply, scores: dict[str, int], replaces: bool) -> Step | None:
    if not reply.opt_out and situation.provider_said != "STOP":
        return None
    answered_already = situation.stopped or situation.provider_said == "STOP"
    say = None if answered_already else Say("stopped")
    return Step("optout", say, _ending(situation, scores, replaces), scores, replaces, stop=True)


def _start(situation: Situation, reply: Reply, _scores: dict[str, int], _replaces: bool) -> Step | None:
    """START, UNSTOP and YES bring back only a person who said STOP; "YES" to a question is no answer."""
    if not situation.stopped or (situation.provider_said != "START" and reply.kind != "optin"):
        return None
    # while halted, "a check-in comes after your visits again" would not be true
    silent = situation.provider_said == "START" or situation.halted
    return Step("optin", None if silent else Say("started"), start=True)


def _quiet(situation: Situation, reply: Reply, scores: dict[str, int], replaces: bool) -> Step | None:
    """After STOP, and after danger until a clinician resumes, all is kept and nothing automatic is said."""
    if not situation.stopped and not situation.halted:
        return None
    alert = "call" if reply.call and situation.known else ""
    return Step(reply.kind, None, _event(situation, scores, replaces), scores, replaces, alert=alert)


def _wrong_person(situation: Situation, reply: Reply, _scores: dict[str, int], _replaces: bool) -> Step | None:
    if reply.kind != "wrong_person":
        return None
    event = Event.WITHDRAWN if situation.is_open else None
    return Step("wrong_person", Say("wrong_person"), event, wrong_person=True)


def _help(situation: Situation, reply: Reply, scores: dict[str, int], _replaces: bool) -> Step | None:
    if scores or (reply.kind != "help" and situation.provider_said != "HELP"):
        return None
    return Step("help", None if situation.provider_said == "HELP" else Say("help"))


def _call(situation: Situation, reply: Reply, scores: dict[str, int], replaces: bool) -> Step | None:
    if not reply.call or not situation.known:
        return None
    return Step(reply.kind, Say("call"), _event(situation, scores, replaces), scores, replaces, alert="call")


def _answer(situation: Situation, reply: Reply, scores: dict[str, int], replaces: bool) -> Step:
    event = _event(situation, scores, replaces)
    together = {} if replaces else dict(situation.answers)
    together |= scores
    if event is Event.ANSWERED:
        return _complete(situation, reply, scores, replaces, together)
    if event is Event.ANSWERED_PART:
        missing = tuple(feeling for feeling in situation.missing if feeling not in scores)
        if _skipped(reply).issuperset(missing):
            return Step(reply.kind, Say("thanks"), event, scores, prompted="rest")
        return _once(situation, "rest", _ask_rest(situation, missing, together), reply, event, scores)
    if reply.kind == "skip":
        return Step("skip", Say("thanks") if "skip" not in situation.prompted else None, prompted="skip")
    if situation.answers:
        return _once(situation, "rest", _ask_rest(situation, situation.missing, together), reply)
    return _once(situation, "explain", Say("explain", feelings=situation.missing), reply)


def _skipped(reply: Reply) -> set[str | None]:
    """The feelings the client would rather not rate, in so many words ("4 skip 3")."""
    return {because.feeling for because in reply.because if because.rule == SKIPPED}


def _ask_rest(situation: Situation, missing: tuple[str, ...], together: Mapping[str, int]) -> Say:
    understood = tuple((feeling, together[feeling]) for feeling in situation.asked if feeling in together)
    return Say("ask_rest", feelings=missing, understood=understood)


def _complete(
    situation: Situation, reply: Reply, scores: dict[str, int], replaces: bool, together: Mapping[str, int]
) -> Step:
    """All answered. All ones from someone who usually rates high are asked about once; the answers stand."""
    mixed_up = situation.usually_high and set(together.values()) == {1}
    say = Say("confirm_low") if mixed_up and "confirm" not in situation.prompted else Say("thanks")
    prompted = "confirm" if say.kind == "confirm_low" else ""
    return Step(reply.kind, say, Event.ANSWERED, scores, replaces, prompted)


def _once(
    situation: Situation,
    prompt: str,
    say: Say,
    reply: Reply,
    event: Event | None = None,
    scores: Mapping[str, int] | None = None,
) -> Step:
    """Ask or explain once; the second time, or after "skip", let it be, with thanks where something was answered."""
    scores = scores or {}
    if situation.prompted.isdisjoint({prompt, "skip"}):
        return Step(reply.kind, say, event, scores, prompted=prompt)
    return Step(reply.kind, Say("thanks") if scores else None, event, scores)


def _after(situation: Situation, reply: Reply, scores: dict[str, int], replaces: bool) -> Step:
    """No check-in is open: a new full set, a comment, a late reply, or words nobody asked for."""
    if replaces:
        return Step(reply.kind, Say("replaced"), Event.ANSWERED, scores, True)
    if situation.state is State.ANSWERED and situation.recent:
        return Step(reply.kind, Say("comment_thanks") if reply.comment else None)
    if situation.state in (State.EXPIRED, State.FAILED, State.CANCELLED):
        return Step("late", Say("closed"))
    return Step(reply.kind, Say("unexpected"))
