"""The search as a flow, by its deployment and called: each trial is a task run; a table of all."""

import tomllib
from pathlib import Path
from typing import Any

from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import FlowRun

from flows.search import search
from tests.flows.user import Prefect


def test_a_search_prepares_tries_and_continues(prefect: Prefect, settings: dict[str, Any]) -> None:
    def trials(run: FlowRun, last: str = "") -> list[str]:
        state = prefect.wait(run)
        assert state.is_completed(), state.message
        return [task.name for task in prefect.tasks(run, last) if task.name.startswith("trial")]

    vary = ["model.word_dropout"]

    wanted = ArtifactFilter(key=ArtifactFilterKey(any_=["trials"]))
    before = len(prefect.client.read_artifacts(artifact_filter=wanted))
    assert trials(prefect.start("search", settings=settings, trials=1, vary=vary), "trial-000") == ["trial-000"]
    assert trials(prefect.call(search, settings, 2, vary), "trial-001") == ["trial-001"]
    assert trials(prefect.call(search, settings, 2, vary)) == []
    best = tomllib.loads(Path(settings["data_dir"], "search/best.toml").read_text())
    assert best["model"].items() >= settings["model"].items()  # what was chosen, and what was found
    assert "word_dropout" in best["model"]
    assert len(prefect.client.read_artifacts(artifact_filter=wanted)) == before + 2
