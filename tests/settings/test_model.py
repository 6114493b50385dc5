from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sentiment_pipeline.errors import SettingsError
from sentiment_pipeline.settings import GROUPS, PRESETS, Choices, load, preset, recall, remember, validated


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_holds_every_value_and_nothing_else(name: str) -> None:
    values = preset(name)
    assert set(values) == set(GROUPS)
    for group, kind in GROUPS.items():
        assert set(values[group]) == {each.name for each in fields(kind)}
    assert load({"preset": name}).preset == name


def test_the_seed_is_the_tutorials_recipe() -> None:
    seed = load({"preset": "tutorial"})
    assert (seed.ingest.train_lines, seed.ingest.test_lines) == (800_000, 200_000)
    assert (seed.vocabulary.min_count, seed.vocabulary.max_size, seed.vocabulary.unknown) == (2, 0, "_PAD")
    assert (seed.model.embedding, seed.model.hidden, seed.model.layers, seed.model.dropout) == (400, 512, 2, 0.5)
    assert (seed.model.length, seed.model.padding, seed.model.pooling) == (200, "left", "last")
    assert (seed.training.epochs, seed.training.batch_size, seed.training.learning_rate) == (2, 400, 0.005)
    assert (seed.training.clip_norm, seed.training.validate_every, seed.training.best) == (5.0, 1000, "loss")


def test_assignments_go_over_the_file_and_the_file_over_the_preset(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('preset = "tutorial"\ntrain = "reviews.bz2"\n[vocabulary]\nmin_count = 3\nmax_size = 7\n')
    settings = load({"data_dir": tmp_path}, path, ["vocabulary.min_count=5", "model.cell=scratch"])
    assert (settings.preset, settings.train, settings.data_dir) == ("tutorial", Path("reviews.bz2"), tmp_path)
    assert (settings.vocabulary.min_count, settings.vocabulary.max_size) == (5, 7)
    assert settings.model.cell == "scratch"
    assert settings.model.embedding == 400


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
        ("preset=best", ["preset", "'quick'", "not 'best'"]),
        ("vocabulary=3", ["vocabulary"]),
        ("min_count", ["--set takes group.name=VALUE"]),
        ("execution.runner=dask", ["execution.dask_address is empty"]),
        ("split.fraction=0.0", ["split.fraction is 0"]),
    ],
)
def test_a_wrong_value_is_refused_by_name(assignment: str, words: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        load({"preset": None if assignment.startswith("preset") else "quick"}, None, [assignment])
    assert all(word in str(caught.value) for word in words), str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_number_is_refused_outside_its_range() -> None:
    tried = 0
    for group, kind in GROUPS.items():
        for each in fields(kind):
            for limit, beyond in (("ge", -1), ("gt", 0), ("le", 1), ("lt", 0)):
                if limit in each.metadata:
                    with pytest.raises(SettingsError, match=f"{group}.{each.name}"):
                        validated({group: {each.name: each.metadata[limit] + beyond}})
                    tried += 1
    assert tried > 60


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.toml"):
        load({}, tmp_path / "absent.toml")
    (tmp_path / "broken.toml").write_bytes(b"\xff[")
    with pytest.raises(SettingsError, match=r"broken\.toml"):
        load({}, tmp_path / "broken.toml")


def test_a_run_remembers_its_settings(tmp_path: Path) -> None:
    assert recall(tmp_path) == {}
    settings = load({"data_dir": tmp_path, "preset": "tutorial", "train": "a.bz2"}, None, ["vocabulary.min_count=4"])
    remember(settings)
    absolute = replace(settings, train=Path("a.bz2").absolute())  # so that it is found from any folder
    assert load({}, base=recall(tmp_path)) == absolute
    remember(replace(settings, train=None))
    assert load({}, base=recall(tmp_path)) == absolute
    assert load({}, None, ["vocabulary.min_count=5"], recall(tmp_path)).vocabulary.min_count == 5
    (tmp_path / "settings.json").write_text("[]")
    with pytest.raises(SettingsError, match=r"settings\.json is damaged"):
        recall(tmp_path)


def test_the_form_shows_what_a_person_needs() -> None:
    schema = Choices.model_json_schema()
    assert schema["properties"]["preset"]["anyOf"][0]["enum"] == list(PRESETS)
    for group in GROUPS:
        properties = schema["$defs"][schema["properties"][group]["$ref"].rpartition("/")[2]]["properties"]
        for name, field in properties.items():
            assert field["description"], f"{group}.{name}"
            kinds = [option for option in field["anyOf"] if option.get("type") in ("integer", "number")]
            for kind in kinds:
                assert {"minimum", "exclusiveMinimum"} & set(kind), f"{group}.{name}"
                assert {"maximum", "exclusiveMaximum"} & set(kind), f"{group}.{name}"


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)


@given(
    st.dictionaries(
        st.sampled_from([*GROUPS, "train", "preset", "other"]),
        scalars
        | st.dictionaries(
            st.sampled_from(["min_count", "share", "length", "pooling", "x"]),
            scalars | st.lists(scalars, max_size=2),
            max_size=3,
        ),
        max_size=4,
    )
)
@hypothesis_settings(max_examples=300, deadline=None)
def test_any_values_make_settings_or_one_clear_line(values: dict[str, Any]) -> None:
    try:
        load({"preset": "quick"}, base=values)
    except SettingsError as error:
        assert str(error)
