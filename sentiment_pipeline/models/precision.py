"""The device and the number format of the matrix products.

Weights, the optimizer and the loss are in fp32 always; autocast alone changes the format, so the same weights work in
every format.
"""

import ctypes
import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from sentiment_pipeline.errors import SettingsError

__all__ = ["autocast", "choose_device", "choose_dtype", "cpu_supports_bf16", "prepare_process"]

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def choose_device(device: str) -> torch.device:
    """The device to compute on; under torchrun, this process's own GPU.

    Args:
        device: the setting `runtime.device`: `auto`, `cpu` or `cuda`; `auto` is `cuda` if available.

    Raises:
        SettingsError: `device` is `cuda`, and PyTorch finds no GPU.
    """
    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise SettingsError("runtime.device is cuda, and PyTorch finds no GPU here; use auto or cpu")
    if device == "cpu" or not available:
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))


def choose_dtype(precision: str, device: torch.device) -> torch.dtype:
    """The dtype of the matrix products.

    Args:
        precision: the setting `training.precision`: `fp32`, `bf16`, `fp16` or `auto`; `auto` is bf16 if the processor
            has instructions for it, otherwise fp32.
        device: the device to compute on.

    Raises:
        SettingsError: `precision` is `fp16` on a CPU, where that is slow and its range too small; or `bf16` on a CPU on
            which PyTorch cannot run an LSTM in bf16.
    """
    if precision == "fp16" and device.type == "cpu":
        raise SettingsError("training.precision is fp16, which needs a GPU; use auto, bf16 or fp32")
    if precision == "bf16" and device.type == "cpu" and not cpu_supports_bf16():
        raise SettingsError("training.precision is bf16, which needs a GPU or AVX-512; use auto or fp32")
    if precision == "auto":
        fast = (
            torch.cuda.is_bf16_supported(including_emulation=False) if device.type == "cuda" else _cpu_computes_bf16()
        )
        return torch.bfloat16 if fast else torch.float32
    return _DTYPES.get(precision, torch.float32)


def cpu_supports_bf16() -> bool:
    """Whether PyTorch can run an LSTM in bf16 on this CPU."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _cpu_computes_bf16() -> bool:
    """Whether the CPU has instructions for bf16; where PyTorch emulates it, fp32 is faster."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[Any]:
    """A context in which matrix products run in `dtype`."""
    return nullcontext() if dtype == torch.float32 else torch.autocast(device.type, dtype)


def prepare_process() -> None:
    """Make training fast, for the whole process: allow TF32, and keep freed memory for the next step.

    By default glibc returns every large block to the kernel and requests it again, page fault by page fault; the steps
    of an LSTM allocate many of them.
    """
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = True
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return  # another C library
    m_trim_threshold, m_mmap_threshold = -1, -3
    mallopt(m_mmap_threshold, 1 << 30)
    mallopt(m_trim_threshold, (1 << 31) - 1)
