import numpy as np

from sentiment_pipeline.sample.grammar import KINDS, SENTENCES, TITLES, templates
from sentiment_pipeline.sample.lexicon import SENTIMENT, tables
from sentiment_pipeline.sample.spelling import SPELLINGS


def texts() -> list[str]:
    table = templates()
    return [
        "".join(table.vocabulary[piece] for piece in table.pieces[start:end])
        for start, end in zip(table.starts, table.starts[1:], strict=False)
    ]


def test_pieces_put_together_are_the_templates() -> None:
    written = texts()
    expected = [
        line.strip() + ending
        for kinds, ending in ((TITLES, ": "), (SENTENCES, "{.}"))
        for kind in KINDS
        for line in kinds[kind].strip().splitlines()
    ]
    assert written == expected
    assert len(set(written)) == len(written)


def test_groups_are_where_the_templates_of_a_kind_stand() -> None:
    table = templates()
    assert np.array_equal(table.groups.ravel(), np.cumsum(table.sizes) - table.sizes.ravel())
    assert table.sizes.sum() == len(table.starts) - 1
    contrast = table.groups[1, KINDS.index("contrast")]
    assert texts()[contrast].startswith(SENTENCES["contrast"].split("{")[0].strip())


def test_slots_name_a_lexicon_or_a_spelling() -> None:
    for piece in templates().vocabulary:
        if piece.startswith("{"):
            slot = piece[1:-1]
            assert slot in SPELLINGS or slot.lstrip("+-") in tables(), piece
            assert (slot[0] in "+-") == (slot.lstrip("+-") in SENTIMENT), piece


def test_kinds_hold_the_words_that_they_promise() -> None:
    for kinds in (TITLES, SENTENCES):
        for kind in KINDS:
            for template in kinds[kind].strip().splitlines():
                signs = {sign for sign in "+-" if "{" + sign in template}
                assert (
                    signs
                    == {"neutral": set(), "plain": {"+"}, "feint": {"+"}, "negated": {"-"}, "contrast": {"+", "-"}}[
                        kind
                    ]
                ), template
