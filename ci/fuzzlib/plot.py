"""Curves as SVG that scales, takes its colours from the page's style, and needs no script."""

import math
from html import escape


def nice(value):
    """The smallest of 1, 2, 5 times a power of ten that is not below the value."""
    if value <= 0:
        return 1
    power = 10 ** math.floor(math.log10(value))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= value * 0.999999)


def ticks(top, most=4):
    """Round values from 0 up to at least the top."""
    step = nice(top / most)
    if step < 1 and float(top).is_integer() and top <= most:
        step = 1
    n = max(1, math.ceil(top / step - 1e-9))
    return [step * i for i in range(n + 1)]


def label(value):
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            text = f"{value / size:.1f}"
            return (text[:-2] if text.endswith(".0") else text) + unit
    return f"{value:g}" if value < 10 else f"{value:.0f}"


def curves(title, series, width=320, height=150, stepped=True):
    """series: [(name, css class, [(x, y)])]; x are seconds. A curve holds its value until the next
    point when it is stepped."""
    series = [(n, c, [p for p in pts if p[1] is not None]) for n, c, pts in series]
    series = [s for s in series if s[2]]
    left, right, top, bottom = 38, 12, 22, 20
    w, h = width - left - right, height - top - bottom
    out = [f'<svg class="plot" viewBox="0 0 {width} {height}" role="img" '
           f'aria-label="{escape(title)} over seconds">',
           f'<text class="plot-title" x="0" y="11">{escape(title)}</text>']
    if not series:
        out.append(f'<text class="plot-none" x="{left}" y="{top + h / 2:.0f}">nothing was '
                   'measured</text></svg>')
        return "".join(out)
    x_ticks = ticks(max(max(p[0] for p in s[2]) for s in series) or 1, 5)
    y_ticks = ticks(max(max(p[1] for p in s[2]) for s in series) or 1)
    x_top, y_top = x_ticks[-1], y_ticks[-1]

    def x(v):
        return left + w * v / x_top

    def y(v):
        return top + h - h * v / y_top

    for v in y_ticks:
        out.append(f'<line class="grid" x1="{left}" x2="{width - right}" y1="{y(v):.1f}" '
                   f'y2="{y(v):.1f}"/>'
                   f'<text class="tick" x="{left - 5}" y="{y(v) + 3:.1f}" text-anchor="end">'
                   f'{label(v)}</text>')
    for v in x_ticks:
        unit = " s" if v == x_top else ""
        anchor = "end" if v == x_top else "middle"
        out.append(f'<text class="tick" x="{x(v) + (right - 2 if unit else 0):.1f}" '
                   f'y="{height - 5}" text-anchor="{anchor}">{label(v)}{unit}</text>')
    for name, css, points in series:
        path = f"M{x(points[0][0]):.1f} {y(points[0][1]):.1f}"
        for px, py in points[1:]:
            path += f"H{x(px):.1f}V{y(py):.1f}" if stepped else f"L{x(px):.1f} {y(py):.1f}"
        end = points[-1]
        out.append(f'<path class="curve {css}" d="{path}"/>'
                   f'<circle class="end {css}" cx="{x(end[0]):.1f}" cy="{y(end[1]):.1f}" r="3">'
                   f'<title>{escape(name)}: {end[1]:,} after {end[0]:.1f} s</title></circle>')
    out.append("</svg>")
    return "".join(out)


def bar(percent, width=90):
    """Part of a whole."""
    if percent is None:
        return ""
    return (f'<svg class="bar" viewBox="0 0 {width} 8" preserveAspectRatio="none" aria-hidden="true">'
            f'<rect class="bar-all" width="{width}" height="8" rx="2"/>'
            f'<rect class="bar-hit" width="{width * percent / 100:.1f}" height="8" rx="2"/></svg>')
