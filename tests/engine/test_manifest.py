import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import write_text
from sentiment_pipeline.engine.manifest import fingerprint, read, record, recorded_steps
from sentiment_pipeline.errors import PipelineError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_text(tmp_path / "out" / "a.bin", "some bytes")
    record(tmp_path, "stage/part", {"seed": 1}, ("out/a.bin",), {"reviews": 3})
    return tmp_path


def test_a_recorded_manifest_is_read_back(folder: Path) -> None:
    manifest = read(folder, "stage/part")
    assert manifest is not None
    assert (manifest.step, dict(manifest.depends), dict(manifest.facts)) == ("stage/part", {"seed": 1}, {"reviews": 3})
    assert manifest.outputs["out/a.bin"].bytes == 10
    assert manifest.damage(folder) == []
    assert read(folder, "stage/other") is None


def test_the_fingerprint_is_of_what_it_depends_on_alone(folder: Path) -> None:
    again = record(folder, "stage/part", {"seed": 1}, ("out/a.bin",), {"reviews": 4})
    other = record(folder, "stage/part", {"seed": 2}, ("out/a.bin",), {"reviews": 3})
    assert again.fingerprint == fingerprint({"seed": 1}) != other.fingerprint


def test_damage_is_named(folder: Path) -> None:
    manifest = read(folder, "stage/part")
    assert manifest is not None
    (folder / "out" / "a.bin").write_text("same bytes")
    assert manifest.damage(folder) == ["out/a.bin: damaged (its SHA-256 differs)"]
    (folder / "out" / "a.bin").write_text("fewer")
    assert manifest.damage(folder) == ["out/a.bin: 5 bytes instead of 10"]
    (folder / "out" / "a.bin").unlink()
    assert manifest.damage(folder) == ["out/a.bin: missing"]


def test_every_flipped_bit_of_a_manifest_is_found(folder: Path) -> None:
    path = folder / layout.manifest("stage/part")
    whole = path.read_bytes()
    before = read(folder, "stage/part")
    for index in range(len(whole)):
        damaged = bytearray(whole)
        damaged[index] ^= 1 << index % 8
        path.write_bytes(damaged)
        try:  # white space may change without harm; nothing else may
            assert read(folder, "stage/part") == before
        except PipelineError as error:
            assert str(path) in str(error)


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "out/../../a", ""])
def test_names_cannot_lead_outside_the_folder(folder: Path, name: str) -> None:
    path = folder / layout.manifest("stage/part")
    body = json.loads(path.read_text())
    body["outputs"] = {name: body["outputs"]["out/a.bin"]}
    del body["sha256"]
    path.write_text(json.dumps({**body, "sha256": fingerprint(body)}))
    with pytest.raises(PipelineError, match="outside the data folder"):
        read(folder, "stage/part")


@given(
    st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["format", "step", "outputs", "sha256", "depends", "facts", "x"]), inner, max_size=7
                )
            ),
            max_leaves=12,
        ).map(lambda value: json.dumps(value).encode()),
    )
)
@settings(max_examples=300)
def test_any_file_is_a_manifest_or_an_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    path = folder / layout.manifest("step")
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(PipelineError):
        read(folder, "step")


def test_a_pipe_in_its_place_does_not_block(tmp_path: Path) -> None:
    path = tmp_path / layout.manifest("stage/step")
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    with pytest.raises(PipelineError, match="not a regular file"):
        read(tmp_path, "stage/step")


@pytest.mark.parametrize(
    "change",
    [
        {"depends": [1]},
        {"facts": 3},
        {"outputs": {"a": {"bytes": "x", "sha256": ""}}},
        {"outputs": {"a": {"bytes": 1}}},
        {"outputs": {"../a": {"bytes": 1, "sha256": ""}}},
    ],
)
def test_a_right_checksum_alone_makes_no_manifest(tmp_path: Path, change: dict[str, object]) -> None:
    body = {"format": 1, "step": "stage/step", "depends": {}, "outputs": {}, "facts": {}, **change}
    write_text(tmp_path / layout.manifest("stage/step"), json.dumps({**body, "sha256": fingerprint(body)}))
    with pytest.raises(PipelineError, match="is damaged"):
        read(tmp_path, "stage/step")


def test_a_missing_fact_is_an_expected_failure(tmp_path: Path) -> None:
    record(tmp_path, "stage/step", {}, (), {"reviews": 3})
    manifest = read(tmp_path, "stage/step")
    assert manifest is not None
    assert manifest.facts["reviews"] == 3
    with pytest.raises(PipelineError, match="lacks parts"):
        manifest.facts["parts"]


def test_the_steps_with_a_manifest_are_listed(tmp_path: Path) -> None:
    assert recorded_steps(tmp_path) == []
    for step in (
        "train",
        "encode/test/part-00001",
        "encode/test/part-00000",
        "encode/train/part-00000",
        "predict/a.txt",
    ):
        record(tmp_path, step, {}, (), {})
    assert recorded_steps(tmp_path) == [
        "encode/test/part-00000",
        "encode/test/part-00001",
        "encode/train/part-00000",
        "predict/a.txt",
        "train",
    ]
    assert recorded_steps(tmp_path, "encode/test") == ["encode/test/part-00000", "encode/test/part-00001"]
    assert recorded_steps(tmp_path, "train") == ["train"]
    assert recorded_steps(tmp_path, "encode/t") == []
