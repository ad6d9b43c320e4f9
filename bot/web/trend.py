"""The picture of a trend: geometry here, SVG in templates/trend.svg. Dots are answers, the band is the client's
usual, an open ring at the foot is a check-in without an answer, the upright line is when the note was raised."""

from dataclasses import dataclass

from bot.flows.signal import explanation_of
from bot.flows.viewing import AlertView
from surveys.instrument import Instruments

WIDTH, HEIGHT = 640, 150
LEFT, RIGHT, TOP, BOTTOM = 34, 14, 14, 26


@dataclass(frozen=True)
class Dot:
    """One check-in in the picture; `score` is None where there was no answer."""

    x: float
    y: float
    score: int | None
    day: str


@dataclass(frozen=True)
class Chart:
    """One feeling over time."""

    feeling: str
    label: str
    summary: str
    dots: list[Dot]
    band_top: float
    band_bottom: float
    usual_y: float
    line: str
    raised_x: float
    fallen: bool
    grid: list[tuple[int, float]]


def draw(view: AlertView, feeling: str, instruments: Instruments) -> Chart:
    """The chart of one feeling, with a summary in words that says the same to someone who can't see it."""
    label = instruments.questions[feeling].labels[view.practice.language]
    usual = view.usual[feeling]
    xs = _across(len(view.points))
    dots = [
        Dot(x, _y(score) if (score := point.scores.get(feeling)) else HEIGHT - BOTTOM, score, f"{point.at:%-d %b}")
        for x, point in zip(xs, view.points, strict=True)
        if point.scores.get(feeling) or not point.scores
    ]
    answered = [dot for dot in dots if dot.score]
    fallen = any(f == feeling for f in _fallen(view))
    return Chart(
        feeling=feeling,
        label=label,
        summary=_summary(label, answered, usual.low, usual.high),
        dots=dots,
        band_top=_y(usual.high),
        band_bottom=_y(usual.low),
        usual_y=_y(usual.mean),
        line=" ".join(f"{dot.x:.1f},{dot.y:.1f}" for dot in answered),
        raised_x=_raised(view, xs),
        fallen=fallen,
        grid=[(score, _y(score)) for score in range(1, 6)],
    )


def _across(count: int) -> list[float]:
    width = WIDTH - LEFT - RIGHT
    return [LEFT + width * (i + 0.5) / max(count, 1) for i in range(count)]


def _y(score: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (5 - max(1.0, min(5.0, score))) / 4


def _raised(view: AlertView, xs: list[float]) -> float:
    before = [x for x, point in zip(xs, view.points, strict=True) if point.at <= view.raised_at]
    return before[-1] if before else LEFT


def _fallen(view: AlertView) -> tuple[str, ...]:
    explanation = explanation_of(view.alert)
    return explanation.feelings if explanation else ()


def _summary(label: str, answered: list[Dot], low: float, high: float) -> str:
    latest = ", ".join(str(dot.score) for dot in answered[-4:])
    return f"{label}: usually {low:.1f} to {high:.1f}; latest answers {latest}."
