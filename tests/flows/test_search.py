"""The search as a flow: each trial is a task run; a table of all."""

import tomllib
from pathlib import Path
from typing import Any

from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from flows.search import search
from tests.flows.user import Prefect


def test_a_search_prepares_tries_and_continues(prefect: Prefect, settings: dict[str, Any]) -> None:
    def trials(number: int) -> list[str]:
        run = prefect.call(search, settings, number, ["model.word_dropout"])
        assert run.state
        assert run.state.is_completed(), run.state.message
        return [task.name for task in prefect.tasks(run) if task.name.startswith("trial")]

    wanted = ArtifactFilter(key=ArtifactFilterKey(any_=["trials"]))
    before = len(prefect.client.read_artifacts(artifact_filter=wanted))
    assert trials(1) == ["trial-000"]
    assert trials(2) == ["trial-001"]
    assert trials(2) == []
    best = tomllib.loads(Path(settings["data_dir"], "search/best.toml").read_text())
    assert best["model"].items() >= settings["model"].items()  # what was chosen, and what was found
    assert "word_dropout" in best["model"]
    assert len(prefect.client.read_artifacts(artifact_filter=wanted)) == before + 2
