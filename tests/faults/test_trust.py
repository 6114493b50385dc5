"""Files from strangers: nothing in a data folder or model folder runs code, leads outside, or crashes its reader.

`FUZZ_EXAMPLES=5000` tries more examples of each kind.
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
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_pipeline import layout
from sentiment_pipeline.engine import manifest
from sentiment_pipeline.engine.files import sha256
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.predict import Predictor
from sentiment_pipeline.settings import load, read_last_run
from sentiment_pipeline.text.dictionary import MergedDictionary, write_merged
from sentiment_pipeline.text.encode import ids_of_merged, write_encoded
from sentiment_pipeline.text.tables import map_arrow
from sentiment_pipeline.text.vocabulary import write_counts, write_vocabulary
from sentiment_pipeline.training.checkpoint import Checkpoints
from sentiment_pipeline.training.job import Job
from sentiment_pipeline.training.train import train
from tests.folders import of_file
from tests.processes import draw, run
from tests.training.examples import make_job, model_config, runtime_config, training_config

Copy = Callable[[Path], Path]
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
fuzz = settings(max_examples=EXAMPLES)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=4), each, max_size=3),
    max_leaves=6,
)


def mutations(content: bytes) -> st.SearchStrategy[bytes]:
    """The content with some bytes replaced, deleted or inserted."""
    change = st.tuples(st.integers(0, len(content)), st.integers(0, 8), st.binary(max_size=8))

    def apply(changes: list[tuple[int, int, bytes]]) -> bytes:
        mutated = content
        for position, removed, inserted in changes:
            mutated = mutated[:position] + inserted + mutated[position + removed :]
        return mutated

    return st.lists(change, min_size=1, max_size=4).map(apply)


def replaced(value: Any, path: list[int], new: Any) -> Any:
    """A JSON value with another one at a path, whose numbers choose a key of each object on the way."""
    if not path or not isinstance(value, dict) or not value:
        return new
    name = sorted(value)[path[0] % len(value)]
    return {**value, name: replaced(value[name], path[1:], new)}


def refuse_to_unpickle() -> None:
    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "pickle.find_class":
            raise RuntimeError(f"something was unpickled: {arguments}")

    sys.addaudithook(hook)


def test_nothing_is_unpickled(options: list[object], reviews: Path, finished: Path, copy: Copy, tmp_path: Path) -> None:
    assert run("run", *options, "--data-dir", tmp_path / "new", fault=refuse_to_unpickle).code == 0
    folder = copy(finished)
    (folder / "training" / "model.safetensors").unlink()
    for command in (
        ["run", *options, "--data-dir", folder],
        ["verify", "--data-dir", folder],
        ["status", "--data-dir", folder],
        ["predict", "--model", folder / "model", reviews / "test.ft.txt.bz2"],
    ):
        ended = run(*command, fault=refuse_to_unpickle)
        assert ended.code == 0, ended.stderr


@given(data=st.data())
@fuzz
def test_sealed_manifests(data: st.DataObject, prepared: Path, tmp_path: Path) -> None:
    """Of any shape, with a matching checksum: only a manifest of files inside the folder is read as one."""
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
def test_settings_files(data: st.DataObject, tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(data.draw(mutations(tiny.read_bytes())))
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
        Predictor(tmp_path)
    except PipelineError as error:
        assert str(tmp_path) in str(error)


def load_vocabulary(model: Path, write: Callable[[Path], object]) -> None:
    """Load a model with another vocabulary that its config vouches for.

    Raises:
        PipelineError: it is refused.
    """
    write(model / layout.MODEL_VOCABULARY)
    config = json.loads((model / layout.MODEL_CONFIG).read_bytes())
    config["vocabulary_sha256"] = sha256(model / layout.MODEL_VOCABULARY)
    (model / layout.MODEL_CONFIG).write_text(json.dumps(config))
    Predictor(model)


def try_vocabularies(model: Path, contents: list[bytes]) -> None:
    """Load each as the vocabulary of the model; exit with 77 if each is read or refused."""
    for content in contents:
        try:
            load_vocabulary(model, partial(Path.write_bytes, data=content))
        except PipelineError as error:
            assert "vocabulary.parquet" in str(error)
    sys.exit(77)


def test_vocabularies(finished: Path, copy: Copy) -> None:
    """In a process of its own, because a damaged Parquet file may crash the one that reads it."""
    model = copy(finished) / "model"
    content, random = (model / "vocabulary.parquet").read_bytes(), draw("vocabularies")
    mutated = []
    for _ in range(EXAMPLES):
        start = random.choice([random.randrange(len(content)), len(content) - random.randrange(1, 500)])
        mutated.append(content[:start] + random.randbytes(random.randrange(4)) + content[start + random.randrange(4) :])
    ended = run("--help", fault=partial(try_vocabularies, model, mutated))
    assert ended.code == 77, ended.stderr


@pytest.mark.parametrize(
    "columns",
    [
        lambda size: {"word": ["a"] * size},
        lambda size: {"token": range(size)},
        lambda size: {"token": [*["a"] * (size - 1), None]},
        lambda size: {"token": [["a"]] * size},
        lambda size: {"token": []},
        lambda size: {"token": ["_PAD", "_UNK"]},
    ],
    ids=["no tokens", "numbers", "null", "lists", "empty", "too few"],
)
def test_a_parquet_file_that_is_not_a_vocabulary(
    columns: Callable[[int], dict[str, list[object]]], finished: Path, copy: Copy
) -> None:
    model = copy(finished) / "model"
    table = pa.table(columns(pq.read_metadata(model / layout.MODEL_VOCABULARY).num_rows))
    with pytest.raises(PipelineError, match=r"vocabulary\.parquet"):
        load_vocabulary(model, partial(pq.write_table, table))


def try_intermediate(data_dir: Path, name: str, mutated: list[bytes]) -> None:
    """Let the step that reads the file use each in its place; exit with 77 if each ends in a result or an error."""
    shards = sorted(data_dir.glob("tokens/t*/*/*.dictionary.arrow"))
    merged = {kind: sorted(data_dir.glob(f"tokens/merged/{kind}-*.arrow")) for kind in ("rows", "tokens")}
    chunks, reviews = (
        next(data_dir.glob("tokens/test/*/part-00000.chunks.arrow")),
        next(data_dir.glob("ingest/test/*/part-00000.parquet")),
    )
    counts, out = sorted(data_dir.glob("vocabulary/train/*/*.arrow")), [data_dir / "out-1", data_dir / "out-2"]
    last = len(shards) - 1
    config = load({"preset": "quick", "train": reviews, "test": reviews, "data_dir": data_dir}).vocabulary
    with map_arrow(shards[0]) as (batch,):
        distinct = len(batch)
    sizes = []
    for path in merged["tokens"]:
        with map_arrow(path) as (batch,):
            sizes.append(len(batch))
    dictionary = MergedDictionary(merged["rows"], sizes)

    def splits(hashes: np.ndarray, row: int) -> np.ndarray:
        return np.zeros(len(hashes), np.uint8)

    def make_vocabulary() -> object:
        return write_vocabulary(config, dictionary, merged["tokens"], counts, *out)

    def encode() -> object:
        chunk_ids = ids_of_merged(dictionary.of_shard(last), data_dir / layout.CHUNK_IDS)
        return write_encoded(reviews, chunks, chunk_ids, splits, {"train": out[0]})

    uses: dict[str, Callable[[], object]] = {
        ".dictionary.": lambda: write_merged(shards, 0, 2, *out),
        ".chunks.": lambda: (write_counts(chunks, distinct, splits, out[0]), encode()),
        "rows-": lambda: (make_vocabulary(), encode()),
        "tokens-": make_vocabulary,
        "vocabulary/train": make_vocabulary,
        "chunk-ids": encode,
    }
    use = next(use for part, use in uses.items() if part in name)
    use()  # of the intact file
    for content in mutated:
        (data_dir / name).write_bytes(content)
        with suppress(Exception):  # a traceback is an error too; a crash, a hang or the use of all memory is not
            use()
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
    """Those that only steps read, as if their hashes were right; in a process of its own, which must not crash."""
    folder, random, name = copy(prepared), draw(name), of_file(prepared, name)
    content, mutated = (folder / name).read_bytes(), []
    for _ in range(EXAMPLES):
        near_end = len(content) - random.randrange(1, min(2000, len(content)))
        start = random.choice([random.randrange(len(content)), near_end])
        changed = bytearray(content)
        changed[start : start + random.randrange(5)] = random.randbytes(random.randrange(5))
        mutated.append(bytes(changed))
    ended = run("--help", fault=partial(try_intermediate, folder, name, mutated))
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
    """Intact ones with a matching description, as someone might write them: resumed from, or refused in one line."""
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
