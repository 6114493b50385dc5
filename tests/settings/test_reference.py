import sys
from dataclasses import fields

import pytest

from sentiment_pipeline.errors import SettingsError
from sentiment_pipeline.settings import GROUPS, Choices
from sentiment_pipeline.settings.reference import print_reference, reference
from tests.conftest import ROOT


def test_the_page_in_the_documentation_is_current() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    assert page == reference(), "run: sentiment-pipeline settings > docs/settings.md"


def test_every_setting_is_a_row_of_its_group() -> None:
    for group, kind in GROUPS.items():
        section = reference(group)
        rows = [line for line in section.splitlines() if line.startswith("| `")]
        assert [row.split("`")[1] for row in rows] == [f"{group}.{each.name}" for each in fields(kind)]
        assert {row.count(" | ") for row in rows} == {5}
        assert section in reference()
    top_level = reference().split("\n## ")[1]
    assert [f"| `{name}` |" in top_level for name in Choices.model_fields] == [
        name not in GROUPS for name in Choices.model_fields
    ]


@pytest.mark.parametrize(
    ("group", "row"),
    [
        ("ingest", "| `ingest.train_lines` | Lines to read from the start of the training file; 0: all | "
         "integer, at least 0 and at most 2^40 | 800_000 | 0 | 0 |"),
        ("model", "| `model.bidirectional` | Read each review backwards, too | true or false | false | true | true |"),
        ("training", "| `training.learning_rate` | Peak learning rate | number, more than 0 and at most 100 | "
         "0.005 | 0.002 | 0.003 |"),
        ("execution", "| `execution.dask_address` | Address of the Dask scheduler, for example "
         "`tcp://10.0.0.5:8786`; only for the runner `dask` | text, at most 1,000 characters |  |  |  |"),
    ],
)  # fmt: skip
def test_a_row_says_meaning_limits_and_values(group: str, row: str) -> None:
    assert row in reference(group).splitlines()


def test_an_unknown_group_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="network is not a group of settings; there are: input, ingest, cleaning"):
        reference("network")


def test_a_terminal_gets_tables_and_a_file_gets_markdown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    print_reference("split")
    assert capsys.readouterr().out == reference("split")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "150")
    print_reference("split")
    out = capsys.readouterr().out
    assert "split.fraction" in out
    assert "|" not in out
