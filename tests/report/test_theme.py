from typing import Any
from xml.etree import ElementTree

import matplotlib
from matplotlib.figure import Figure

from sentiment_pipeline.report.theme import BLUE, COLOURS, axes, in_theme, png, svg


def drawn() -> Figure:
    figure = Figure(figsize=(2, 1))
    figure.add_subplot().plot([0, 1], color=BLUE)
    return figure


def test_svg_takes_its_colours_from_the_page() -> None:
    picture = svg(drawn(), 'a "line" & more')
    assert "var(--blue)" in picture
    assert not any(light in picture or dark in picture for light, dark in COLOURS.values())
    assert ElementTree.fromstring(picture).get("aria-label") == 'a "line" & more'
    assert "<metadata>" not in picture


def test_the_same_figure_gives_the_same_bytes() -> None:
    assert svg(drawn(), "") == svg(drawn(), "")
    assert png(drawn()) == png(drawn())
    assert png(drawn()).startswith(b"\x89PNG")


def test_drawing_leaves_the_settings_of_matplotlib_alone() -> None:
    before = dict(matplotlib.rcParams)
    during: dict[Any, Any] = {}

    @in_theme
    def draw(value: float) -> Figure:
        during.update(matplotlib.rcParams)
        figure, plot = axes()
        plot.plot([value])
        return figure

    svg(draw(1.0), "")
    assert during["text.color"] != before["text.color"]
    assert dict(matplotlib.rcParams) == before
