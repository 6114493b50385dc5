"""The search as a flow: a task run a trial, and a table of them."""

import tomllib
from pathlib import Path
from typing import Any

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from flows.search import search
from sentiment_pipeline.settings import Choices
from tests.flows.conftest import Prefect


def test_a_search_prepares_tries_and_goes_on(
    prefect: Prefect, client: SyncPrefectClient, settings: dict[str, Any]
) -> None:
    def names(trials: int) -> list[str]:
        state: Any = search(Choices.model_validate(settings), trials, ["model.word_dropout"], return_state=True)
        assert state.is_completed(), state.message
        run = client.read_flow_run(state.state_details.flow_run_id)
        return [task.name for task in prefect.tasks(run) if task.name.startswith("trial")]

    wanted = ArtifactFilter(key=ArtifactFilterKey(any_=["trials"]))
    before = len(client.read_artifacts(artifact_filter=wanted))
    assert names(1) == ["trial-000"]
    assert names(2) == ["trial-001"]
    assert names(2) == []
    best = tomllib.loads(Path(settings["data_dir"], "search/best.toml").read_text())
    assert best["model"].items() >= settings["model"].items()  # what was chosen, and what was found
    assert "word_dropout" in best["model"]
    assert len(client.read_artifacts(artifact_filter=wanted)) == before + 2
