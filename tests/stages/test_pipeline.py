import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sentiment_pipeline.engine.executor import ProcessExecutor
from sentiment_pipeline.engine.stage import planned_states, run_stage
from sentiment_pipeline.engine.status import status_lines
from sentiment_pipeline.engine.verify import damage
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.progress import PlainObserver
from sentiment_pipeline.stages.pipeline import PREPARE, STAGES, TRAIN, open_data_folder
from tests.conftest import PATIENCE, ROOT, MakeSettings
from tests.folders import of_file, run_here
from tests.stages.conftest import run_of


@pytest.mark.parametrize("module", ["sentiment_pipeline.stages.pipeline", "flows.pipeline"])
def test_planning_needs_neither_torch_nor_matplotlib(module: str) -> None:
    """So `status`, `verify`, `prepare` and a run with nothing to do start seconds sooner."""
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert not {"torch", "matplotlib"} & set(loaded.split())


def test_what_is_finished_is_not_done_again(finished: Path, make_settings: MakeSettings) -> None:
    assert run_here(make_settings(finished)) == set()


def test_what_earlier_settings_left_is_deleted_and_nothing_else(finished: Path, make_settings: MakeSettings) -> None:
    stale = [
        finished / "shards" / "train" / "part-00009.parquet",
        finished / of_file(finished, "manifests/encode/train/part-00009.json"),
        finished / of_file(finished, "tokens/train/part-00007.chunks.arrow"),
    ]
    mine = [finished / name for name in ("shards/train/notes.txt", "tokens/mine.arrow", "training/thesis.md")]
    for path in (*stale, *mine):
        path.write_text("mine")
    assert run_here(make_settings(finished)) == set()
    assert not any(path.exists() for path in stale)
    assert all(path.read_text() == "mine" for path in mine)


def test_every_output_is_among_what_its_stage_may_publish(finished: Path, make_settings: MakeSettings) -> None:
    run = run_of(make_settings(finished))
    for stage, (_, states) in zip(STAGES, planned_states(run, STAGES), strict=True):
        outputs = {finished / name for step, _ in states for name in step.outputs}
        assert set(stage.files(finished)) == outputs


def test_a_folder_is_held_for_one_run(finished: Path, make_settings: MakeSettings) -> None:
    with (
        open_data_folder(make_settings(finished)),
        pytest.raises(PipelineError, match="in use by another run"),
        open_data_folder(make_settings(finished)),
    ):
        pass


def test_training_alone_refuses_other_settings_of_prepare(finished: Path, make_settings: MakeSettings) -> None:
    with pytest.raises(PipelineError, match=r"vocabulary\.min_count: 2 -> 9"):
        run_here(make_settings(finished, "vocabulary.min_count=9"), TRAIN)
    assert run_here(make_settings(finished, "vocabulary.min_count=9"), (*PREPARE, *TRAIN)) == {
        "vocabulary",
        "encode",
        "train",
    }


@pytest.mark.parametrize(
    ("after", "path", "reader"),
    [
        ("ingest", "ingest/train/part-00000.parquet", "tokenize"),
        ("tokenize", "tokens/train/part-00000.chunks.arrow", "quality"),
        ("tokenize", "tokens/merged/tokens-000.arrow", "vocabulary"),
        ("vocabulary", "vocabulary/chunk-ids.arrow", "encode"),
    ],
)
def test_nothing_is_built_on_a_file_that_was_damaged_between_two_stages(
    finished: Path, make_settings: MakeSettings, tmp_path: Path, after: str, path: str, reader: str
) -> None:
    """A bit that flips after a file was published is found before what was made of it counts."""
    folder = tmp_path / "fresh"
    with open_data_folder(make_settings(folder)) as run, ProcessExecutor(1) as executor:
        watching = PlainObserver(lambda line: None)
        for stage in PREPARE:
            if stage.name == reader:
                with pytest.raises(PipelineError, match=f"{path}: damaged"):
                    run_stage(run, stage, executor, watching)
                break
            run_stage(run, stage, executor, watching)
            if stage.name == after:
                path = of_file(folder, path)
                content = bytearray((folder / path).read_bytes())
                content[len(content) // 2] ^= 1
                (folder / path).write_bytes(content)
    run_here(make_settings(folder), PREPARE)
    for name in ("vocabulary.parquet", "packed/train/ids.npy", "shards/train/part-00000.parquet"):
        assert (folder / name).read_bytes() == (finished / name).read_bytes()


def test_what_this_machine_cannot_train_is_refused_before_preparing(
    finished: Path, make_settings: MakeSettings
) -> None:
    with pytest.raises(SettingsError, match=r"training\.precision is fp16"):
        run_here(make_settings(finished, "training.precision=fp16", "runtime.device=cpu", "ingest.train_lines=50"))
    assert run_here(make_settings(finished)) == set()
    assert run_here(make_settings(finished, "training.precision=fp16", "runtime.device=cpu"), PREPARE) == set()


def test_status_names_each_stage_and_the_setting_that_made_one_stale(
    finished: Path, make_settings: MakeSettings
) -> None:
    found = list(status_lines(run_of(make_settings(finished)), STAGES))
    assert [line.split()[:2] for line in found] == [[stage.name, "finished"] for stage in STAGES]
    found = list(status_lines(run_of(make_settings(finished, "training.epochs=2")), STAGES))
    at = [line.split()[0] for line in found].index("train")
    assert found[at].split()[1] == "stale"
    assert found[at + 1] == "  train: stale: training.epochs: 1 -> 2"
    assert [line.split()[:2] for line in found[at + 2 :]] == [["evaluate", "waits"], ["publish", "waits"]]


def test_status_without_input_files(finished: Path, make_settings: MakeSettings) -> None:
    found = list(status_lines(run_of(replace(make_settings(finished), train=())), STAGES))
    assert found[0] == "ingest      unfinished  no train file is given; give one with --train FILE"
    assert found[-1] == "publish     waits       until ingest is finished"


def test_verify_finds_nothing_in_a_finished_folder_and_every_damage(finished: Path) -> None:
    assert damage(finished, STAGES) == []
    (finished / "manifests" / "train.json").unlink()
    checkpoint = min(finished.glob("checkpoints/*/*.pt"))
    checkpoint.write_bytes(b"damaged")
    assert damage(finished, STAGES) == [
        "manifests/train: missing, though later stages are finished",
        "training/history.jsonl: no manifest describes it",
        "training/model.safetensors: no manifest describes it",
        f"{checkpoint}: damaged or missing (its SHA-256 differs)",
    ]


SCRIPT = """
import sys
import sentiment_pipeline as sp
print("imported", flush=True)
processes = {"execution": {"workers": 2}, "runtime": {"loader_workers": 1}}
metrics = sp.run(sys.argv[1], sys.argv[2], config=sys.argv[3], settings=processes)
print(metrics["test"]["reviews"])
"""


def test_a_script_runs_the_pipeline_with_workers_and_no_main_guard(tmp_path: Path, sample: Path, tiny: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    result = subprocess.run(
        [sys.executable, "script.py", sample / "train.ft.txt.bz2", sample / "test.ft.txt.bz2", tiny],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (result.returncode, result.stdout) == (0, "imported\n150\n"), result.stderr
    assert damage(tmp_path / "data", STAGES) == []
