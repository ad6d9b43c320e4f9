"""Draws delay against false alarms as a small SVG, with nothing but text."""

from collections.abc import Mapping, Sequence
from math import log

Curves = Mapping[str, Sequence[tuple[float, float]]]  # name -> (false alarms per answered check-in, visits)

WIDTH, HEIGHT, LEFT, TOP, BOTTOM, RIGHT = 640, 360, 56, 16, 48, 140
LEAST, MOST = 0.005, 0.1  # false alarms
DEEPEST = 8.0  # visits
TICKS = {0.005: "1 in 200", 0.01: "1 in 100", 0.02: "1 in 50", 0.05: "1 in 20", 0.1: "1 in 10"}
COLOURS = ("#555555", "#0b6e4f", "#b3541e", "#8a2d5c", "#2f5d9b", "#8c7a1f")


def drawn(curves: Curves) -> str:
    """The picture: one line for each rule, its name at the end."""
    lines = [line(name, points, colour) for (name, points), colour in zip(curves.items(), COLOURS, strict=False)]
    return "\n".join([head(), *axes(), *lines, *names(curves), "</svg>"]) + "\n"


def head() -> str:
    """Opens the picture and says what it shows."""
    title = "Visits until a decline is found, against false alarms: the signal, the rules in use, and the limit"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="12"><title>{title}</title>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
    )


def across(rate: float) -> float:
    """Where a rate stands, from left to right."""
    return LEFT + (WIDTH - LEFT - RIGHT) * log(rate / LEAST) / log(MOST / LEAST)


def down(visits: float) -> float:
    """Where a delay stands, from top to bottom."""
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * visits / DEEPEST


def axes() -> list[str]:
    """Both axes with their marks."""
    marks = [text(across(rate), HEIGHT - BOTTOM + 18, name, "middle") for rate, name in TICKS.items()]
    marks += [text(LEFT - 8, down(visits) + 4, str(visits), "end") for visits in range(0, 9, 2)]
    marks += [f'<path d="M{LEFT} {down(v):.1f}H{WIDTH - RIGHT}" stroke="#dddddd" fill="none"/>' for v in range(0, 9, 2)]
    below = text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "false alarms per answered check-in", "middle")
    turned = f'<g transform="rotate(-90 14 {HEIGHT / 2})">{text(14, HEIGHT / 2, "visits to the alarm", "middle")}</g>'
    return [*marks, below, turned]


def line(name: str, points: Sequence[tuple[float, float]], colour: str) -> str:
    """One rule's curve; the limit is dashed."""
    path = " ".join(f"{across(rate):.1f},{down(visits):.1f}" for rate, visits in points)
    dashes = ' stroke-dasharray="5 4"' if name == "limit" else ""
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>'


def names(curves: Curves) -> list[str]:
    """Each rule's name beside the end of its line, pushed apart where they would overlap."""
    ends = sorted((down(points[-1][1]), name) for name, points in curves.items())
    result, last = [], 0.0
    for height, name in ends:
        last = max(height, last + 15)
        colour = COLOURS[list(curves).index(name) % len(COLOURS)]
        result.append(text(WIDTH - RIGHT + 8, last + 4, name, "start", colour))
    return result


def text(x: float, y: float, words: str, anchor: str, colour: str = "#333333") -> str:
    """A few words."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'
