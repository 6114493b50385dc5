import pytest

from sentiment_pipeline.formatting import counted, duration, figure, percent


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


def test_counts_agree_with_their_noun() -> None:
    assert [counted(count, "review") for count in (0, 1, 2, 1000)] == [
        "0 reviews",
        "1 review",
        "2 reviews",
        "1,000 reviews",
    ]


def test_memory_is_written_in_gigabytes() -> None:
    assert figure(1_440_000_000, "memory_bytes") == "1.44 GB"
