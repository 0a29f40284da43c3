"""Curves over time as an SVG, without a library."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

_WIDTH, _PANEL, _GAP = 1000, 170, 46
_LEFT, _TOP, _RIGHT = 64, 40, 20

Points = Sequence[tuple[float, float]]
"""Seconds and values."""


@dataclass(frozen=True, slots=True)
class Curve:
    name: str
    colour: str
    points: Points
    steps: bool = False
    """The value stays until the next point."""
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """Curves on one scale, and spans of time to mark."""

    title: str
    unit: str
    most: float
    curves: Sequence[Curve]
    marks: Sequence[tuple[float, float]] = field(default=())
    marks_name: str = ""


def draw(title: str, lasts_s: float, panels: Sequence[Panel]) -> str:
    """The SVG's text."""
    height = _TOP + len(panels) * (_PANEL + _GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        'font-family="system-ui, sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="22" font-size="16">{escape(title)}</text>',
    ]
    for number, panel in enumerate(panels):
        parts += _panel(panel, lasts_s, _TOP + number * (_PANEL + _GAP) + 18)
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, lasts_s: float, top: float) -> list[str]:
    bottom, right = top + _PANEL, _WIDTH - _RIGHT

    def x(at_s: float) -> float:
        return round(_LEFT + (right - _LEFT) * min(max(at_s / lasts_s, 0), 1), 1)

    def y(value: float) -> float:
        return round(bottom - _PANEL * min(max(value / panel.most, 0), 1), 1)

    parts = [f'<text x="{_LEFT}" y="{top - 6}">{escape(panel.title)}</text>']
    for from_s, until_s in panel.marks:
        width = max(1.0, x(until_s) - x(from_s))
        parts.append(
            f'<rect x="{x(from_s)}" y="{top}" width="{width}" height="{_PANEL}" '
            'fill="#d33" fill-opacity="0.35"/>'
        )
    for share in (0, 0.5, 1):
        value = panel.most * share
        parts += [
            f'<line x1="{_LEFT}" x2="{right}" y1="{y(value)}" y2="{y(value)}" stroke="#ddd"/>',
            f'<text x="{_LEFT - 6}" y="{y(value) + 4}" text-anchor="end">{value:g}</text>',
        ]
    for at_s in range(0, int(lasts_s) + 1, _mark_every_s(lasts_s)):
        place = f'x="{x(at_s)}" y="{bottom + 15}" text-anchor="middle"'
        parts.append(f'<text {place} fill="#666">{at_s} s</text>')
    for curve in panel.curves:
        path = _path([(x(at_s), y(value)) for at_s, value in curve.points], curve, bottom)
        fill = f'"{curve.colour}" fill-opacity="0.25"' if curve.filled else '"none"'
        parts.append(f'<path d="{path}" fill={fill} stroke="{curve.colour}" stroke-width="1.4"/>')
    return parts + _legend(panel, right, top)


def _mark_every_s(lasts_s: float) -> int:
    return next((step for step in (5, 10, 30, 60, 300) if lasts_s / step <= 14), 1800)


def _path(points: Points, curve: Curve, bottom: float) -> str:
    if not points:
        return ""
    path = [f"M{points[0][0]} {points[0][1]}"]
    for x, y in points[1:]:
        path.append(f"H{x}V{y}" if curve.steps else f"L{x} {y}")
    if curve.filled:
        path += [f"V{bottom}H{points[0][0]}Z"]
    return "".join(path)


def _legend(panel: Panel, right: float, top: float) -> list[str]:
    unit = f" ({panel.unit})" if panel.unit else ""
    entries = [(each.colour, each.name + unit) for each in panel.curves if each.name]
    if panel.marks_name:
        entries.append(("#d33", panel.marks_name))
    parts, at = [], right
    for colour, name in reversed(entries):
        parts.append(
            f'<text x="{at}" y="{top - 6}" text-anchor="end" fill="{colour}">{escape(name)}</text>'
        )
        at -= 7 * len(name) + 18
    return parts
