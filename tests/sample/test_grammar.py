import numpy as np

from sentiment_pipeline.sample.grammar import _KINDS, _SENTENCES, _TITLES, templates
from sentiment_pipeline.sample.lexicon import _SENTIMENT, tables
from sentiment_pipeline.sample.spelling import SPELLINGS

SIGNS = {"neutral": set(), "plain": {"+"}, "decoy": {"+"}, "negated": {"-"}, "contrast": {"+", "-"}}


def texts() -> list[str]:
    table = templates()
    return [
        "".join(table.vocabulary[piece] for piece in table.pieces[start:end])
        for start, end in zip(table.starts, table.starts[1:], strict=False)
    ]


def test_the_pieces_join_to_the_templates() -> None:
    found = texts()
    expected = [
        line.strip() + ending
        for kinds, ending in ((_TITLES, ": "), (_SENTENCES, "{.}"))
        for kind in _KINDS
        for line in kinds[kind].strip().splitlines()
    ]
    assert found == expected
    assert len(set(found)) == len(found)


def test_a_group_starts_at_its_first_template() -> None:
    table = templates()
    assert np.array_equal(table.first.ravel(), np.cumsum(table.counts) - table.counts.ravel())
    assert table.counts.sum() == len(table.starts) - 1
    contrast = table.first[1, _KINDS.index("contrast")]
    assert texts()[contrast].startswith(_SENTENCES["contrast"].split("{")[0].strip())


def test_slots_name_a_lexicon_or_a_spelling() -> None:
    for piece in templates().vocabulary:
        if piece.startswith("{"):
            slot = piece[1:-1]
            assert slot in SPELLINGS or slot.lstrip("+-") in tables(), piece
            assert (slot[0] in "+-") == (slot.lstrip("+-") in _SENTIMENT), piece


def test_the_kinds_have_the_slots_of_their_definition() -> None:
    for kinds in (_TITLES, _SENTENCES):
        for kind in _KINDS:
            for template in kinds[kind].strip().splitlines():
                signs = {sign for sign in "+-" if "{" + sign in template}
                assert signs == SIGNS[kind], template
