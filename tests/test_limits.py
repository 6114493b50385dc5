import doctest
from dataclasses import asdict

import pytest

from sentiment_pipeline import limits
from sentiment_pipeline.errors import SettingsError
from sentiment_pipeline.limits import config_from_values, limits_in_words
from sentiment_pipeline.models.config import ModelConfig
from tests.training.examples import model_config


def test_a_config_survives_being_plain_values() -> None:
    assert config_from_values(ModelConfig, asdict(model_config()), "model") == model_config()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden", 0),
        ("hidden", 8193),
        ("hidden", 8.0),
        ("hidden", True),
        ("hidden", "8"),
        ("hidden", None),
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("dropout", float("nan")),
        ("pooling", "median"),
        ("pooling", ["max"]),
        ("bidirectional", 1),
        ("embedding_std", 0),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(SettingsError, match=f"config.json: {name} must be"):
        config_from_values(ModelConfig, {**asdict(model_config()), name: value}, "config.json")


@pytest.mark.parametrize("values", [None, [], {}, {**asdict(model_config()), "more": 1}])
def test_other_names_are_refused(values: object) -> None:
    with pytest.raises(SettingsError, match="must hold exactly"):
        config_from_values(ModelConfig, values, "config.json")


def test_an_integer_does_for_a_float() -> None:
    assert config_from_values(ModelConfig, {**asdict(model_config()), "dropout": 0}, "model").dropout == 0


def test_limits_are_written_in_words() -> None:
    assert limits_in_words({"ge": 0, "lt": 1, "description": "a fraction"}) == "at least 0 and less than 1"
    assert limits_in_words({"gt": 0, "le": 5}) == "more than 0 and at most 5"
    assert limits_in_words({}) == ""


def test_the_example_in_the_docstring() -> None:
    assert doctest.testmod(limits) == (0, 1)
