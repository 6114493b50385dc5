"""The flows of the stages, called in this process: what they skip, what they do again, and what they refuse."""

from pathlib import Path
from typing import Any

import pytest
from prefect.exceptions import PrefectHTTPStatusError

from flows.pipeline import prepare
from tests.flows.user import Prefect, states, written
from tests.folders import contents, of_file


def test_a_new_run_skips_and_says_why_and_rebuilds_what_is_damaged(
    prefect: Prefect, settings: dict[str, Any], finished: Path
) -> None:
    before, bytes_before = written(finished), contents(finished)
    tasks = prefect.tasks(prefect.call(prepare, settings), at_least=5)
    assert states(tasks) == dict.fromkeys(("ingest", "tokenize", "quality", "vocabulary", "encode"), "Skipped")
    messages = [str(task.state.message) for task in tasks if task.state]
    assert all("steps finished before" in message for message in messages), messages
    assert written(finished) == before

    damaged, deleted = (
        finished / "shards/train/part-00000.parquet",
        finished / of_file(finished, "ingest/test/part-00000.parquet"),
    )
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    deleted.unlink()
    tasks = prefect.tasks(prefect.call(prepare, settings), at_least=7)
    done = {name for name, state in states(tasks).items() if state == "Completed" and "/" in name}
    assert done == {of_file(finished, name) for name in ("ingest/test/part-00000", "encode/train/part-00000")}
    assert contents(finished) == bytes_before


def test_prepare_makes_the_same_bytes_as_the_command_line(
    prefect: Prefect, settings: dict[str, Any], trained: Path
) -> None:
    run = prefect.call(prepare, settings)
    assert run.state
    assert run.state.is_completed(), run.state.message
    assert set(states(prefect.tasks(run, last="encode")).values()) == {"Completed"}
    made, expected = contents(Path(settings["data_dir"])), contents(trained)
    assert made
    assert made == {name: expected[name] for name in made}


def test_a_wrong_value_is_refused_before_the_run_begins(prefect: Prefect, settings: dict[str, Any]) -> None:
    for group, value, named in (
        ("vocabulary", {"min_count": 0}, "min_count"),
        ("model", {"hiden": 1}, "hiden"),
        ("preset", "fast", "preset"),
    ):
        with pytest.raises(PrefectHTTPStatusError, match=named) as refused:
            prefect.start("pipeline", settings={**settings, group: value})
        assert refused.value.response.status_code == 409
