import re
from xml.etree import ElementTree

from matplotlib.figure import Figure

from sentiment_pipeline.report.theme import BLUE, COLOURS, STYLE, png, svg


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


def test_every_colour_that_the_style_uses_is_defined_light_and_dark() -> None:
    for name in set(re.findall(r"var\(--(\w+)\)", STYLE)):
        assert len(re.findall(rf"--{name}: #[0-9a-f]{{6}};", STYLE)) == 2
