from dataclasses import fields
from pathlib import Path

import pytest
from pydantic import ValidationError

from sentiment_pipeline.errors import SettingsError
from sentiment_pipeline.settings import GROUPS, PRESETS, Choices, load


def test_a_choice_goes_over_the_preset() -> None:
    settings = Choices(preset="quick", training={"epochs": 7}).resolve()  # type: ignore[call-arg]
    assert settings.training.epochs == 7
    assert settings == load({"preset": "quick"}, assignments=["training.epochs=7"])


def test_paths_become_absolute() -> None:
    settings = Choices(train=Path("a.txt"), test=Path("~/b.txt"), preset="quick").resolve()  # type: ignore[call-arg]
    assert settings.train == (Path.cwd() / "a.txt",)
    assert settings.test == (Path.home() / "b.txt",)
    assert settings.data_dir == Path.cwd() / "data"


def test_every_number_is_refused_outside_its_range() -> None:
    tried = 0
    for group, kind in GROUPS.items():
        for each in fields(kind):
            for limit, beyond in (("ge", -1), ("gt", 0), ("le", 1), ("lt", 0)):
                if limit in each.metadata:
                    with pytest.raises(ValidationError, match=f"{group}.{each.name}"):
                        Choices.model_validate({group: {each.name: each.metadata[limit] + beyond}})
                    tried += 1
    assert tried > 60


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model": {"length": 400, "linear_length": 300}}, "model.linear_length is 300; it must be 0 or at least"),
        ({"execution": {"runner": "dask"}}, "execution.dask_address is empty"),
        ({"execution": {"training_nodes": 2}}, "execution.training_rendezvous is empty"),
        ({"split": {"fraction": 0.0}}, "split.fraction is 0"),
        ({"training": {"vectors": "absent.txt"}}, "training.vectors: there is no file absent.txt"),
    ],
)
def test_values_that_contradict_each_other_are_refused(values: dict[str, dict[str, object]], message: str) -> None:
    choices = Choices.model_validate({"preset": "quick", **values})
    with pytest.raises(SettingsError, match=message):
        choices.resolve()


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
