"""What a client sends by the form: choices instead of digits, so only their words need reading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from surveys import replies
from surveys.instrument import Instruments
from surveys.replies import Because, Reply

LONGEST_WORDS = 4_000
CHOSEN = "W1"  # the rule that gave a score: it was chosen on the form
LEFT_OUT = "W2"


@dataclass(frozen=True)
class Tap:
    """One form as it was sent. `asked` are the questions it showed, `scores` the choices made among them (1 to 5)."""

    asked: tuple[str, ...]
    scores: Mapping[str, int] = field(default_factory=dict, hash=False)
    words: str = ""
    stop: bool = False
    call: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing was chosen, written or wished for."""
        return not (self.scores or self.words or self.stop or self.call)

    @property
    def full(self) -> bool:
        """Whether every question was answered."""
        return bool(self.asked) and set(self.asked) <= self.scores.keys()


def tap_of(form: Mapping[str, str], asked: Sequence[str]) -> Tap:
    """What a form's fields say; a value that isn't one of its choices counts as none. Never raises."""
    scores = {feeling: int(form[feeling]) for feeling in asked if form.get(feeling) in ("1", "2", "3", "4", "5")}
    words = "\n".join(form.get("words", "").replace("\x00", "").strip().splitlines())[:LONGEST_WORDS]
    return Tap(tuple(asked), scores, words, bool(form.get("stop")), bool(form.get("call")))


def in_words(tap: Tap, instruments: Instruments, language: str) -> str:
    """The form as a client would have written it, to be kept: scores by the names they were asked under, then words,
    then the wishes that were ticked."""
    asks = [f"{instruments.questions[feeling].asks[language]} {score}" for feeling, score in tap.scores.items()]
    wishes = [word for word, wished in (("STOP", tap.stop), ("CALL", tap.call)) if wished]
    return "\n\n".join(filter(None, [", ".join(asks), tap.words, " ".join(wishes)]))


def read(tap: Tap, asked: Sequence[str], instruments: Instruments, also_crisis: Sequence[str] = ()) -> Reply:
    """The form as a reply to the open questions `asked`. Words are read for danger and for wishes like any reply's.

    A full form gives nothing to a part of its questions: where some were answered before it counts as a whole new set.
    """
    said = replies.parse(tap.words, asked=(), instruments=instruments, also_crisis=also_crisis)
    held_back = tap.full and set(asked) != set(tap.asked)
    scores = tuple(None if held_back else tap.scores.get(feeling) for feeling in asked)
    opt_out = tap.stop or said.opt_out
    return Reply(
        kind=_kind(tap, said, scores, opt_out),
        scores=scores,
        comment=said.comment if said.opt_out else tap.words or None,
        opt_out=opt_out,
        crisis=said.crisis,
        note=said.note,
        call=tap.call or said.call,
        because=(*_because(asked, scores), *said.because),
    )


def _kind(tap: Tap, said: Reply, scores: Sequence[int | None], opt_out: bool) -> str:
    if said.crisis:
        return "crisis"
    if opt_out:
        return "optout"
    if any(score is not None for score in scores):
        return "answer" if None not in scores else "partial"
    if not tap.words:
        return "reschedule_or_other_request" if tap.call else "skip"
    # a person wrote into our own form, whatever their words look like
    return "comment" if said.kind in ("autoreply", "unclear", "skip", "thanks_after_done") else said.kind


def _because(asked: Sequence[str], scores: Sequence[int | None]) -> tuple[Because, ...]:
    return tuple(
        Because(feeling, score, "" if score is None else str(score), LEFT_OUT if score is None else CHOSEN)
        for feeling, score in zip(asked, scores, strict=True)
    )
