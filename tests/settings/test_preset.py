from dataclasses import fields

import pytest
import torch

from sentiment_pipeline.settings import GROUPS, PRESETS, default_preset, load, preset


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_holds_every_value_and_nothing_else(name: str) -> None:
    values = preset(name)
    assert set(values) == set(GROUPS)
    for group, kind in GROUPS.items():
        assert set(values[group]) == {each.name for each in fields(kind)}
    settings = load({"preset": name})
    assert settings.preset == name
    assert all(
        getattr(getattr(settings, group), each) == value for group in GROUPS for each, value in values[group].items()
    )


def test_tutorial_is_the_recipe_of_the_tutorial() -> None:
    tutorial = load({"preset": "tutorial"})
    assert (tutorial.ingest.train_lines, tutorial.ingest.test_lines) == (800_000, 200_000)
    assert tutorial.split.validation == "test"
    vocabulary, model, training = tutorial.vocabulary, tutorial.model, tutorial.training
    assert (vocabulary.min_count, vocabulary.max_size, vocabulary.unknown) == (2, 0, "_PAD")
    assert (model.embedding, model.hidden, model.layers, model.dropout) == (400, 512, 2, 0.5)
    assert (model.length, model.padding, model.pooling) == (200, "left", "last")
    assert (model.bidirectional, model.ngrams, model.has_linear_head) == (False, 0, False)
    assert (training.epochs, training.batch_size, training.learning_rate) == (2, 400, 0.005)
    assert (training.clip_norm, training.validate_every) == (5.0, 1000)
    assert (training.schedule, training.weight_decay, training.beta2) == ("constant", 0.0, 0.999)


@pytest.mark.parametrize(("has_gpu", "name"), [(True, "full"), (False, "quick")])
def test_full_is_the_default_with_a_gpu(monkeypatch: pytest.MonkeyPatch, has_gpu: bool, name: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)
    assert default_preset() == name
    assert load({}).preset == name
