"""Files from strangers: nothing in a data folder or a model folder runs code, leads out of it, or crashes who reads it.

`FUZZ_EXAMPLES=5000` tries more of each kind than the suite's handful.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentiment_pipeline import layout
from sentiment_pipeline.engine import manifest
from sentiment_pipeline.engine.files import sha256
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.models.model_folder import load_model

from sentiment_pipeline.settings import load, read_last_run
from sentiment_pipeline.text.dictionary import MergedDictionary, write_merged
from sentiment_pipeline.text.encode import write_encoded
from sentiment_pipeline.text.tables import map_arrow
from sentiment_pipeline.text.vocabulary import write_counts, write_vocabulary
from sentiment_pipeline.training.checkpoint import Checkpoints
from sentiment_pipeline.training.job import Job
from sentiment_pipeline.training.trainer import train
from tests.faults.processes import draw, run
from tests.training.examples import make_job, model_config, runtime_config, training_config

Copy = Callable[[Path], Path]
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
fuzz = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=4), each, max_size=3),
    max_leaves=6,
)


def mutations(content: bytes) -> st.SearchStrategy[bytes]:
    """The content with some bytes replaced, cut out or put in."""
    change = st.tuples(st.integers(0, len(content)), st.integers(0, 8), st.binary(max_size=8))

    def apply(changes: list[tuple[int, int, bytes]]) -> bytes:
        mutated = content
        for place, removed, inserted in changes:
            mutated = mutated[:place] + inserted + mutated[place + removed :]
        return mutated

    return st.lists(change, min_size=1, max_size=4).map(apply)


def replaced(value: Any, path: list[int], new: Any) -> Any:
    """A JSON value in which the one that a path of numbers leads to is another."""
    if not path or not isinstance(value, dict) or not value:
        return new
    name = sorted(value)[path[0] % len(value)]
    return {**value, name: replaced(value[name], path[1:], new)}


def refuse_to_unpickle() -> None:
    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "pickle.find_class":
            raise RuntimeError(f"something was unpickled: {arguments}")

    sys.addaudithook(hook)


def test_nothing_is_unpickled(options: list[object], finished: Path, copy: Copy, tmp_path: Path) -> None:
    assert run("run", *options, "--data-dir", tmp_path / "new", fault=refuse_to_unpickle).code == 0
    folder = copy(finished)
    (folder / "training" / "model.safetensors").unlink()
    for command in (
        ["run", *options, "--data-dir", folder],
        ["verify", "--data-dir", folder],
        ["status", "--data-dir", folder],
        ["predict", "--model", folder / "model", str(options[3])],
    ):
        ended = run(*command, fault=refuse_to_unpickle)
        assert ended.code == 0, ended.stderr


@given(data=st.data())
@fuzz
def test_sealed_manifests(data: st.DataObject, prepared: Path, tmp_path: Path) -> None:
    """Of whatever shape, with a seal that fits: only what is a manifest of files inside the folder is read as one."""
    step = "encode/packed/train"
    body = json.loads((prepared / layout.manifest(step)).read_bytes())
    del body["sha256"]
    mutated = replaced(body, data.draw(st.lists(st.integers(0, 9), max_size=4)), data.draw(values))
    if isinstance(mutated, dict):
        mutated["sha256"] = manifest.fingerprint(mutated)
    path = tmp_path / layout.manifest(step)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(mutated))
    try:
        found = manifest.read(tmp_path, step)
    except PipelineError as error:
        assert str(path) in str(error)
    else:
        assert found
        assert len(found.damage(tmp_path)) == len(found.outputs)
        assert all((tmp_path / name).resolve().is_relative_to(tmp_path.resolve()) for name in found.outputs)


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "packed/../../outside"])
def test_a_sealed_manifest_that_leads_outside(name: str, prepared: Path, copy: Copy) -> None:
    folder = copy(prepared)
    path = folder / layout.manifest("encode/packed/test")
    body = json.loads(path.read_bytes())
    del body["sha256"]
    body["outputs"][name] = {"bytes": 0, "sha256": ""}
    path.write_text(json.dumps({**body, "sha256": manifest.fingerprint(body)}))
    ended = run("verify", "--data-dir", folder)
    assert ended.code == 1
    assert "leads outside the data folder" in ended.stdout


@given(data=st.data())
@fuzz
def test_settings_of_the_last_run(data: st.DataObject, finished: Path, tmp_path: Path) -> None:
    content = (finished / "settings.json").read_bytes()
    mutated = data.draw(
        mutations(content)
        | st.tuples(st.lists(st.integers(0, 99), max_size=3), values).map(
            lambda each: json.dumps(replaced(json.loads(content), *each)).encode()
        )
    )
    (tmp_path / "settings.json").write_bytes(mutated)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sentiment_pipeline.settings.default_preset", lambda: "quick")
        try:
            load({}, base=read_last_run(tmp_path))
        except SettingsError as error:
            assert "\n" not in str(error)


@given(data=st.data())
@fuzz
def test_settings_files(data: st.DataObject, options: list[object], tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(data.draw(mutations(Path(str(options[-1])).read_bytes())))
    try:
        load({"preset": "quick"}, path)
    except SettingsError as error:
        assert "\n" not in str(error)


@given(data=st.data())
@fuzz
def test_model_configs(data: st.DataObject, finished: Path, tmp_path: Path) -> None:
    content = (finished / "model" / layout.MODEL_CONFIG).read_bytes()
    shutil.copytree(finished / "model", tmp_path, dirs_exist_ok=True)
    (tmp_path / layout.MODEL_CONFIG).write_bytes(
        data.draw(
            mutations(content)
            | st.tuples(st.lists(st.integers(0, 99), max_size=3), values).map(
                lambda each: json.dumps(replaced(json.loads(content), *each)).encode()
            )
        )
    )
    try:
        _, config = load_model(tmp_path)
        load_encoder(tmp_path, config)
    except PipelineError as error:
        assert str(tmp_path) in str(error)


def try_vocabularies(model: Path, folder: Path, contents: list[bytes]) -> None:
    """Load each as the vocabulary of a model whose config vouches for it; end well if each is read or refused."""
    config = json.loads((model / layout.MODEL_CONFIG).read_bytes())
    for content in contents:
        (folder / "vocabulary.parquet").write_bytes(content)
        try:
            load_encoder(folder, {**config, "vocabulary_sha256": sha256(folder / "vocabulary.parquet")})
        except PipelineError as error:
            assert "vocabulary.parquet" in str(error)
    sys.exit(77)


def test_vocabularies(finished: Path, tmp_path: Path) -> None:
    """In a process of its own, because a damaged Parquet file may end the one that reads it."""
    content, random = (finished / "model" / "vocabulary.parquet").read_bytes(), draw("vocabularies")
    mutated = []
    for _ in range(EXAMPLES):
        place = random.choice([random.randrange(len(content)), len(content) - random.randrange(1, 500)])
        mutated.append(content[:place] + random.randbytes(random.randrange(4)) + content[place + random.randrange(4) :])
    ended = run("--help", fault=partial(try_vocabularies, finished / "model", tmp_path, mutated))
    assert ended.code == 77, ended.stderr


@pytest.mark.parametrize(
    "table",
    [
        {"word": ["a"]},
        {"token": [1, 2]},
        {"token": ["a", None]},
        {"token": []},
        {"token": [["a"], []]},
        {"token": ["_PAD", "_UNK"]},
    ],
)
def test_a_parquet_file_that_is_no_vocabulary(table: dict[str, list[object]], finished: Path, tmp_path: Path) -> None:
    pq.write_table(pa.table(table), tmp_path / "vocabulary.parquet")
    config = json.loads((finished / "model" / layout.MODEL_CONFIG).read_bytes())
    config["vocabulary_sha256"] = sha256(tmp_path / "vocabulary.parquet")
    with pytest.raises(PipelineError, match=r"vocabulary\.parquet"):
        load_encoder(tmp_path, config)


def try_intermediate(data_dir: Path, mutated: list[tuple[str, bytes]]) -> None:
    """Let the step that reads it use each as it is; end well if each ends in a result or an error."""
    shards = sorted(data_dir.glob("tokens/t*/*.dictionary.arrow"))
    unions = {kind: sorted(data_dir.glob(f"tokens/merged/{kind}-*.arrow")) for kind in ("rows", "tokens")}
    chunks, reviews = data_dir / "tokens/test/part-00000.chunks.arrow", data_dir / "ingest/test/part-00000.parquet"
    counts, out = sorted(data_dir.glob("vocabulary/train/*.arrow")), [data_dir / "out-1", data_dir / "out-2"]
    count, last = pq.read_metadata(reviews).num_rows, len(shards) - 1
    config = load({"preset": "quick", "train": reviews, "test": reviews, "data_dir": data_dir}).vocabulary
    with map_arrow(shards[0]) as (batch,):
        distinct = len(batch)
    sizes = []
    for path in unions["tokens"]:
        with map_arrow(path) as (batch,):
            sizes.append(len(batch))
    union, splits = MergedDictionary(unions["rows"], sizes), np.zeros(count, np.uint8)

    def encode() -> None:
        write_encoded(reviews, chunks, union.of_shard(last), data_dir / layout.CHUNK_IDS, splits, {"train": out[0]})

    uses: dict[str, Callable[[], object]] = {
        ".dictionary.": lambda: write_merged(shards, 0, 2, *out),
        ".chunks.": lambda: [write_counts(chunks, distinct, np.ones(count, bool), out[0]), encode()],
        "rows-": lambda: [write_vocabulary(config, union, unions["tokens"], counts, *out), encode()],
        "tokens-": lambda: write_vocabulary(config, union, unions["tokens"], counts, *out),
        "vocabulary/train": lambda: write_vocabulary(config, union, unions["tokens"], counts, *out),
        "chunk-ids": encode,
    }
    for name, content in mutated:
        before = (data_dir / name).read_bytes()
        (data_dir / name).write_bytes(content)
        with suppress(Exception):  # a traceback is an error too; a crash, a hang or all memory is none
            next(use for part, use in uses.items() if part in name)()
        (data_dir / name).write_bytes(before)
    sys.exit(77)


@pytest.mark.parametrize(
    "name",
    [
        "tokens/test/part-00000.dictionary.arrow",
        "tokens/test/part-00000.chunks.arrow",
        "tokens/merged/rows-000.arrow",
        "tokens/merged/tokens-000.arrow",
        "vocabulary/train/part-00000.arrow",
        "vocabulary/chunk-ids.arrow",
    ],
)
def test_intermediate_files(name: str, prepared: Path, copy: Copy) -> None:
    """Those that only steps read, with hashes that would fit; in a process of its own, which must not crash."""
    folder, random = copy(prepared), draw(name)
    content, mutated = (folder / name).read_bytes(), []
    for _ in range(EXAMPLES):
        near_end = len(content) - random.randrange(1, min(2000, len(content)))
        place = random.choice([random.randrange(len(content)), near_end])
        changed = bytearray(content)
        changed[place : place + random.randrange(5)] = random.randbytes(random.randrange(5))
        mutated.append((name, bytes(changed)))
    ended = run("--help", fault=partial(try_intermediate, folder, mutated))
    assert ended.code == 77, ended.stderr


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A training whose newest checkpoint has two steps to go."""
    job = make_job(tmp_path_factory.mktemp("begun"), model_config(), training_config(), runtime_config())
    train(job)
    sorted(job.checkpoints.glob("*.json"))[-1].unlink()
    return job


tensors = st.builds(torch.full, st.lists(st.integers(0, 3), max_size=2), st.sampled_from([0.0, 1.0, float("nan")]))


@given(path=st.lists(st.integers(0, 99), max_size=4), new=values | tensors)
@fuzz
def test_contents_of_checkpoints(begun: Job, path: list[int], new: Any) -> None:
    """Whole ones with a description that fits, as someone might write them: taken up, or refused with one line."""
    with TemporaryDirectory() as name:
        job = replace(begun, checkpoints=Path(name, "checkpoints"))
        shutil.copytree(begun.checkpoints, job.checkpoints)
        checkpoints = Checkpoints(job.checkpoints, job.identity())
        state = checkpoints.latest()
        assert state is not None
        checkpoints.save(1_000, replaced(state, path, new))
        try:
            train(job)
        except PipelineError as error:
            assert "\n" not in str(error)
