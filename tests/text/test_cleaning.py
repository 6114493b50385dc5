import re

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sentiment_pipeline.text.cleaning import ADDRESS, clean, clean_all
from sentiment_pipeline.text.config import CleaningConfig

PLAIN, HTML = CleaningConfig(html_breaks=False), CleaningConfig(html_breaks=True)
TEXTS = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]))
ADDRESSES = st.text(st.sampled_from("ab.com /:wht0Z\t"), max_size=40)


@given(st.lists(TEXTS | ADDRESSES), st.sampled_from([PLAIN, HTML]))
@example(["ΑΣ ΣΑ", "İ", "ǅ", "٣ ²", "A1"], PLAIN)
@example(["", "a", ""], HTML)
@example(["A<BR/>b<br />c<br   />é<br>"], HTML)
def test_many_texts_are_cleaned_as_each_alone(texts: list[str], config: CleaningConfig) -> None:
    array = pa.array([text.encode() for text in texts], pa.binary())
    assert clean_all(array, config).to_pylist() == [clean(text, config) for text in texts]


@given(ADDRESSES | TEXTS)
@example("see www.example.com, or a.comb.orgx and .com")
def test_addresses_are_what_the_tutorials_pattern_matches(text: str) -> None:
    assert ADDRESS.sub(b"<url>", text.encode()).decode() == re.sub(r"([^ ]+(?<=\.[a-z]{3}))", "<url>", text)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("Great BOOK, 10/10!", "great book, 00/00!"),
        ("at www.example.com today", "at <url> today"),
        ("end.the start", "end.the start"),
        ("end.the start of http://x", "<url> start of http://x"),
        ("  two  spaces ", "  two  spaces "),
        ("a<br />b", "a<br />b"),
    ],
)
def test_clean(text: str, result: str) -> None:
    assert clean(text, PLAIN) == result


def test_html_line_breaks_become_spaces_if_the_setting_says_so() -> None:
    assert clean("A<br /><BR>b<br/>c<b>", HTML) == "a  b c<b>"


def test_a_long_run_without_spaces_takes_linear_time() -> None:
    text = "www." + "0" * 1_000_000
    assert clean(text, PLAIN) == text


def test_no_texts() -> None:
    assert clean_all(pa.array([], pa.binary()), HTML).to_pylist() == []
