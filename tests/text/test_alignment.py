import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment_pipeline.text.alignment import align_cleaning, token_spans
from sentiment_pipeline.text.cleaning import clean
from sentiment_pipeline.text.config import CleaningConfig

BREAKS, NONE = CleaningConfig(html_breaks=True), CleaningConfig(html_breaks=False)
PIECES = [
    "Great",
    " ",
    "ISN'T",
    "10",
    "<br />",
    "<BR/>",
    "see www.A.com/x",
    "http://b.org",
    '"',
    "``",
    "''",
    "İ",
    "ΣΑΣ",
    "😀",
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map("".join)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Not BAD.", ["Not", "BAD", "."]),
        ("", []),
        (" \n ", []),
        ("cannot  10", ["can", "not", "10"]),
        ("good<br />Not", ["good", "Not"]),
        ("see WWW.X.com ok", ["see", "WWW.X.com", "WWW.X.com", "WWW.X.com", "ok"]),
        ("http://x.com/y?z", ["http://x.com", "http://x.com", "http://x.com", "/y", "?", "z"]),
        ("\"Good\" ``so''", ['"', "Good", '"', "``", "so", "''"]),
        ("İyi film", ["İyi", "film"]),
        ("Σοφός 漢字 😀", ["Σοφός", "漢字", "😀"]),
        ("It ISN'T\nDr. Lee's", ["It", "IS", "N'T", "Dr.", "Lee", "'s"]),
    ],
)
def test_a_token_has_its_slice_of_the_text(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in token_spans(text, BREAKS)] == words


@given(TEXTS, st.sampled_from([BREAKS, NONE]))
def test_the_text_is_cleaned_as_clean_does(text: str, config: CleaningConfig) -> None:
    cleaned, spans = align_cleaning(text, config)
    assert cleaned == clean(text.replace("\n", " "), config)
    assert spans.shape == (len(cleaned), 2)
    assert all(0 <= start < end <= len(text) for start, end in spans.tolist())
    assert spans[:, 0].tolist() == sorted(spans[:, 0])


@given(TEXTS)
def test_tokens_come_in_order_and_leave_out_white_space_and_breaks_alone(text: str) -> None:
    spans = token_spans(text, NONE).tolist()
    assert spans == sorted(spans)
    covered = {position for start, end in spans for position in range(start, end)}
    assert {letter for at, letter in enumerate(text) if at not in covered and not letter.isspace()} == set()
