"""The picture of a trend: geometry here, SVG in templates/trend.html. Dots are answers, the band is the client's usual,
an open ring at the foot is a check-in without an answer, the upright line is when the note was raised."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.flows.viewing import Point, Trend
from surveys.instrument import Instruments
from surveys.page_wording import PageWords
from surveys.rapport import Band
from surveys.usual import WAVERS, how_known, is_usual, reach

# Drawn at about its real size on a phone and in two columns on a desk, so that its letters stay readable.
WIDTH, HEIGHT = 340, 138
LEFT, RIGHT, TOP, BOTTOM = 22, 12, 20, 24
MOST = 16  # check-ins in one picture; more would be a smear
FEWEST = 2  # answers that make a picture; a feeling asked once is told in words only
HALF = 0.5  # each score has a strip of the picture of its own height


@dataclass(frozen=True)
class Dot:
    """One check-in in the picture; `score` is None where there was no answer."""

    x: float
    y: float
    score: int | None
    day: str
    below: bool


@dataclass(frozen=True)
class Chart:
    """One feeling over time, with `summary` saying the same to someone who can't see it.

    `usual` in words, resting on so many `answers`: `known` well, roughly or hardly.
    """

    feeling: str
    label: str
    summary: str
    fallen: bool
    dots: list[Dot]
    lines: list[str]
    band_top: float
    band_height: float
    raised_x: float | None
    grid: list[tuple[int, float]]
    first_day: str
    last_day: str
    usual: str
    answers: int
    known: str


@dataclass(frozen=True)
class Told:
    """One check-in in words: its day, and label and score of each answer (none: unanswered)."""

    day: str
    answers: list[tuple[str, int]]


def draw(trend: Trend, instruments: Instruments, words: PageWords) -> list[Chart]:
    """A chart for each feeling that was answered more than once in the latest check-ins, those that fell most first."""
    points = trend.points[-MOST:]
    counts = {f: sum(f in point.scores for point in points) for f in trend.feelings}
    fewest = min(FEWEST, max(counts.values(), default=0))
    charts = [_chart(trend, points, f, instruments, words) for f, count in counts.items() if count >= fewest]
    return sorted(charts, key=lambda chart: not chart.fallen)


def tell(trend: Trend, instruments: Instruments, words: PageWords) -> list[Told]:
    """The same check-ins in words, newest first."""
    labels = {f: _label(instruments, f, words) for f in instruments.questions}
    points = reversed(trend.points[-MOST:])
    return [Told(words.day(p.at), [(labels[f], p.scores[f]) for f in labels if f in p.scores]) for p in points]


def _chart(trend: Trend, points: Sequence[Point], feeling: str, instruments: Instruments, words: PageWords) -> Chart:
    usual = trend.usual[feeling]
    label = _label(instruments, feeling, words)
    xs = _across(len(points))
    dots = [_dot(x, p, feeling, usual, words) for x, p in zip(xs, points, strict=True) if _concerns(p, feeling)]
    top, foot = _y(usual.high + WAVERS), _y(usual.low - WAVERS)
    return Chart(
        feeling=feeling,
        label=label[:1].upper() + label[1:],
        summary=_summary(dots, usual, words),
        fallen=feeling in trend.fallen and _ends_below(dots),
        dots=dots,
        lines=_lines(dots),
        band_top=top,
        band_height=foot - top,
        raised_x=_raised(trend, points, xs),
        grid=[(score, _y(score)) for score in range(1, 6)],
        first_day=words.short_day(points[0].at),
        last_day=words.short_day(points[-1].at),
        usual=_usual(usual, words),
        answers=trend.answers(feeling),
        known=how_known(trend.answers(feeling)),
    )


def _label(instruments: Instruments, feeling: str, words: PageWords) -> str:
    return instruments.questions[feeling].labels[words.language]


def _concerns(point: Point, feeling: str) -> bool:
    """This feeling was answered, or nothing was; another question's turn is neither dot nor gap."""
    return feeling in point.scores or not point.scores


def _dot(x: float, point: Point, feeling: str, usual: Band, words: PageWords) -> Dot:
    score = point.scores.get(feeling)
    below = score is not None and not is_usual(score, usual)
    return Dot(x, HEIGHT - BOTTOM if score is None else _y(score), score, words.short_day(point.at), below)


def _ends_below(dots: Sequence[Dot]) -> bool:
    """Whether the latest answer is below usual: the picture must show what its heading says."""
    answered = [dot for dot in dots if dot.score is not None]
    return bool(answered) and answered[-1].below


def _lines(dots: Sequence[Dot]) -> list[str]:
    """Lines from answer to answer, broken where a check-in had none."""
    runs: list[list[str]] = [[]]
    for dot in dots:
        if dot.score is None:
            runs.append([])
        else:
            runs[-1].append(f"{dot.x:.1f},{dot.y:.1f}")
    return [" ".join(run) for run in runs if len(run) > 1]


def _across(count: int) -> list[float]:
    step = (WIDTH - LEFT - RIGHT) / max(count, 1)
    return [LEFT + step * (i + 0.5) for i in range(count)]


def _y(score: float) -> float:
    """From 0.5 at the foot to 5.5 at the top: each score has a strip of its own."""
    return TOP + (HEIGHT - TOP - BOTTOM) * (5 + HALF - max(HALF, min(5 + HALF, score))) / 5


def _raised(trend: Trend, points: Sequence[Point], xs: Sequence[float]) -> float | None:
    """Just after the last check-in that was asked before the note."""
    if trend.raised_at is None:
        return None
    step = (WIDTH - LEFT - RIGHT) / max(len(points), 1)
    before = [x for x, point in zip(xs, points, strict=True) if point.asked_at <= trend.raised_at]
    return min((before[-1] if before else LEFT - step / 2) + step / 2, WIDTH - RIGHT)


def _summary(dots: Sequence[Dot], usual: Band, words: PageWords) -> str:
    said = [_usual(usual, words)]
    if scores := [str(dot.score) for dot in dots if dot.score is not None]:
        said.append(words.say("answers", scores=", ".join(scores)))
    if days := [dot.day for dot in dots if dot.score is None]:
        said.append(words.say("unanswered", days=", ".join(days)))
    return " ".join(said)


def _usual(usual: Band, words: PageWords) -> str:
    low, high = reach(usual)
    return words.say("usual", low=low, high=high) if low < high else words.say("usual_one", low=low)
