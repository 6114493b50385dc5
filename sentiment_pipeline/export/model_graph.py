"""The parts of the model as ONNX operators, put together as `models.sentiment` does; tests compare the two."""

import numpy as np
import onnx
from torch import Tensor

from sentiment_pipeline.data.truncation import Truncation
from sentiment_pipeline.export.graph import Graph
from sentiment_pipeline.models.linear_head import LinearHead
from sentiment_pipeline.models.ngram_ratios import MULTIPLIER, SHIFT
from sentiment_pipeline.models.sentiment import SentimentModel

__all__ = ["model_graph"]

_GATES = [0, 3, 1, 2]  # ONNX's order i, o, f, c of the gates, by their place in PyTorch's order i, f, g, o


def model_graph(model: SentimentModel) -> onnx.ModelProto:
    """The model as an ONNX graph, with the inputs and the output that `export_onnx` describes."""
    graph = Graph()
    ids, lengths = _truncated(graph, "ids", "lengths", model.config.truncation)
    if model.head is None:
        logit = _lstm_logit(graph, model, ids, lengths)
    else:
        of_lstm = _lstm_logit(graph, model, *_truncated(graph, ids, lengths, model.config.lstm_truncation))
        both = graph("Add", of_lstm, _head_logit(graph, ids, lengths, model.head))
        logit = graph("Div", both, graph.constant(np.float32(2)))
    inputs = {"ids": ["reviews", "time"], "lengths": ["reviews"]}
    return graph.model("sentiment", inputs, "probability", graph("Sigmoid", logit))


def _truncated(graph: Graph, ids: str, lengths: str, truncation: Truncation) -> tuple[str, str]:
    """The tokens that are kept of each review, [reviews, time], and their number, as `gather_ids` gives them."""
    length = graph.constant(truncation.length)
    kept = graph("Min", lengths, length)
    if truncation.padding == "left":
        padding = _column(graph, graph("Sub", length, kept))
        position = graph("Sub", _range(graph, length), padding)  # among the kept tokens; negative in the padding
    else:
        position = _range(graph, graph("Min", _time(graph, ids), length))
    is_kept = graph("Less", position, _column(graph, kept))
    is_token = graph("And", is_kept, graph("GreaterOrEqual", position, graph.constant(0)))
    is_tail = graph("GreaterOrEqual", position, graph.constant(truncation.length - truncation.tail))
    skipped = graph("Where", is_tail, _column(graph, graph("Sub", lengths, kept)), graph.constant(0))
    index = graph("Where", is_token, graph("Add", position, skipped), graph.constant(0))
    return graph("Where", is_token, graph("GatherElements", ids, index, axis=1), graph.constant(0)), kept


def _lstm_logit(graph: Graph, model: SentimentModel, ids: str, lengths: str) -> str:
    """The LSTM's logit of each review, [reviews]."""
    config, steps, read = model.config, graph("Transpose", ids, perm=[1, 0]), lengths
    if config.padding == "left":
        read = graph("Expand", _time(graph, ids), graph("Shape", lengths))  # padding on the left is read like words
    inputs = graph("Gather", _weight(graph, model.embedding.weight), steps)
    if model.evidence is not None:
        ratios, buckets = graph.constant(model.evidence.ratios.numpy()), len(model.evidence.ratios)
        words = _positions(graph, ids, graph("Sub", read, lengths))
        found = [graph("Gather", ratios, each) for each in _ngrams(graph, ids, words, model.evidence.longest, buckets)]
        columns = [_unsqueezed(graph, graph("Transpose", each, perm=[1, 0]), -1) for each in found]
        inputs = graph("Concat", inputs, *columns, axis=-1)
    outputs, last = _lstm(graph, model, inputs, read)
    pooled = last if config.pooling == "last" else _max_mean(graph, outputs, read)
    pooled = graph(
        "Where", _column(graph, graph("Equal", read, graph.constant(0))), graph.constant(np.float32(0)), pooled
    )
    linear = graph("Gemm", pooled, _weight(graph, model.linear.weight), _weight(graph, model.linear.bias), transB=1)
    return graph("Squeeze", linear, graph.constant(np.array([1])))


def _lstm(graph: Graph, model: SentimentModel, inputs: str, lengths: str) -> tuple[str, str]:
    """The outputs of the last layer, [time, reviews, size], and its last output in each direction, [reviews, size]."""
    directions = [each for each in (model.lstm.forwards, model.lstm.backwards) if len(each)]
    steps, last = graph("Cast", graph("Max", lengths, graph.constant(1)), to=onnx.TensorProto.INT32), ""
    for layer in zip(*directions, strict=True):
        states = [each.state_dict() for each in layer]
        weights, recurrent = (
            np.stack([_by_gate(state[f"weight_{kind}_l0"]) for state in states]) for kind in ("ih", "hh")
        )
        biases = [[_by_gate(state[f"bias_{kind}_l0"]) for kind in ("ih", "hh")] for state in states]
        outputs, last = graph.outputs(
            "LSTM",
            inputs,
            *map(graph.constant, (weights, recurrent, np.stack([np.concatenate(pair) for pair in biases]))),
            steps,
            count=2,
            hidden_size=model.config.hidden,
            direction="bidirectional" if len(states) == 2 else "forward",
        )
        inputs = _joined(graph, outputs, [0, 2, 1, 3], [0, 0, -1])  # [time, directions, reviews, hidden]
    return inputs, _joined(graph, last, [1, 0, 2], [0, -1])


