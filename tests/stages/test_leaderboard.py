from sentiment_pipeline.stages.leaderboard import leaderboard, leaderboard_lines
from sentiment_pipeline.stages.run_history import Figures, RecordedRun


def run(accuracy: float | None, test_reviews: str = "these", **changed: object) -> RecordedRun:
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
    )


def test_a_row_a_run_the_best_first() -> None:
    rows = leaderboard([run(0.9, "others"), run(0.8), run(0.85, training_epochs=3)])
    assert [row["test accuracy"] for row in rows] == ["85.00% ± 0.25%", "80.00% ± 0.25%", "90.00% ± 0.25%"]
    assert rows[0] == {
        "test accuracy": "85.00% ± 0.25%",
        "loss": "0.25",
        "validation": "85.00% ± 0.25%",
        "test reviews": "10,000",
        "trained on": "90,000",
        "duration": "3 min 5 s",
        "finished": "2026-11-27 12:30",
        "settings": "quick, training.epochs=3",
    }
    assert rows[2]["test reviews"] == "10,000 others"
    assert leaderboard([run(None)])[0]["test accuracy"] == "–"


def test_the_columns_of_the_lines_are_aligned() -> None:
    header, first, second, note = leaderboard_lines([run(0.9, "others"), run(0.85, training_epochs=3)])
    assert header.index("duration") == first.index("3 min") == second.index("3 min")
    assert note.startswith("others: tested on other reviews")
    assert len(list(leaderboard_lines([run(0.9), run(0.8)]))) == 3
    assert list(leaderboard_lines([])) == ["no run was evaluated in this folder yet"]
