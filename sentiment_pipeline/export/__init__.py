"""A model as an ONNX file, for programs without PyTorch: from token ids to probabilities.

Like `torch.onnx.export`, which is not used because it fixes the number of reviews and of time steps of an LSTM.
"""

from sentiment_pipeline.export.onnx_file import export_onnx

__all__ = ["export_onnx"]
