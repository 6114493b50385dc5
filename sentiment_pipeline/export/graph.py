"""An ONNX graph, built up operator by operator. What each does: https://onnx.ai/onnx/operators."""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["Graph"]

_OPSET, _IR_VERSION = 20, 9  # read by ONNX Runtime 1.17 and newer


class Graph:
    """The operators and constants of a graph; each value has a name, which later operators take.

    >>> graph = Graph()
    >>> graph("Add", "ids", graph.constant(np.int64(1)))
    'value_1'
    """

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def __call__(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Apply an operator of one output.

        Args:
            operator: its name.
            inputs: names of values; an empty one is left out.
            attributes: as the operator defines them.

        Returns:
            The name of its output.
        """
        return self.outputs(operator, *inputs, count=1, **attributes)[0]

    def outputs(self, operator: str, *inputs: str, count: int, **attributes: Any) -> list[str]:
        """Apply an operator of several outputs; returns their names."""
        names = [f"value_{len(self._nodes) + 1}" + (f"_{number}" if number else "") for number in range(count)]
        self._nodes.append(helper.make_node(operator, inputs, names, **attributes))
        return names

    def constant(self, value: np.ndarray | np.generic | int) -> str:
        """A constant, int64 for a Python number; returns its name."""
        name = f"constant_{len(self._constants) + 1}"
        self._constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def model(self, name: str, inputs: dict[str, list[str]], output: str, result: str) -> onnx.ModelProto:
        """The whole model, checked.

        Args:
            name: of the graph.
            inputs: the names of the dimensions of each input, all int64.
            output: the name of the one output, float32, of one dimension, the first of the inputs'.
            result: the value that it is.

        Raises:
            onnx.checker.ValidationError: the graph is no valid one.
        """
        self._nodes.append(helper.make_node("Identity", [result], [output]))
        taken = [helper.make_tensor_value_info(each, TensorProto.INT64, shape) for each, shape in inputs.items()]
        first = next(iter(inputs.values()))[:1]
        given = helper.make_tensor_value_info(output, TensorProto.FLOAT, first)
        graph = helper.make_graph(self._nodes, name, taken, [given], self._constants)
        opsets = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(
            graph, ir_version=_IR_VERSION, opset_imports=opsets, producer_name="sentiment-pipeline"
        )
        onnx.checker.check_model(model, full_check=True)
        return model
