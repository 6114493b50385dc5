"""The ONNX file of a model folder."""

import onnx

from sentiment_pipeline.engine.files import published
from sentiment_pipeline.errors import PipelineError, SettingsError
from sentiment_pipeline.export.model_graph import model_graph
from sentiment_pipeline.hub import local_folder
from sentiment_pipeline.models.model_folder import load_model
from sentiment_pipeline.paths import StrPath, user_path

__all__ = ["export_onnx"]

_LARGEST = (2 << 30) - (1 << 20)  # bytes of weights; protocol buffers hold 2 GiB


def export_onnx(model: StrPath, path: StrPath) -> None:
    """Write the model of a folder as an ONNX file.

    Its inputs are `ids`, int64, [reviews, time], a row for each review, filled up with 0 on the right; and `lengths`,
    int64, [reviews], the number of ids of each, which may be 0. There is at least one review and one time step.
    `Predictor.encode` makes both from texts. Its output is `probability`, float32, [reviews], that each is positive.

    Args:
        model: a model folder, or `hf://OWNER/NAME`.
        path: the file; its name ends in `.onnx`.

    Raises:
        SettingsError: the name of the file ends otherwise.
        PipelineError: the model is damaged or too large; or the file exists and is no ONNX file.
    """
    file = user_path(path)
    if file.suffix != ".onnx":
        raise SettingsError(f"{file}: a model is exported as an ONNX file; give a name that ends in .onnx")
    if file.is_file() and not _is_model(file.read_bytes()):
        raise PipelineError(f"{file} exists and is no ONNX file; delete it, or choose another name")
    network, _ = load_model(local_folder(model))
    size = sum(weight.nbytes for weight in network.state_dict().values())
    if size > _LARGEST:
        raise PipelineError(f"{model} holds {size / 2**30:.1f} GiB of weights, more than the 2 GiB of an ONNX file")
    with published(file) as temporary:
        temporary.write_bytes(model_graph(network).SerializeToString())


def _is_model(data: bytes) -> bool:
    """Whether these bytes are an ONNX file."""
    try:
        return bool(onnx.load_model_from_string(data).graph.node)
    except Exception:  # protocol buffers raise types of their own
        return False
