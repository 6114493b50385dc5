from pathlib import Path

import pytest

from sentiment_pipeline.engine.files import write_text
from sentiment_pipeline.engine.manifest import read, recorded_steps
from sentiment_pipeline.engine.stage import Run, open_folder, planned_states
from sentiment_pipeline.errors import PipelineError, SettingsError
from tests.engine.toy import JOIN, STAGES, WRITE, Words, run_toy

NOTHING = [
    "write: 0 to do, 2 finished",
    "write: 0 done, 2 skipped",
    "join: 0 to do, 1 finished",
    "join: 0 done, 1 skipped",
]


def test_stages_run_in_order_and_finished_steps_are_skipped(tmp_path: Path) -> None:
    assert run_toy(tmp_path) == [
        "write: 2 to do, 0 finished",
        "write: write/one",
        "write: write/two",
        "write: 2 done, 0 skipped",
        "join: 1 to do, 0 finished",
        "join: {'step': 1}",
        "join: join",
        "join: 1 done, 0 skipped",
    ]
    assert (tmp_path / "joined.txt").read_text() == "one two"
    assert run_toy(tmp_path) == NOTHING


def test_a_changed_setting_redoes_only_what_depends_on_it(tmp_path: Path) -> None:
    run_toy(tmp_path)
    assert run_toy(tmp_path, separator="-")[:2] == NOTHING[:2]
    assert (tmp_path / "joined.txt").read_text() == "one-two"
    run_toy(tmp_path, words=("two", "three"))
    assert (tmp_path / "joined.txt").read_text() == "two three"


def test_a_damaged_file_alone_is_made_again(tmp_path: Path) -> None:
    run_toy(tmp_path)
    (tmp_path / "out" / "two.txt").write_text("too")
    assert run_toy(tmp_path) == [
        "write: 1 to do, 1 finished",
        "write: write/two",
        "write: 1 done, 1 skipped",
        *NOTHING[2:],
    ]


def test_files_and_manifests_of_earlier_settings_are_deleted_and_nothing_else(tmp_path: Path) -> None:
    run_toy(tmp_path)
    mine = [tmp_path / "out" / "notes.md", tmp_path / "mine.txt", tmp_path / "drafts" / "mine.txt"]
    for path in mine:
        write_text(path, "mine")
    run_toy(tmp_path, words=("one",))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["notes.md", "one.txt"]
    assert recorded_steps(tmp_path) == ["join", "write/one"]
    assert all(path.read_text() == "mine" for path in mine)


def test_a_failure_keeps_what_was_done(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="bad cannot be written"):
        run_toy(tmp_path, words=("one", "bad", "two"))
    assert recorded_steps(tmp_path) == ["write/one"]


def test_what_cannot_be_done_here_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be written here"):
        run_toy(tmp_path, words=("impossible",))
    assert recorded_steps(tmp_path) == []


def test_opening_a_folder_locks_it_and_deletes_what_killed_runs_left(tmp_path: Path) -> None:
    run_toy(tmp_path)
    left = [".settings.json.12.tmp", "out/.one.txt.12.tmp", "manifests/.join.json.12.tmp", "drafts/damaged.txt"]
    kept = ["drafts/draft.txt", "elsewhere/.a.12.tmp"]
    for name in (*left, *kept):
        write_text(tmp_path / name, "text")
    with open_folder(tmp_path, STAGES):
        assert not any((tmp_path / name).exists() for name in left)
        assert all((tmp_path / name).exists() for name in kept)
        with pytest.raises(PipelineError, match="in use by another run"), open_folder(tmp_path, STAGES):
            pass


def test_steps_are_planned_up_to_the_first_unfinished_list(tmp_path: Path) -> None:
    run = Run(tmp_path, Words())

    def planned() -> dict[str, list[str]]:
        return {
            stage: [f"{step.name} {state.condition.value}" for step, state in states]
            for stage, states in planned_states(run, STAGES)
        }

    assert planned() == {"write": ["write/one unfinished", "write/two unfinished"]}
    run_toy(tmp_path, [WRITE])
    assert planned() == {"write": ["write/one finished", "write/two finished"], "join": ["join unfinished"]}
    assert recorded_steps(tmp_path) == ["write/one", "write/two"], "planning does nothing"


def test_a_stage_finds_its_files_by_its_patterns(tmp_path: Path) -> None:
    run_toy(tmp_path)
    (tmp_path / "out" / "folder.txt").mkdir()
    assert {path.name for path in WRITE.files(tmp_path)} == {"one.txt", "two.txt"}
    assert {path.name for path in JOIN.files(tmp_path)} == {"joined.txt"}


def test_a_missing_manifest_names_the_step(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="write/one is not finished"):
        Run(tmp_path, None).manifest("write/one")


def test_an_intact_manifest_vouches_for_its_outputs(tmp_path: Path) -> None:
    run_toy(tmp_path)
    run = Run(tmp_path, Words())
    assert run.intact_manifest("join") == read(tmp_path, "join")
    (tmp_path / "joined.txt").write_text("one twö")
    with pytest.raises(PipelineError, match=r"joined\.txt: .* run the stages before this one again"):
        run.intact_manifest("join")
    (tmp_path / "joined.txt").unlink()
    with pytest.raises(PipelineError, match=r"joined\.txt: missing"):
        run.intact_manifest("join", "joined.txt")


def test_settings_must_be_those_of_the_finished_step(tmp_path: Path) -> None:
    run = Run(tmp_path, Words())
    run.require_same("join", join={"separator": "-"})  # there is no such step yet
    run_toy(tmp_path)
    run.require_same("join", join={"separator": " ", "a setting that the step does not depend on": 1})
    with pytest.raises(PipelineError, match=r"join is finished with other settings \(join\.separator:   -> -\)"):
        run.require_same("join", join={"separator": "-"})


@pytest.mark.parametrize("name", ["out/one.txt", "joined.txt", "settings.json", ".lock"])
def test_a_folder_of_the_users_own_is_refused_and_left_as_it_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    with pytest.raises(PipelineError, match=f"would replace: {name};"), open_folder(tmp_path, STAGES):
        pass
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == [path]
    assert path.read_text() == "mine"


def test_other_files_in_the_folder_are_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for _ in range(2):
        with open_folder(tmp_path, STAGES):
            (tmp_path / "joined.txt").write_text("of a run that was killed before its manifest")
