"""The small picture of a trend that a practice may choose to have in the mail about it, and the same in words.

It is drawn when the mail is sent, outside any transaction: drawing takes a tenth of a second, and loading what draws
takes a whole one.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from bot import log
from bot.channels import Picture
from bot.flows.context import Context
from bot.flows.paper import SHOWS_TREND, TREND
from bot.flows.signal import belief_of, explanation_of
from bot.store import Tx, alerts, caseload, practices
from bot.store.alerts import Alert
from bot.store.outbox import Message
from surveys.digest_wording import digest_words
from surveys.page_wording import PageWords
from surveys.usual import HIGHEST, LOWEST, reach

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 10  # check-ins in a picture as small as this
FEWEST = 2  # answers that make a picture
FEELINGS = 3
WIDTH, HEIGHT, FOOT, DPI = 3.4, 0.75, 0.2, 200  # inches; each feeling's height. Its letters are read on a phone
GREEN, BAND, INK, SOFT, WARN = "#17594f", "#d9ebe4", "#1d2b29", "#56635f", "#a3470a"


@dataclass(frozen=True)
class Sketch:
    """One feeling over the latest check-ins: its name, answers (None: no answer), their days, and what is usual."""

    label: str
    scores: tuple[int | None, ...]
    days: tuple[str, ...]
    low: int
    high: int


def wanted(settings: Mapping[str, str], alert: Alert) -> bool:
    """Whether the practice wants a picture in a mail about this alert, and there can be one."""
    return settings.get("alert_picture") == "yes" and bool(alert.client_id) and explanation_of(alert) is not None


def sketches(ctx: Context, tx: Tx, alert: Alert, until: datetime, words: PageWords) -> list[Sketch]:
    """What there is to draw for an alert about rapport, as it stood at `until`: the feelings that fell."""
    explanation, client_id, therapist_id = explanation_of(alert), alert.client_id or "", alert.therapist_id or ""
    found = caseload.recent(tx, alert.practice_id, therapist_id, [client_id], MOST)[client_id]
    seen = [each for each in found if each.visit_at <= until]
    usual = belief_of(ctx, tx, alert.practice_id, client_id, therapist_id).usual
    overall = explanation is None or explanation.overall or not explanation.feelings
    feelings = ctx.instruments.core if overall or explanation is None else explanation.feelings
    days = tuple(words.short_day(each.visit_at) for each in seen)
    drawn = []
    for feeling in feelings[:FEELINGS]:
        scores = tuple(each.scores.get(feeling) for each in seen)
        if sum(score is not None for score in scores) >= FEWEST:
            label = ctx.instruments.questions[feeling].labels[words.language]
            drawn.append(Sketch(label[:1].upper() + label[1:], scores, days, *reach(usual[feeling])))
    return drawn


def in_words(drawn: Sequence[Sketch], words: PageWords) -> str:
    """All that the picture shows, for whoever doesn't see it; empty where nothing is drawn."""
    return " ".join(_in_words(each, words) for each in drawn)


def of_message(ctx: Context, message: Message) -> tuple[Picture, ...]:
    """The picture that a mail shows, if it shows one. A fault in drawing it costs the picture and not the mail, which
    says the same in words."""
    if message.alert_id is None or SHOWS_TREND not in message.html:
        return ()
    try:
        with ctx.store.transaction(write=False) as tx:
            practice = practices.get(tx, message.practice_id)
            alert = alerts.get(tx, practice.id, message.alert_id)
            words = digest_words(practice.language, practice.timezone)
            drawn = sketches(ctx, tx, alert, message.created_at, words)
        return (Picture(TREND, png(drawn, words.say("trend_band"))),) if drawn else ()
    except Exception as error:
        log.get().error("fault", what="drawing", message=message.id, error=error.__class__.__name__)
        return ()


def png(drawn: Sequence[Sketch], band: str) -> bytes:
    """The picture; `band` names the shaded part."""
    from matplotlib.figure import Figure  # loads slowly, and most practices want no picture

    figure = Figure(figsize=(WIDTH, FOOT + HEIGHT * len(drawn)), dpi=DPI, facecolor="white", layout="constrained")
    axes = figure.subplots(len(drawn), 1, sharex=True, squeeze=False)
    for (axis,), sketch in zip(axes, drawn, strict=True):
        _draw(axis, sketch, band)
    found = io.BytesIO()
    figure.savefig(found, format="png", metadata={"Software": None})
    return found.getvalue()


def _draw(axis: "Axes", sketch: Sketch, band: str) -> None:
    at = [n for n, score in enumerate(sketch.scores) if score is not None]
    scores = [score for score in sketch.scores if score is not None]
    axis.axhspan(sketch.low - 0.5, sketch.high + 0.5, color=BAND, linewidth=0)
    axis.plot(at, scores, color=GREEN, linewidth=1.6)
    colours = [WARN if score < sketch.low else GREEN for score in scores]
    axis.scatter(at, scores, color=colours, s=26, zorder=3)
    missing = [n for n, score in enumerate(sketch.scores) if score is None]
    axis.scatter(missing, [LOWEST - 0.2] * len(missing), facecolors="white", edgecolors=SOFT, s=16, zorder=3)
    axis.set_title(sketch.label, loc="left", fontsize=9, color=INK, pad=3)
    axis.set_ylim(LOWEST - 0.6, HIGHEST + 0.6)
    axis.set_xlim(-0.5, len(sketch.scores) - 0.5)
    axis.set_yticks([LOWEST, HIGHEST])
    ends = sorted({0, len(sketch.days) - 1})
    axis.set_xticks(ends, [sketch.days[n] for n in ends])
    axis.tick_params(length=0, labelsize=8, labelcolor=SOFT)
    middle = (sketch.low + sketch.high) / 2
    axis.text(1.01, middle, band, transform=axis.get_yaxis_transform(), fontsize=8, color=SOFT, va="center")
    for side in axis.spines.values():
        side.set_visible(False)


def _in_words(sketch: Sketch, words: PageWords) -> str:
    scores = ", ".join(words.say("trend_none") if score is None else str(score) for score in sketch.scores)
    key = "trend" if sketch.low < sketch.high else "trend_one"
    return words.say(key, feeling=sketch.label, low=sketch.low, high=sketch.high, scores=scores)
