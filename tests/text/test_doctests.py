"""The worked examples in the docstrings of the folder run, and the functions that are hard to understand have one."""

import doctest
import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sentiment_pipeline import text
from sentiment_pipeline.inputs.bz2_blocks import decode_blocks
from sentiment_pipeline.text.chunks import _Kind, split_chunks
from sentiment_pipeline.text.dictionary import write_shard
from sentiment_pipeline.text.word_shapes import _collapse, tokenize_chunks

MODULES = [module.name for module in pkgutil.iter_modules(text.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_show(name: str, tmp_path: Path) -> None:
    module = importlib.import_module(f"{text.__name__}.{name}")
    assert doctest.testmod(module, extraglobs={"folder": tmp_path}).failed == 0


@pytest.mark.parametrize("hard", [split_chunks, _Kind, decode_blocks, tokenize_chunks, _collapse, write_shard])
def test_what_is_hard_has_an_example(hard: Callable[..., object]) -> None:
    examples = doctest.DocTestParser().get_examples(hard.__doc__ or "")
    assert [each for each in examples if each.want]
