"""Scoring on a CPU: the function of a `SentimentModel`, at about twice the speed of `torch.nn.LSTM`.

Scoring needs no gradients, so it can do with less work:

- What a word adds to the gates of the first layer does not depend on its position. It is computed once for each
  distinct word of a batch, which saves almost half of the multiplications.
- The reviews of a batch are ordered by length, and a time step computes only those that have it: no padding.
- Pooling goes along with the steps, so the outputs of the last layer are never stored.
- tanh(x) is 2 sigmoid(2x) - 1, because PyTorch's sigmoid takes a seventh of the time of its tanh.

Gates and cell states are in fp32 whatever the dtype of the products. docs/benchmarks.md has the figures.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sentiment_pipeline.models.sentiment import SentimentModel

__all__ = ["CpuScorer"]

_MINUS_ONE, _MINUS_TWO = torch.tensor(-1.0), torch.tensor(-2.0)  # as numbers they could not be added to in place


class CpuScorer:
    """The logits of a model in evaluation mode, without gradients.

    Args:
        model: a model on the CPU.
        dtype: dtype of the matrix products.
    """

    def __init__(self, model: SentimentModel, dtype: torch.dtype) -> None:
        self._model, self._dtype = model, dtype
        lstm, size = model.lstm, model.config.embedding
        cells = zip(*filter(len, (lstm.forwards, lstm.backwards)), strict=True)
        self._layers = [_Layer.of(each, lstm.size if number else size, dtype) for number, each in enumerate(cells)]

    def __call__(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """As `SentimentModel.forward` in evaluation mode; float32, [reviews].

        Args:
            ids: token ids, 0 for padding; any integer type, [time, reviews].
            lengths: number of tokens of each review, the longest first; integers, [reviews].
        """
        model = self._model
        logits: Tensor = model.linear(self._pooled(*model.truncated(ids, lengths))).squeeze(-1)
        return logits if model.head is None else (logits + model.head(ids, lengths)) / 2

    def _pooled(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """The pooled vector of each review, float32, [reviews, size]."""
        model = self._model
        ratios = None if model.evidence is None else model.evidence(ids, model.positions(ids, lengths))
        if model.config.padding == "left":
            lengths = torch.full_like(lengths, len(ids))  # padding on the left is read like words
        steps = _Steps(lengths, len(ids), is_mirrored=model.config.bidirectional)
        words, rows = _distinct(ids, model.embedding.num_embeddings)
        inputs = model.embedding.weight[words].to(self._dtype)
        for layer in self._layers[:-1]:
            outputs = _Outputs(steps, layer)
            layer.run(steps, inputs, rows, ratios, outputs.store)
            inputs, rows, ratios = outputs.values, outputs.rows, None
        pool = _Pool(len(lengths), self._layers[-1])
        last = self._layers[-1].run(steps, inputs, rows, ratios, pool.add)
        pooled = _side_by_side(last) if model.config.pooling == "last" else pool.result(lengths)
        return pooled.masked_fill((lengths == 0)[:, None], 0)


class _Steps:
    """Which reviews each time step computes, and the tokens that it reads.

    Args:
        lengths: number of time steps of each review, the longest first; integers, [reviews].
        time: number of time steps.
        is_mirrored: whether a second direction reads each review from its last token on.

    Attributes:
        counts: number of reviews that have each time step, [time].
        mirror: the position that the second direction reads, int64, [time, reviews]; None without it.
    """

    def __init__(self, lengths: Tensor, time: int, is_mirrored: bool) -> None:
        position = torch.arange(time)[:, None]
        self.counts: list[int] = (position < lengths).sum(1).tolist()
        self.mirror = (lengths - 1 - position).clamp(min=0) if is_mirrored else None
        self.shape = time, len(lengths)

    def in_order(self, values: Tensor, shift: int = 0) -> Tensor:
        """Values of tokens in the order in which each direction reads them, [time, directions, reviews, ...].

        Args:
            values: [time, reviews, ...].
            shift: is added to those of the second direction.
        """
        if self.mirror is None:
            return values[:, None]
        mirror = self.mirror.view(*self.mirror.shape, *[1] * (values.dim() - 2)).expand_as(values)
        return torch.stack([values, values.gather(0, mirror) + shift], dim=1)


@dataclass(frozen=True)
class _Layer:
    """One layer in all its directions; the four gates are in the order i, f, g, o, and g's weights are doubled.

    Attributes:
        inputs: weights of the inputs, [directions, inputs, 4 * hidden].
        bias: [directions, 1, 4 * hidden].
        states: weights of the last output, and below them those of n-gram ratios, [directions, hidden + ngrams, ...].
    """

    inputs: Tensor
    bias: Tensor
    states: Tensor

    @classmethod
    def of(cls, cells: tuple[Any, ...], size: int, dtype: torch.dtype) -> "_Layer":
        """The layer of a cell for each direction; `size` of its inputs are no n-gram ratios."""
        hidden = cells[0].hidden_size
        doubled = torch.ones(4 * hidden)
        doubled[2 * hidden : 3 * hidden] = 2
        inputs = [(cell.weight_ih_l0 * doubled[:, None]).T for cell in cells]
        states = [(cell.weight_hh_l0 * doubled[:, None]).T for cell in cells]
        return cls(
            torch.stack([each[:size] for each in inputs]).to(dtype),
            torch.stack([(cell.bias_ih_l0 + cell.bias_hh_l0) * doubled for cell in cells])[:, None].to(dtype),
            torch.stack([torch.cat([h, x[size:]]) for h, x in zip(states, inputs, strict=True)]).to(dtype),
        )

    @property
    def hidden(self) -> int:
        return self.bias.shape[-1] // 4

    def run(
        self,
        steps: _Steps,
        inputs: Tensor,
        rows: Tensor,
        ratios: Tensor | None,
        visit: Callable[[int, Tensor], None],
    ) -> Tensor:
        """Run over a batch.

        Args:
            steps: those of the batch.
            inputs: the distinct inputs, [rows, size].
            rows: which of them each token is, int64, [time, reviews].
            ratios: n-gram ratios, float32, [time, reviews, ngrams]; None: none.
            visit: called with each time step and its outputs, float32, [directions, reviews that have it, hidden].

        Returns:
            The last output of each direction, float32, [directions, reviews, hidden].
        """
        directions, hidden, reviews = len(self.bias), self.hidden, rows.shape[1]
        of_inputs = torch.baddbmm(self.bias, inputs.expand(directions, -1, -1), self.inputs).flatten(0, 1)
        rows = steps.in_order(rows, len(inputs))
        ratios = None if ratios is None else steps.in_order(ratios)
        read = inputs.new_zeros(directions, reviews, self.states.shape[1])  # the last outputs, and the ratios
        cells, outputs = torch.zeros(2, directions, reviews, hidden)  # the cell states are doubled
        work = _Work.of(self, 0)
        for step, count in enumerate(steps.counts):
            if count == 0:
                break
            work = work if work.count == count else _Work.of(self, count)
            torch.index_select(of_inputs, 0, rows[step, :, :count].flatten(), out=work.products.flatten(0, 1))
            if ratios is not None:
                read[:, :count, hidden:] = ratios[step, :, :count]
            work.products.baddbmm_(read[:, :count], self.states)
            work.update(cells[:, :count], outputs[:, :count])
            read[:, :count, :hidden] = outputs[:, :count]
            visit(step, outputs[:, :count])
        return outputs


@dataclass(frozen=True)
class _Work:
    """Memory for the gates of one time step, which is used again while the number of reviews stays the same.

    Attributes:
        count: number of reviews.
        products: the products, [directions, reviews, 4 * hidden].
        gates: float32, [directions, reviews, 4 * hidden].
        scratch: float32, [directions, reviews, hidden].
    """

    count: int
    products: Tensor
    gates: Tensor
    scratch: Tensor

    @classmethod
    def of(cls, layer: _Layer, count: int) -> "_Work":
        shape = len(layer.bias), count, 4 * layer.hidden
        return cls(count, layer.bias.new_empty(shape), torch.empty(shape), torch.empty(*shape[:2], layer.hidden))

    def update(self, cells: Tensor, outputs: Tensor) -> None:
        """Compute new cell states and outputs in place; `cells` holds them doubled.

        With s for the sigmoid: g = tanh(x) = 2 s(2x) - 1, where 2x is in `products`; 2c' = f * 2c + i * (4 s(2x) - 2);
        h' = o * tanh(c') = o * (2 s(2c') - 1).
        """
        i, f, g, o = self.gates.copy_(self.products).sigmoid_().chunk(4, dim=-1)
        torch.add(_MINUS_TWO, g, alpha=4, out=self.scratch)
        cells.mul_(f).addcmul_(i, self.scratch)
        torch.sigmoid(cells, out=self.scratch)
        torch.add(_MINUS_ONE, self.scratch, alpha=2, out=self.scratch)
        torch.mul(o, self.scratch, out=outputs)


class _Outputs:
    """The outputs of a layer at all tokens, as the inputs of the next one.

    Attributes:
        values: [time * reviews, directions * hidden]; zero in the padding.
        rows: which of them each token's are, int64, [time, reviews].
    """

    def __init__(self, steps: _Steps, layer: _Layer) -> None:
        time, reviews = steps.shape
        self._values = layer.bias.new_zeros(time * reviews, len(layer.bias), layer.hidden)
        self.values = self._values.flatten(1)
        self.rows = torch.arange(time * reviews).view(time, reviews)
        self._in_order = steps.in_order(self.rows)

    def store(self, step: int, outputs: Tensor) -> None:
        """Store the outputs of a time step, [directions, reviews that have it, hidden]."""
        for direction, (rows, values) in enumerate(zip(self._in_order[step], outputs, strict=True)):
            self._values[rows[: len(values)], direction] = values.to(self._values.dtype)


class _Pool:
    """The maximum and the sum of the outputs over time, as the steps go."""

    def __init__(self, reviews: int, layer: _Layer) -> None:
        self._sum = torch.zeros(len(layer.bias), reviews, layer.hidden)
        self._maximum = torch.full_like(self._sum, -1.0)  # below every output

    def add(self, step: int, outputs: Tensor) -> None:
        """Add the outputs of a time step, [directions, reviews that have it, hidden]."""
        count = outputs.shape[1]
        torch.maximum(self._maximum[:, :count], outputs, out=self._maximum[:, :count])
        self._sum[:, :count] += outputs

    def result(self, lengths: Tensor) -> Tensor:
        """Maximum and mean of each feature, float32, [reviews, 2 * directions * hidden]."""
        mean = self._sum / lengths.clamp(min=1)[:, None]
        return torch.cat([_side_by_side(self._maximum), _side_by_side(mean)], dim=-1)


def _side_by_side(vectors: Tensor) -> Tensor:
    """[directions, reviews, hidden] as [reviews, directions * hidden]."""
    return vectors.transpose(0, 1).flatten(1)


def _distinct(ids: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """The distinct ids in ascending order, int64, and which of them each id is, int64, in the shape of `ids`.

    `torch.unique` sorts, which takes ten times as long.

    >>> _distinct(torch.tensor([7, 3, 7]), size=10)
    (tensor([3, 7]), tensor([1, 0, 1]))
    """
    ids, is_present = ids.long(), torch.zeros(size, dtype=torch.bool)
    is_present[ids.flatten()] = True
    return is_present.nonzero().squeeze(1), is_present.cumsum(0)[ids] - 1
