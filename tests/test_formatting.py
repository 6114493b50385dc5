import pytest
from sentiment_pipeline.report.formatting import duration, figure, percent, table


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "0.0 s"),
        (0.84, "0.8 s"),
        (9.99, "10.0 s"),
        (42.4, "42 s"),
        (59.7, "1 min 0 s"),
        (185, "3 min 5 s"),
        (3599.6, "1 h 0 min"),
        (7620, "2 h 7 min"),
    ],
)
def test_durations_are_written_as_people_write_them(seconds: float, written: str) -> None:
    assert duration(seconds) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (True, "yes"),
        (False, "no"),
        (8_388_608, "8,388,608"),
        (0.93906, "0.9391"),
        (79512.3, "79,512"),
        (5e-06, "5e-06"),
        ("adam", "adam"),
        ("", "–"),
    ],
)
def test_figures_are_short(value: object, written: str) -> None:
    assert figure(value) == written


def test_percent() -> None:
    assert (percent(0.93906, 3), percent(1)) == ("93.906%", "100.0%")


def test_tables_escape_every_cell() -> None:
    assert table([("<b>", 1)], ("a & b", "n"), (1,)) == (
        "<table><tr><th>a &amp; b</th><th class=number>n</th></tr>"
        "<tr><td>&lt;b&gt;</td><td class=number>1</td></tr></table>"
    )
