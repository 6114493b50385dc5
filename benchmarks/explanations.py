"""Which words move a score: taking each out, against integrated gradients.

`python -m benchmarks.explanations --model DIR --reviews FILE` explains reviews in both ways, takes the words out that
each says speak most for the model's answer, and lets the model score what is left: the truer explanation moves the
score further. Random words are the baseline.

Integrated gradients (Sundararajan et al., ICML 2017) are those of the LSTM's logit along the line from zero word
vectors and ratios to the review's own. What falls to the ratio of an n-gram is shared by its words, as is the weight
of an n-gram in the linear head, which is exact.
"""

import argparse
import bz2
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sentiment_pipeline.models.linear_head import LinearHead
from sentiment_pipeline.models.ngram_ratios import hash_ngrams
from sentiment_pipeline.models.sentiment import SentimentModel
from sentiment_pipeline.predict import Predictor
from sentiment_pipeline.predict.explain import Word, word_effects
from sentiment_pipeline.text.alignment import token_spans

_STEPS = 32  # of the integral
_TAKEN_OUT = (1, 3, 5)  # words

Explain = Callable[[Predictor, str], Sequence[Word]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="a model folder")
    parser.add_argument("--reviews", type=Path, required=True, help="a .bz2 of fastText lines")
    parser.add_argument("--count", type=int, default=300, help="reviews to explain")
    options = parser.parse_args()
    predictor = Predictor(options.model)
    predictor._dtype = torch.float32
    texts = readable(predictor, bz2.decompress(options.reviews.read_bytes()).decode().splitlines(), options.count)
    print(f"{len(texts)} reviews; words taken out: {_TAKEN_OUT}")
    for name, explain in (("occlusion", occlusion), ("integrated gradients", gradients), ("random words", chance)):
        compare(name, predictor, texts, explain)


def readable(predictor: Predictor, lines: Sequence[str], count: int) -> list[str]:
    """The first reviews that the LSTM reads whole."""
    texts = (line.partition(" ")[2] for line in lines)
    length = predictor._model.config.length
    return [text for text in texts if 10 <= len(predictor._encoder.encode([text]).ids) <= length][:count]


def compare(name: str, predictor: Predictor, texts: Sequence[str], explain: Explain) -> None:
    """Print how far the score moves against the answer, how often the label changes, and the time of a review."""
    begun = time.perf_counter()
    explained = [explain(predictor, text) for text in texts]
    milliseconds = 1000 * (time.perf_counter() - begun) / len(texts)
    before = logit(predictor.predict_proba(texts))
    side = np.sign(before)
    moved, changed = [], []
    for count in _TAKEN_OUT:
        left = [
            without(text, sorted(words, key=lambda word: -word.effect * sign)[:count])
            for text, words, sign in zip(texts, explained, side.tolist(), strict=True)
        ]
        after = logit(predictor.predict_proba(left))
        moved.append(f"{((before - after) * side).mean():.2f}")
        changed.append(f"{100 * (np.sign(after) != side).mean():.0f} %")
    print(f"{name}: logit moved by {', '.join(moved)}; label changed in {', '.join(changed)}; {milliseconds:.0f} ms")


def logit(probabilities: np.ndarray) -> np.ndarray:
    probabilities = probabilities.astype(np.float64).clip(1e-7, 1 - 1e-7)
    return np.log(probabilities / (1 - probabilities))


def without(text: str, words: Sequence[Word]) -> str:
    for word in sorted(words, key=lambda word: -word.start):
        text = text[: word.start] + text[word.end :]
    return text


@cache  # the other two ask for the words and their places
def occlusion(predictor: Predictor, text: str) -> Sequence[Word]:
    return word_effects(predictor._model, predictor._encoder, text)


def chance(predictor: Predictor, text: str) -> Sequence[Word]:
    draws = np.random.default_rng(len(text)).normal(size=len(text)).tolist()
    return [word._replace(effect=draws[word.start]) for word in occlusion(predictor, text)]


def gradients(predictor: Predictor, text: str) -> Sequence[Word]:
    """Each token's share, summed over the tokens of a word as `word_effects` cuts them."""
    model, ids = predictor._model, torch.from_numpy(predictor._encoder.encode([text]).ids)[:, None]
    shares = lstm_shares(model, ids)
    if model.head is not None:
        shares = (shares + head_shares(model.head, ids)) / 2
    starts = token_spans(text, predictor._encoder.cleaning)[:, 0]
    words = occlusion(predictor, text)
    return [word._replace(effect=float(shares[(starts >= word.start) & (starts < word.end)].sum())) for word in words]


def lstm_shares(model: SentimentModel, ids: Tensor) -> np.ndarray:
    """What each token adds to the LSTM's logit; [tokens]."""
    lengths = torch.full((_STEPS,), len(ids))
    vectors = model.embedding(ids).detach()
    inputs, ngrams = vectors, 0
    if model.evidence is not None:
        inputs, ngrams = (
            torch.cat([vectors, model.evidence(ids, model.positions(ids, lengths[:1]))], -1),
            model.evidence.longest,
        )
    scale = (torch.arange(_STEPS) + 0.5)[:, None] / _STEPS
    points = (inputs * scale).requires_grad_()
    model.linear(model.pooling(model.lstm(points, lengths), lengths)).sum().backward()
    assert points.grad is not None
    parts = (points.grad.mean(1) * inputs[:, 0]).detach().numpy()
    words = parts.shape[1] - ngrams
    return parts[:, :words].sum(1) + sum(spread(parts[:, words + size], size + 1) for size in range(ngrams))


def head_shares(head: LinearHead, ids: Tensor) -> np.ndarray:
    """What each token adds to the linear head's logit; [tokens]."""
    buckets = hash_ngrams(ids, torch.arange(len(ids))[:, None], head.longest, len(head.weights))[:, 0]
    _, inverse, counts = buckets.unique(return_inverse=True, return_counts=True)
    weights = (head.weights[buckets, 0] / counts[inverse]).numpy()  # a repeated n-gram counts once
    return sum((spread(weights[:, size], size + 1) for size in range(head.longest)), np.zeros(len(ids)))


def spread(shares: np.ndarray, size: int) -> np.ndarray:
    """What falls to the n-gram of `size` words that ends at each word, shared by its words."""
    return np.convolve(shares, np.full(size, 1 / size))[size - 1 :]


if __name__ == "__main__":
    main()
