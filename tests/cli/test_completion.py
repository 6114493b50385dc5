import json
import os
from functools import partial

import pytest

from sentiment_pipeline.settings import GROUPS, PRESETS
from tests.processes import run


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["pre"], ["prepare", "predict"]),
        (["run", "--preset", ""], list(PRESETS)),
        (["run", "--preset", "tut"], ["tutorial"]),
        (["train", "--set", "training.learn"], ["training.learning_rate="]),
        (["settings", ""], list(GROUPS)),
        (["settings", "voc"], ["vocabulary"]),
        (["settings", "nothing"], []),
    ],
)
def test_a_shell_completes_commands_presets_and_settings(words: list[str], offered: list[str]) -> None:
    assert run(fault=partial(press_tab, words)).stdout.split() == offered


def press_tab(words: list[str]) -> None:
    """Set what Bash sets when a user presses Tab at the end of these words."""
    os.environ["_SENTIMENT_PIPELINE_COMPLETE"] = "complete_bash"
    os.environ["COMP_WORDS"] = " ".join(["sentiment-pipeline", *words])
    os.environ["COMP_CWORD"] = str(len(words))


def test_settings_as_json_name_every_setting_once() -> None:
    found = json.loads(run("settings", "--json").stdout)
    assert {name.partition(".")[0] for name in found} == set(GROUPS)
    assert found["vocabulary.min_count"]["presets"] == {"tutorial": 2, "quick": 2, "full": 2}
    assert json.loads(run("settings", "vocabulary", "--json").stdout).items() <= found.items()
