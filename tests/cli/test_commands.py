"""The command line as its users meet it: a process of its own, its output and its exit code.

The first run and wrong usage start Python anew, as users do; the rest is forked from a process that has imported it.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import ROOT
from tests.processes import Ended, run


def command(*arguments: object) -> Ended:
    """The command in an interpreter of its own."""
    ended = subprocess.run(
        [sys.executable, "-m", "sentiment_pipeline", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


@pytest.fixture(scope="module")
def options(sample: Path, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """The options of a run that has been done once."""
    folder = tmp_path_factory.mktemp("data")
    options = [
        "--train",
        sample / "train.ft.txt.bz2",
        "--test",
        sample / "test.ft.txt.bz2",
        "--data-dir",
        folder,
        "--config",
        tiny,
    ]
    result = command("run", *options)
    assert result.code == 0, result.stderr
    assert "test: accuracy" in result.stdout
    assert str(folder / "report.html") in result.stdout
    return options


@pytest.fixture
def folder(options: list[object]) -> Path:
    return Path(str(options[options.index("--data-dir") + 1]))


def test_a_run_leaves_what_the_interface_promises(folder: Path) -> None:
    vocabulary = pq.read_table(folder / "vocabulary.parquet")
    assert vocabulary.column_names == ["token", "count", "id"]
    assert vocabulary.slice(0, 2).to_pydict() == {"token": ["_PAD", "_UNK"], "count": [0, 0], "id": [0, 1]}
    assert vocabulary["id"].to_pylist() == list(range(len(vocabulary)))
    reviews = 0
    for split in ("train", "validation", "test"):
        for path in sorted((folder / "shards" / split).glob("part-*.parquet")):
            table = pq.read_table(path)
            assert table.column_names == ["label", "text", "token_ids"]
            reviews += len(table)
    assert reviews == 1500
    assert pq.read_schema(folder / "rejected" / "train.parquet").names == ["file", "line", "reason", "raw"]
    metrics = json.loads((folder / "metrics.json").read_text())
    assert set(metrics["test"]) >= {"accuracy", "loss", "reviews"}
    assert metrics["test"]["reviews"] == 150
    assert set(metrics["train"]) >= {"reviews_per_s", "tokens_per_s", "epochs", "steps"}
    assert metrics["prepare"]["reviews"] == 1500
    assert {path.name for path in (folder / "model").iterdir()} == {
        "model.safetensors",
        "config.json",
        "vocabulary.parquet",
        "README.md",
        "lineage.json",
    }
    report = (folder / "report.html").read_text()
    assert "http://" not in report.replace("http://www.w3.org", "")
    assert not list(folder.rglob("*.tmp"))


def test_a_second_run_does_nothing_but_say_so(options: list[object], folder: Path) -> None:
    before = {
        path: path.stat().st_mtime_ns for path in folder.rglob("*.*") if path.name not in ("settings.json", ".lock")
    }
    result = run("run", *options)
    assert result.code == 0
    assert result.stderr.count("nothing to do") == 8
    assert {path: path.stat().st_mtime_ns for path in before} == before
    metrics = json.loads((folder / "metrics.json").read_text())
    assert json.loads(run("run", *options, "--json").stdout) == metrics
    assert json.loads(run("evaluate", "--data-dir", folder, *options[-2:], "--json").stdout) == metrics


def test_a_changed_setting_redoes_what_depends_on_it(
    options: list[object], trained: Path, copy: Callable[[Path], Path]
) -> None:
    folder = copy(trained)
    kept = {path: path.stat().st_mtime_ns for name in ("ingest", "tokens") for path in (folder / name).rglob("*.*")}
    status = run("status", "--data-dir", folder, "--set", "vocabulary.min_count=3").stdout
    assert "vocabulary.min_count: 2 -> 3" in status
    stages = json.loads(run("status", "--data-dir", folder, "--set", "vocabulary.min_count=3", "--json").stdout)[
        "stages"
    ]
    assert [stage["stage"] for stage in stages][:4] == ["ingest", "tokenize", "quality", "vocabulary"]
    assert [stage["condition"] for stage in stages][:5] == [*["finished"] * 3, "stale", "waits"]
    assert "vocabulary.min_count: 2 -> 3" in stages[3]["steps"][0]["reason"]
    assert stages[4] == {"stage": "encode", "condition": "waits", "reason": "until vocabulary is finished", "steps": []}
    result = run("run", *options, "--data-dir", folder, "--set", "vocabulary.min_count=3")
    assert result.code == 0, result.stderr
    assert result.done == {"vocabulary", "encode", "train", "evaluate", "publish"}
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert min(pq.read_table(folder / "vocabulary.parquet")["count"].to_pylist()[2:]) == 3
    assert run("status", "--data-dir", folder).stdout.count("finished") == 16


def test_damage_is_named_and_exactly_that_is_rebuilt(options: list[object], folder: Path) -> None:
    assert run("verify", "--data-dir", folder).code == 0
    path = folder / "packed" / "test" / "ids.npy"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    found = run("verify", "--data-dir", folder)
    assert found.code == 1
    assert found.stdout == "packed/test/ids.npy: damaged (its SHA-256 differs)\n"
    as_json = run("verify", "--data-dir", folder, "--json")
    assert as_json.code == 1
    assert json.loads(as_json.stdout) == {"damaged": ["packed/test/ids.npy: damaged (its SHA-256 differs)"]}
    assert run("run", *options).code == 0
    assert path.read_bytes() == whole
    assert json.loads(run("verify", "--data-dir", folder, "--json").stdout) == {"damaged": []}


def test_the_parts_by_themselves(folder: Path, sample: Path, tiny: Path, tmp_path: Path) -> None:
    files = ["--train", sample / "train.ft.txt.bz2", "--test", sample / "test.ft.txt.bz2"]
    alone = ["--data-dir", tmp_path, "--config", tiny]
    early = run("train", *alone)
    assert early.code == 1
    assert "is not finished" in early.stderr
    assert run("prepare", *files, *alone).code == 0
    assert not (tmp_path / "training").exists()
    assert run("train", *alone).code == 0
    assert not (tmp_path / "metrics.json").exists()
    assert run("evaluate", *alone).code == 0
    figures = [json.loads((each / "metrics.json").read_text())["test"] for each in (folder, tmp_path)]
    assert figures[0] == figures[1]


def test_a_settings_file_may_name_the_reviews(sample: Path, tiny: Path, tmp_path: Path) -> None:
    files = "".join(f'{name} = "{sample}/{name}.ft.txt.bz2"\n' for name in ("train", "test"))
    (tmp_path / "mine.toml").write_text(files + tiny.read_text())
    result = run("train", "--config", tmp_path / "mine.toml", "--data-dir", tmp_path / "data")
    assert result.code == 0, result.stderr
    assert "ingest: " in result.stderr
    assert "train: 1 step done" in result.stderr
    status = run("status", "--data-dir", tmp_path / "data").stdout
    assert [line.split()[1] for line in status.splitlines() if not line.startswith(" ")] == [
        *["finished"] * 6,
        "unfinished",
        "waits",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "--set", "vocabulary.min_count=0"], 2, "vocabulary.min_count"),
        (["run", "--set", "vocabulary.size=1"], 2, "vocabulary.size is not a setting"),
        (["run", "--preset", "best"], 2, "preset"),
        (["run", "--config", "absent.toml"], 2, "absent.toml"),
        (["run"], 2, "--train FILE"),
        (["run", "--train", "absent.bz2", "--test", "absent.bz2"], 1, "absent.bz2"),
        (["verify"], 1, "run the pipeline first"),
        (["predict", "--model", "absent"], 1, "absent"),
    ],
)
def test_an_expected_error_is_one_clear_line(arguments: list[str], code: int, words: str, tmp_path: Path) -> None:
    folder = [] if arguments[0] == "predict" else ["--data-dir", tmp_path]
    quick = ["--preset", "quick"] if arguments[0] == "run" and "--preset" not in arguments else []
    result = run(*arguments, *quick, *folder)
    assert result.code == code
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1, result.stderr


def test_wrong_usage_is_refused() -> None:
    for arguments in (["run", "--no-such-option"], ["no-such-command"], ["sample", "x", "--reviews", "0"], ["predict"]):
        result = command(*arguments)
        assert (result.code, len(result.stderr.splitlines())) == (2, 1), result.stderr


def test_predictions_come_in_the_order_of_the_lines(folder: Path, sample: Path, tmp_path: Path) -> None:
    lines = ["not bad at all", "", "__label__1 I would not buy it again", "Ωμέγα 42 ☃"]
    text = tmp_path / "reviews.txt"
    text.write_text("\n".join(lines) + "\n")
    result = run("predict", "--model", folder / "model", text)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(answers) == 4
    for answer in answers:
        assert answer["label"] == ("positive" if answer["probability"] > 0.5 else "negative")
    assert (
        run(
            "predict", "--model", folder / "model", sample / "test.ft.txt.bz2", "--output", tmp_path / "many.parquet"
        ).code
        == 0
    )
    table = pq.read_table(tmp_path / "many.parquet").to_pydict()
    assert table["line"] == list(range(1, 151))
    truth = [
        label
        for path in sorted((folder / "shards" / "test").glob("*"))
        for label in pq.read_table(path)["label"].to_pylist()
    ]
    right = sum((said == "positive") == bool(label) for said, label in zip(table["label"], truth, strict=True))
    assert right / 150 == pytest.approx(json.loads((folder / "metrics.json").read_text())["test"]["accuracy"])


def test_runs_are_listed_compared_and_the_model_before_put_back(
    options: list[object], trained: Path, copy: Callable[[Path], Path], tmp_path: Path
) -> None:
    folder = copy(trained)
    assert run("promote", "--data-dir", folder).stderr.endswith(
        "no model before the published one; nothing was promoted\n"
    )
    assert run("run", *options, "--data-dir", folder, "--set", "training.seed=5").code == 0
    listed = json.loads(run("runs", "--data-dir", folder, "--json").stdout)["runs"]
    assert sorted(each["changed"].get("training.seed", 0) for each in listed) == [0, 5]
    lines = run("runs", "--data-dir", folder).stdout.splitlines()
    assert f"{100 * listed[0]['test']['accuracy']:.2f}% ± " in lines[1]
    models = [folder / "model-before", folder / "model"]
    differs = run("diff", *models)
    assert differs.code == 0
    assert "  training.seed  0 -> 5\n" in differs.stdout
    as_json = json.loads(run("diff", *models, "--json").stdout)
    assert as_json["a"] == str(models[0])
    assert as_json["settings"] == {"training.seed": [0, 5]}
    assert as_json["same_test_reviews"] is True
    assert run("diff", folder, models[1]).stdout.count(": the same\n") == 7
    before = [(each / "config.json").read_bytes() for each in models]
    promoted = run("promote", "--data-dir", folder)
    assert promoted.stdout.startswith(f"{models[1]} is the model before;")
    assert [(each / "config.json").read_bytes() for each in models] == before[::-1]
    assert run("verify", "--data-dir", folder).code == 0


def test_a_folder_that_says_nothing_of_itself_is_not_compared(trained: Path, tmp_path: Path) -> None:
    for folder, words in ((tmp_path, "holds no lineage.json"), (tmp_path / "absent", "is no folder")):
        result = run("diff", trained, folder)
        assert (result.code, len(result.stderr.splitlines())) == (1, 1)
        assert f"{folder} {words}" in result.stderr
    assert run("diff", trained).code == 2
    assert run("runs", "--data-dir", tmp_path / "absent").stdout == "no run was evaluated in this folder yet\n"
    assert not (tmp_path / "absent").exists()
