from sentiment_pipeline.stages.leaderboard import leaderboard_lines, run_row
from sentiment_pipeline.stages.run_history import Figures, RecordedRun


def recorded_run(accuracy: float | None, test_reviews: str = "these", **changed: object) -> RecordedRun:
    """A run; `training_epochs=3` is a setting that it changed."""
    figures = Figures(reviews=10_000, accuracy=accuracy, standard_error=accuracy and 0.0025, loss=0.25)
    return RecordedRun(
        fingerprint="",
        finished="2026-11-27T12:30:59+00:00",
        seconds=185.0,
        preset="quick",
        changed={name.replace("_", ".", 1): value for name, value in changed.items()},
        training_reviews=90_000,
        test_reviews=test_reviews,
        test=figures,
        validation=figures,
        link="",
    )


def test_the_figures_of_a_run_in_words() -> None:
    runs = [recorded_run(0.9, "others"), recorded_run(0.85, training_epochs=3)]
    assert run_row(runs[1], runs) == {
        "test accuracy": "85.00% ± 0.25%",
        "loss": "0.25",
        "validation": "85.00% ± 0.25%",
        "test reviews": "10,000",
        "trained on": "90,000",
        "duration": "3 min 5 s",
        "finished": "2026-11-27 12:30",
        "settings": "quick, training.epochs=3",
    }
    assert run_row(runs[0], runs)["test reviews"] == "10,000 others"
    none = recorded_run(None)
    assert run_row(none, [none])["test accuracy"] == "–"


def test_the_best_come_first_in_aligned_columns() -> None:
    runs = [recorded_run(0.9, "others"), recorded_run(0.8), recorded_run(0.85, training_epochs=3)]
    header, *rows, note = leaderboard_lines(runs)
    assert [row.split()[0] for row in rows] == ["85.00%", "80.00%", "90.00%"]
    assert {line.index(word) for line, word in zip([header, *rows], ["dur", *["3 min"] * 3], strict=True)} == {
        header.index("duration")
    }
    assert note.startswith("others: tested on other reviews")


def test_what_all_runs_changed_is_said_once() -> None:
    runs = [recorded_run(0.9, model_hidden=8), recorded_run(0.8, model_hidden=8, training_epochs=3)]
    _, first, second, note = leaderboard_lines(runs)
    assert first.endswith("  quick")
    assert second.endswith("  quick, training.epochs=3")
    assert note == "all with model.hidden=8"


def test_one_run_and_none() -> None:
    _, only = leaderboard_lines([recorded_run(0.9, model_hidden=8)])
    assert only.endswith("quick, model.hidden=8")
    assert list(leaderboard_lines([])) == ["no run was evaluated in this folder yet"]
