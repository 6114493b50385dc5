from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sentiment_pipeline.errors import SettingsError
from sentiment_pipeline.settings import GROUPS, load, write_last_run


def test_assignments_go_over_the_file_and_the_file_over_the_preset(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('preset = "tutorial"\ntrain = "reviews.bz2"\n[vocabulary]\nmin_count = 3\nmax_size = 7\n')
    settings = load({"data_dir": tmp_path}, path, ["vocabulary.min_count=5", "model.cell=scratch"])
    assert (settings.preset, settings.train, settings.data_dir) == (
        "tutorial",
        (Path("reviews.bz2").absolute(),),
        tmp_path,
    )
    assert (settings.vocabulary.min_count, settings.vocabulary.max_size) == (5, 7)
    assert settings.model.cell == "scratch"
    assert settings.model.embedding == 400


def test_every_source_goes_over_the_one_before_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[training]\nepochs = 2\nbatch_size = 2\nngram_folds = 2\n")
    settings = load(
        {"preset": "quick", "train": None},
        path,
        ["training.batch_size=4"],
        base={"preset": "tutorial", "train": "a.txt", "training": {"epochs": 1}},
        groups={"training": {"ngram_folds": 3, "batch_size": 3}},
    )
    training = settings.training
    assert (settings.preset, settings.train) == ("quick", (Path("a.txt").absolute(),))
    assert (training.epochs, training.ngram_folds, training.batch_size) == (2, 3, 4)


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("vocabulary.min_count=0", ["vocabulary.min_count", "not 0", "at least 1"]),
        ("vocabulary.min_count=5.5", ["vocabulary.min_count", "integer"]),
        ("vocabulary.min_count=true", ["vocabulary.min_count", "integer"]),
        ("vocabulary.size=1", ["vocabulary.size is not a setting", "min_count", "max_size"]),
        ("vocabularies.min_count=1", ["vocabularies is not a setting", "vocabulary"]),
        ("model.pooling=median", ["model.pooling", "'max_mean'", "not 'median'"]),
        ("training.learning_rate=nan", ["training.learning_rate", "more than 0"]),
        ("split.fraction=1.0", ["split.fraction", "less than 1"]),
        ("split.seed=9223372036854775808", ["split.seed", "less than 2^63"]),
        ("preset=best", ["preset", "'quick'", "not 'best'"]),
        ("vocabulary=3", ["vocabulary"]),
        ("min_count", ["--set takes group.name=VALUE"]),
        ("data_dir.name=1", ["data_dir"]),
        ("execution.runner=dask", ["execution.dask_address is empty"]),
        ("split.fraction=0.0", ["split.fraction is 0"]),
    ],
)
def test_a_wrong_value_is_refused_by_name(assignment: str, words: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        load({"preset": None if assignment.startswith("preset") else "quick"}, None, [assignment])
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_wrong_values_are_named_at_once() -> None:
    with pytest.raises(SettingsError, match=r"training\.seed: .*; training\.epochs: "):
        load({"preset": "quick"}, None, ["training.epochs=0", "training.seed=-1"])


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.toml"):
        load({}, tmp_path / "absent.toml")
    (tmp_path / "broken.toml").write_bytes(b"\xff[")
    with pytest.raises(SettingsError, match=r"broken\.toml"):
        load({}, tmp_path / "broken.toml")


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)


@given(
    st.dictionaries(
        st.sampled_from([*GROUPS, "train", "preset", "other"]),
        scalars
        | st.dictionaries(
            st.sampled_from(["min_count", "fraction", "length", "pooling", "x"]),
            scalars | st.lists(scalars, max_size=2),
            max_size=3,
        ),
        max_size=4,
    )
)
@hypothesis_settings(max_examples=300)
def test_any_values_make_settings_or_one_clear_line(values: dict[str, Any]) -> None:
    try:
        load({"preset": "quick"}, base=values)
    except SettingsError as error:
        assert str(error)
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("learning_rate=.001", 0.001),
        ("learning_rate=+.5e-1", 0.05),
        ("learning_rate=1.", 1.0),
        ("learning_rate=1e-3", 0.001),
        ("epochs=1_000", 1000),
    ],
)
def test_numbers_may_be_written_as_in_python(text: str, value: float) -> None:
    name = text.partition("=")[0]
    assert getattr(load({"preset": "quick"}, None, [f"training.{text}"]).training, name) == value


@pytest.mark.parametrize(("text", "value"), [("True", True), ("False", False), ("true", True)])
def test_truth_values_may_be_written_as_in_python(text: str, value: bool) -> None:
    assert load({"preset": "quick"}, None, [f"model.bidirectional={text}"]).model.bidirectional is value


def test_a_byte_order_mark_is_no_setting(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"\xef\xbb\xbf[training]\nepochs = 7\n")
    assert load({"preset": "quick"}, tmp_path / "mine.toml").training.epochs == 7


def test_the_settings_of_a_run_are_a_settings_file(tmp_path: Path) -> None:
    made = load({"data_dir": tmp_path, "preset": "quick"}, None, ["training.epochs=7", "model.hidden=32"])
    write_last_run(made)
    assert load({}, tmp_path / "settings.json") == made


def test_settings_of_another_version_are_named_with_what_to_do() -> None:
    base = {"preset": "quick", "training": {"optimizer": "adam"}}
    with pytest.raises(SettingsError, match=r"those of another version \(training\.optimizer is not .*give --preset"):
        load({}, None, (), base)
