"""`push` and `hf://` against a stand-in for the Hub, in processes of their own: its client reads its address once."""

import json
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from huggingface_hub import ModelCard, ModelCardData

from sentiment_pipeline.errors import SettingsError
from sentiment_pipeline.hub import local_folder, push
from tests.hub import TOKEN, Hub, running_hub, use_hub
from tests.processes import Ended, run


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub() as hub:
        yield hub


def ask(url: str, home: Path, *arguments: object, token: str = TOKEN) -> Ended:
    return run(*arguments, fault=partial(use_hub, url, home, token))


def test_a_model_is_pushed_and_used_from_there(hub: Hub, trained: Path, tmp_path: Path) -> None:
    model = trained / "model"
    pushed = ask(hub.url, tmp_path, "push", "--model", model, "us/reviews", "--private", "--license", "mit")
    assert (pushed.code, pushed.stdout) == (0, f"{hub.url}/us/reviews\n"), pushed.stderr
    assert hub.created[0]["visibility"] == "private"
    files = hub.repositories["us/reviews"]
    assert set(files) == {path.name for path in model.iterdir()}
    assert {name for name in files if files[name] != (model / name).read_bytes()} == {"README.md"}
    card = ModelCard(files["README.md"].decode())
    assert isinstance(card.data, ModelCardData)
    assert card.data.license == "mit"
    accuracy = json.loads((trained / "metrics.json").read_text())["test"]["accuracy"]
    assert {each.metric_type: each.metric_value for each in card.data.eval_results or ()}["accuracy"] == accuracy
    assert card.text.strip() == ModelCard.load(model / "README.md").text.strip()

    (tmp_path / "texts").write_text("not bad at all\nboring\n")
    here = run("predict", "--model", model, tmp_path / "texts")
    there = ask(hub.url, tmp_path, "predict", "--model", "hf://us/reviews", tmp_path / "texts")
    assert (there.code, there.stdout) == (0, here.stdout), there.stderr
    nowhere = f"http://127.0.0.1:{free_port()}"
    again = ask(nowhere, tmp_path, "predict", "--model", "hf://us/reviews", tmp_path / "texts")
    assert (again.code, again.stdout) == (0, here.stdout), "the cache suffices without a network"


def test_what_goes_wrong_on_the_way_is_one_line(hub: Hub, trained: Path, tmp_path: Path) -> None:
    model, nowhere = trained / "model", f"http://127.0.0.1:{free_port()}"
    for url, token, arguments, words in (
        (hub.url, "wrong", ["push", "--model", model, "us/reviews"], "run hf auth login, or set HF_TOKEN"),
        (nowhere, TOKEN, ["push", "--model", model, "us/reviews"], "us/reviews: the Hub"),
        (hub.url, TOKEN, ["predict", "--model", "hf://us/nothing"], "no such repository, or it is private"),
        (nowhere, TOKEN, ["predict", "--model", "hf://us/nothing"], "the Hub cannot be reached"),
        (hub.url, TOKEN, ["push", "--model", tmp_path, "us/reviews"], "is missing; name a model folder"),
    ):
        ended = ask(url, tmp_path, *arguments, token=token)
        assert ended.code == 1
        assert words in ended.stderr
        assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert not any(hub.repositories.values())


@pytest.mark.parametrize("name", ["", "reviews", "a/b/c", "a b/c", "-a/b", "a/b--c/"])
def test_what_is_no_name_of_a_repository_is_refused(name: str, trained: Path) -> None:
    with pytest.raises(SettingsError, match="is no name of a repository; give OWNER/NAME"):
        push(trained / "model", name)
    with pytest.raises(SettingsError, match="is no name of a repository; give OWNER/NAME"):
        local_folder(f"hf://{name}")


def test_a_path_is_a_path(tmp_path: Path) -> None:
    assert local_folder(str(tmp_path)) == tmp_path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