def _max_mean(graph: Graph, outputs: str, lengths: str) -> str:
    """Maximum and mean over the tokens of each review, [reviews, 2 * size]."""
    step = _column(graph, _range(graph, graph("Shape", outputs, end=1)))
    is_token = _unsqueezed(graph, graph("Less", step, lengths), 2)
    over_time = graph.constant(np.array([0]))
    lowest = graph.constant(np.finfo(np.float32).min)
    maximum = graph("ReduceMax", graph("Where", is_token, outputs, lowest), over_time, keepdims=0)
    total = graph("ReduceSum", graph("Where", is_token, outputs, graph.constant(np.float32(0))), over_time, keepdims=0)
    count = graph("Cast", graph("Max", lengths, graph.constant(1)), to=onnx.TensorProto.FLOAT)
    return graph("Concat", maximum, graph("Div", total, _column(graph, count)), axis=-1)


def _head_logit(graph: Graph, ids: str, lengths: str, head: LinearHead) -> str:
    """The linear head's logit of each review, [reviews]: the sum of the weights of its distinct n-grams."""
    words = _positions(graph, ids, graph("Sub", lengths, lengths))
    is_token = graph("Less", words, _column(graph, lengths))
    found = [
        graph("Where", is_token, each, graph.constant(0))
        for each in _ngrams(graph, ids, words, head.longest, len(head.weights))
    ]
    buckets = graph("Concat", *found, axis=1)
    ordered, _ = graph.outputs("TopK", buckets, _time(graph, buckets), count=2, axis=1, largest=0)
    is_repeated = graph("Equal", ordered, _shifted(graph, ordered, -1))
    effects = graph("Gather", graph.constant(head.weights.flatten().numpy()), ordered)
    distinct = graph("Where", is_repeated, graph.constant(np.float32(0)), effects)
    total = graph("ReduceSum", distinct, graph.constant(np.array([1])), keepdims=0)
    return graph("Add", total, graph.constant(head.bias.numpy()))


def _ngrams(graph: Graph, ids: str, positions: str, longest: int, buckets: int) -> list[str]:
    """The buckets of the n-grams that end at each word, [reviews, time] for each size, as `hash_ngrams` gives them."""
    code, found = "", list[str]()
    multiplier, divisor = graph.constant(MULTIPLIER), graph.constant(1 << SHIFT)
    one, none = graph.constant(1), graph.constant(0)
    for size in range(longest):
        before = graph("Add", _shifted(graph, code, 0), ids) if code else ids
        code = graph("Mul", graph("Add", before, one), multiplier)
        rest = graph("Mod", code, divisor)  # of a division that rounds down, like the shift of a signed number
        code = graph("BitwiseXor", code, graph("Div", graph("Sub", code, rest), divisor))
        bucket = graph("Add", graph("Mod", code, graph.constant(buckets - 1)), one)
        found.append(graph("Where", graph("GreaterOrEqual", positions, graph.constant(size)), bucket, none))
    return found


def _positions(graph: Graph, ids: str, padding: str) -> str:
    """The position of each token in its review, [reviews, time]; negative for so much padding on the left."""
    return graph("Sub", _range(graph, _time(graph, ids)), _column(graph, padding))


def _shifted(graph: Graph, values: str, first: int) -> str:
    """The value of the time step before, [reviews, time]; `first` at the first one."""
    padded = graph("Pad", values, graph.constant(np.array([0, 1, 0, 0])), graph.constant(first))
    start, end, axis = (graph.constant(np.array([each])) for each in (0, -1, 1))
    return graph("Slice", padded, start, end, axis)


def _time(graph: Graph, values: str) -> str:
    """The number of time steps of [reviews, time], as an array of one."""
    return graph("Shape", values, start=1)


def _range(graph: Graph, end: str) -> str:
    """The numbers from 0 up to an array of one."""
    scalar = graph("Squeeze", end)
    return graph("Range", graph.constant(0), scalar, graph.constant(1))


def _column(graph: Graph, values: str) -> str:
    """[reviews] as [reviews, 1]."""
    return _unsqueezed(graph, values, 1)


def _unsqueezed(graph: Graph, values: str, axis: int) -> str:
    return graph("Unsqueeze", values, graph.constant(np.array([axis])))


def _joined(graph: Graph, values: str, order: list[int], shape: list[int]) -> str:
    """With its axes in another order, the last two of them joined."""
    return graph("Reshape", graph("Transpose", values, perm=order), graph.constant(np.array(shape)))


def _weight(graph: Graph, weight: Tensor) -> str:
    return graph.constant(weight.detach().numpy())


def _by_gate(weight: Tensor) -> np.ndarray:
    """A parameter of an LSTM layer, its gates in ONNX's order."""
    gates = weight.chunk(4)
    return np.concatenate([gates[gate].numpy() for gate in _GATES])
