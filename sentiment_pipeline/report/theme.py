"""One set of colours for the page and its pictures, light and dark, and the page's style sheet.

A picture is drawn in the light colours. In its SVG each of them is replaced by a reference to the page's colour of
that name, so that a picture within the page follows the reader's preference, and as PNG the same figure is a light one.
"""

import io
import re
from html import escape
from typing import Any

import matplotlib
from matplotlib.figure import Figure

COLOURS = {  # name: light, dark
    "page": ("#fafaf8", "#15161a"),
    "surface": ("#fffffe", "#1d1f24"),
    "ink": ("#1c1d21", "#ececf0"),
    "muted": ("#6a6d75", "#9a9da8"),
    "line": ("#e3e3df", "#32343c"),
    "blue": ("#2b6cd4", "#6ea4f7"),
    "orange": ("#d9601f", "#f2935c"),
}
INK, MUTED, LINE, BLUE, ORANGE, SURFACE = (
    COLOURS[name][0] for name in ("ink", "muted", "line", "blue", "orange", "surface")
)

MATPLOTLIB: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text, in the page's font
    "svg.hashsalt": "sentiment-pipeline",  # the same figure gives the same bytes
    "text.parse_math": False,
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 9.5,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "ytick.major.size": 0,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "figure.facecolor": SURFACE,
}


def svg(figure: Figure, description: str) -> str:
    """The figure as an inline `<svg>` in the page's colours, with `description` for those who cannot see it."""
    file = io.StringIO()
    with matplotlib.rc_context(MATPLOTLIB):
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    for name, (light, _) in COLOURS.items():
        text = text.replace(light, f"var(--{name})")
    text = re.sub(r"<svg ", f'<svg role="img" aria-label="{escape(description)}" ', text, count=1)
    return re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)


def png(figure: Figure) -> bytes:
    """The figure as a PNG image in the light colours."""
    file = io.BytesIO()
    with matplotlib.rc_context(MATPLOTLIB):
        figure.savefig(file, format="png", dpi=160, metadata={"Software": None})
    return file.getvalue()


def variables(shade: int) -> str:
    """The colours as CSS variables, 0 light or 1 dark."""
    return " ".join(f"--{name}: {shades[shade]};" for name, shades in COLOURS.items())


STYLE = (
    f"""
:root {{ color-scheme: light dark; {variables(0)} }}
@media (prefers-color-scheme: dark) {{ :root {{ {variables(1)} }} }}
"""
    + """
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.5;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 48px 24px 72px; }
h1 { font-size: clamp(26px, 4vw, 38px); line-height: 1.15; letter-spacing: -0.02em; margin: 6px 0 10px;
  text-wrap: balance; }
h2 { font-size: 21px; letter-spacing: -0.01em; margin: 56px 0 2px; }
h3 { font-size: 14px; font-weight: 600; margin: 0 0 2px; }
p { margin: 0; max-width: 70ch; }
.eyebrow, .note, dt, th, figcaption { color: var(--muted); }
.eyebrow { font-size: 13px; }
.note { font-size: 14px; }
.tiles, .cards, .stack { display: grid; gap: 16px; }
.tiles { grid-template-columns: repeat(auto-fit, minmax(132px, 1fr)); margin: 30px 0 0; }
.cards { grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); margin-top: 18px; align-items: start; }
.tile, .card { background: var(--surface); border: 1px solid var(--line); border-radius: 10px; margin: 0; }
.tile { padding: 12px 16px; }
.tile b { display: block; font-size: 24px; font-weight: 600; letter-spacing: -0.02em; }
.tile span { font-size: 13px; color: var(--muted); }
.card { padding: 16px 18px 14px; min-width: 0; overflow-x: auto; }
figcaption { font-size: 13px; margin-bottom: 8px; }
figcaption b { display: block; color: var(--ink); font-size: 14px; font-weight: 600; }
svg { display: block; width: 100%; height: auto; }
svg text { font-family: inherit !important; }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
th { font-weight: 500; font-size: 13px; text-align: left; }
th, td { padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; }
td.number, th.number { text-align: right; padding-right: 14px; }
td:last-child, th:last-child { padding-right: 0; }
td.bar { width: 60%; vertical-align: middle; }
.bar i { display: block; height: 8px; min-width: 2px; border-radius: 0 4px 4px 0; background: var(--blue); }
.columns { columns: 3 270px; column-gap: 16px; margin-top: 18px; }
.columns .card { break-inside: avoid; margin-bottom: 16px; }
.columns td { overflow-wrap: anywhere; }
blockquote { margin: 8px 0 0; font-size: 14px; overflow-wrap: anywhere; max-height: 11em; overflow-y: auto; }
.badge { font-size: 12px; font-weight: 600; }
.badge::before { content: ""; display: inline-block; width: 9px; height: 9px; border-radius: 50%;
  margin-right: 6px; background: currentColor; }
.negative { color: var(--orange); }
.positive { color: var(--blue); }
footer { margin-top: 56px; font-size: 13px; color: var(--muted); }
@media print { main { padding: 0; } .card, .tile { break-inside: avoid; } }
"""
)
