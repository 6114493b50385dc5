from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch import Tensor

from sentiment_pipeline.models.evaluation import evaluate
from sentiment_pipeline.training.context import Context
from sentiment_pipeline.training.distributed import Ranks
from sentiment_pipeline.training.objectives import Sentiment, _initial_model
from tests.training.examples import VOCABULARY, job_in

NONE: Mapping[str, Tensor] = {}
CPU = torch.device("cpu")


def test_validation_says_what_evaluation_says(tmp_path: Path) -> None:
    context = Context.open(job_in(tmp_path), CPU, Ranks(0, 1))
    objective = Sentiment(context, NONE)
    objective.prepare(False, lambda: None, lambda figures: None)
    assert objective.validate(lambda: None) == evaluate(objective.model, context.validation)[0]


def test_given_weights_come_before_drawn_ones(tmp_path: Path) -> None:
    job = job_in(tmp_path)
    drawn = _initial_model(job, NONE)
    given = {"embedding.weight": torch.full_like(drawn.embedding.weight, 0.25)}
    model = _initial_model(job, given)
    assert (model.embedding.weight == 0.25).all()
    assert torch.equal(model.linear.weight, drawn.linear.weight)


def test_word_vectors_come_before_drawn_ones_at_their_scale(tmp_path: Path) -> None:
    words = [f"word{number}" for number in range(VOCABULARY)]
    pq.write_table(pa.table({"token": words}), tmp_path / "vocabulary.parquet")
    vectors = np.random.default_rng(0).normal(3, 40, (VOCABULARY, 5))
    lines = [f"{word} {' '.join(map(str, vector))}\n" for word, vector in zip(words, vectors, strict=True)]
    (tmp_path / "vectors.txt").write_text("".join(lines[:7] + lines[8:]))
    job = job_in(tmp_path)
    drawn = _initial_model(job, NONE).embedding.weight.detach()
    given = _initial_model(
        replace(job, vectors=tmp_path / "vectors.txt", words=tmp_path / "vocabulary.parquet"), NONE
    ).embedding.weight.detach()
    known = torch.arange(VOCABULARY) != 7
    assert torch.equal(given[7], drawn[7])
    assert torch.equal(given[:, 5:], drawn[:, 5:])
    assert (
        torch.corrcoef(torch.stack([given[known, :5].flatten(), torch.from_numpy(vectors)[known].float().flatten()]))[
            0, 1
        ]
        > 0.99999
    )
    assert given[known, :5].std() == pytest.approx(job.model.embedding_std, rel=0.01)
