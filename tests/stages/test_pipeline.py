from pathlib import Path

import pytest

from sentiment_pipeline.engine.executor import ProcessExecutor
from sentiment_pipeline.engine.stage import planned_states, run_stage
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.progress import PlainObserver
from sentiment_pipeline.stages.pipeline import PREPARE, STAGES, TRAIN, open_data_folder
from tests.stages.conftest import Settings, done, run_in


def test_what_is_finished_is_not_done_again(finished: Path, made: Settings) -> None:
    assert done(made(finished)) == set()


def test_what_earlier_settings_left_is_swept_up_and_nothing_else(finished: Path, made: Settings) -> None:
    stale = [
        finished / "shards" / "train" / "part-00009.parquet",
        finished / "manifests/encode/train/part-00009.json",
        finished / "tokens" / "train" / "part-00007.chunks.arrow",
    ]
    mine = [finished / name for name in ("shards/train/notes.txt", "tokens/mine.arrow", "training/thesis.md")]
    for path in (*stale, *mine):
        path.write_text("mine")
    assert done(made(finished)) == set()
    assert not any(path.exists() for path in stale)
    assert all(path.read_text() == "mine" for path in mine)


def test_every_output_is_among_what_its_stage_may_publish(finished: Path, made: Settings) -> None:
    run = run_in(made(finished))
    for stage, (_, states) in zip(STAGES, planned_states(run), strict=True):
        outputs = {finished / name for step, _ in states for name in step.outputs}
        assert set(stage.files(finished)) == outputs


def test_a_folder_is_held_for_one_run(finished: Path, made: Settings) -> None:
    with (
        open_data_folder(made(finished)),
        pytest.raises(PipelineError, match="in use by another run"),
        open_data_folder(made(finished)),
    ):
        pass


def test_training_by_itself_refuses_other_settings_of_prepare(finished: Path, made: Settings) -> None:
    with pytest.raises(PipelineError, match=r"vocabulary\.min_count: 2 -> 9"):
        done(made(finished, "vocabulary.min_count=9"), TRAIN)
    assert done(made(finished, "vocabulary.min_count=9"), (*PREPARE, *TRAIN)) == {"vocabulary", "encode", "train"}


@pytest.mark.parametrize(
    ("after", "path"),
    [
        ("ingest", "ingest/train/part-00000.parquet"),
        ("tokenize", "tokens/train/part-00000.chunks.arrow"),
        ("tokenize", "tokens/merged/tokens-000.arrow"),
        ("vocabulary", "vocabulary/chunk-ids.arrow"),
    ],
)
def test_damage_between_two_stages_of_a_run_is_not_built_upon(
    finished: Path, made: Settings, tmp_path: Path, after: str, path: str
) -> None:
    """A bit that flips after a file was published is found before what was made of it counts."""
    folder = tmp_path / "fresh"
    with open_data_folder(made(folder)) as run, ProcessExecutor(1) as executor:
        watching = PlainObserver(lambda line: None)
        for stage in PREPARE:
            if stage.name in FOLLOWING[after] and (folder / path).exists():
                with pytest.raises(PipelineError, match=f"{path}: damaged"):
                    run_stage(run, stage, executor, watching)
                break
            run_stage(run, stage, executor, watching)
            if stage.name == after:
                content = bytearray((folder / path).read_bytes())
                content[len(content) // 2] ^= 1
                (folder / path).write_bytes(content)
    done(made(folder), PREPARE)
    for name in ("vocabulary.parquet", "packed/train/ids.npy", "shards/train/part-00000.parquet"):
        assert (folder / name).read_bytes() == (finished / name).read_bytes()


FOLLOWING = {"ingest": ("tokenize",), "tokenize": ("vocabulary",), "vocabulary": ("encode",)}


def test_what_training_cannot_have_is_refused_before_preparing(finished: Path, made: Settings) -> None:
    with pytest.raises(SettingsError, match=r"training\.precision is fp16"):
        done(made(finished, "training.precision=fp16", "runtime.device=cpu", "ingest.train_lines=50"))
    assert done(made(finished)) == set()
    assert done(made(finished, "training.precision=fp16", "runtime.device=cpu"), PREPARE) == set()
