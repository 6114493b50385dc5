import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_pipeline.report.page import render
from sentiment_pipeline.report.result import Mistake, Result, StageTime
from sentiment_pipeline.report.theme import COLOURS

VOID = {"meta", "br", "use"}
METRICS: dict[str, Any] = {
    "test": {"accuracy": 0.9445, "loss": 0.1312, "reviews": 2000, "f1": 0.94, "confusion": [[930, 70], [41, 959]]},
    "validation": {"accuracy": 0.951, "loss": 0.128, "reviews": 1000},
    "train": {"reviews_per_s": 851.3, "tokens_per_s": 79512.0, "epochs": 3, "steps": 900},
    "prepare": {"reviews": 25_000, "rejected": 12, "seconds": 4.2},
}


class Reader(HTMLParser):
    """Checks that tags are closed in order; keeps tags, attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + " "


def result(**changes: Any) -> Result:
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 2000).astype(np.int8)
    complete: dict[str, Any] = dict(
        name="quick",
        metrics=METRICS,
        settings={"model": {"length": 400}, "training": {"seed": 0}},
        history=[
            {"step": 20 * i, "loss": 1 / i, "accuracy": 1 - 1 / (i + 2), "reviews_per_s": 800.0, "gradient_norm": 1.5}
            for i in range(1, 9)
        ],
        stages=[StageTime("ingest", 6, 3.1), StageTime("train", 1, 171.2)],
        lengths={"train": random.integers(5, 200, 500), "test": np.zeros(0, np.int32)},
        probabilities=random.random(2000).astype(np.float32),
        labels=labels,
        rejected={"train": {"not UTF-8": 2}, "test": {}},
        mistakes=[Mistake("What a gem!", 0, 0.998)],
    )
    return Result(**{**complete, **changes})


def test_the_page_shows_what_it_is_given() -> None:
    text = Reader(render(result())).text
    for shown in (
        "94.45% of 2,000 test reviews",
        "851.3",
        "2 min 51 s",
        "not UTF-8",
        "What a gem!",
        "99.8% positive",
        "labelled negative",
        "length",
        "400",
        "Confusion matrix",
        "Calibration",
        "Throughput",
        "0.51 points",
        "Gradient norm",
        "94.45%",
        "0.1312",
        "lines rejected",
    ):
        assert shown in text, shown


def test_tables_align_numbers_and_write_them_for_people() -> None:
    page = render(result())
    assert '<tr><th></th><th class="number">test</th><th class="number">validation</th></tr>' in page
    assert '<tr><td>f1</td><td class="number">0.94</td><td class="number">–</td></tr>' in page
    assert '<tr><td>train</td><td>not UTF-8</td><td class="number">2</td></tr>' in page
    assert "<tr><td>test</td>" + '<td class="number">0</td>' * 2 + '<td class="number">–</td>' * 5 + "</tr>" in page


def test_the_time_of_a_stage_is_a_bar() -> None:
    page = render(result(stages=[StageTime("ingest", 6, 50.0), StageTime("train", 1, 200.0)]))
    assert re.findall(r'<i style="(.*)"></i>', page) == ["width:25.0%", "width:100.0%"]
    assert "width:0.0%" in render(result(stages=[StageTime("ingest", 1, 0.0)]))


def test_every_colour_of_the_style_is_defined_light_and_dark() -> None:
    style = render(result()).partition("</style>")[0]
    used = set(re.findall(r"var\(--(\w+)\)", style))
    assert used == set(COLOURS)
    for name, shades in COLOURS.items():
        assert re.findall(rf"--{name}: (#[0-9a-f]{{6}});", style) == [*shades]


def test_nothing_is_fetched_from_anywhere() -> None:
    for tag, attributes in Reader(render(result())).tags:
        assert tag not in {"script", "link", "img", "iframe", "object"}
        for name, value in attributes.items():
            if name not in ("xmlns", "xmlns:xlink"):
                assert "http:" not in (value or "")
                assert "https:" not in (value or "")
            if name.endswith("href") or "url(" in (value or ""):
                assert "#" in (value or "")
    assert "@import" not in render(result())


def test_the_same_result_gives_the_same_bytes() -> None:
    assert render(result()) == render(result())


@pytest.mark.parametrize(
    ("part", "empty", "heading"),
    [
        ("history", (), "Training"),
        ("mistakes", (), "Most confident mistakes"),
        ("stages", (), "Stages"),
        ("probabilities", np.zeros(0, np.float32), "Calibration"),
        ("lengths", {}, "Lengths"),
        ("rejected", {}, "Rejected lines"),
    ],
)
def test_what_is_not_given_is_left_out(part: str, empty: object, heading: str) -> None:
    assert f">{heading}<" in render(result())
    assert f">{heading}<" not in render(result(**{part: empty}))


def test_the_least_result_is_a_page_too() -> None:
    least = Result("tutorial", {"test": {"accuracy": 0.5, "loss": 0.7, "reviews": 8}}, {})
    text = Reader(render(least)).text
    assert "50.00% of 8 test reviews" in text
    assert "Too few reviews to estimate the standard error" in text


def test_without_test_reviews_there_are_no_figures() -> None:
    page = render(Result("tutorial", {"test": {"accuracy": None, "loss": None, "f1": None, "reviews": 0}}, {}))
    assert "– of 0 test reviews" in Reader(page).text
    assert "Too few reviews to estimate the standard error" in page
    assert '<div class="tile"><b>–</b><span>test loss</span></div>' in page
    assert '<tr><td>accuracy</td><td class="number">–</td></tr>' in page


@settings(max_examples=25)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(lambda text: f"<i>{text}</i>&\"'"))
def test_no_text_of_a_user_becomes_markup(text: str) -> None:
    hostile = result(
        name=text,
        mistakes=[Mistake(text, 1, 0.1)],
        rejected={text: {text: 1}},
        stages=[StageTime(text, 1, 1.0)],
        settings={text: {text: text}},
        metrics={**METRICS, text: {text: text}},
        history=(),
        probabilities=np.zeros(0, np.float32),
        lengths={},
    )
    page = Reader(render(hostile))
    assert all(attributes for tag, attributes in page.tags if tag == "i"), "only the bars are of this element"
    assert page.text.count(text) >= 8


def test_a_long_text_is_cut() -> None:
    text = Reader(render(result(mistakes=[Mistake("word " * 1000, 1, 0.1)]))).text
    assert text.count("word") < 200
    assert " …" in text


def test_what_was_found_in_the_data_is_a_table() -> None:
    of_input = {"reviews": 7, "positive": 3, "duplicates": 2, "near_duplicates": 1, "contradictory": 0, "short": 0}
    found = {**of_input, "words": {"median": 41, "p95": 90, "longest": 99}, "scripts": {"Latin": 1.0}}
    quality = {"train": found, "test": found, "leakage": {"exact": 5, "near": 6}, "unknown_words": 0.25, "dropped": 0}
    text = Reader(render(Result("quick", {**METRICS, "quality": quality}, {}))).text
    assert "in the test set, exact" in text
    assert "25.0%" in text
    assert "in the test set" not in Reader(render(Result("quick", METRICS, {}))).text
