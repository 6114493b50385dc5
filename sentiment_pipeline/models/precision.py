"""Where and in which number format the matrix products run.

Weights, the optimizer and the loss stay in fp32; autocast alone makes the difference, so that one set of weights fits
every format.
"""

import ctypes
import os
from contextlib import nullcontext
from typing import Any

import torch

from sentiment_pipeline.errors import PipelineError, SettingsError

__all__ = ["autocast", "choose_device", "choose_dtype", "cpu_supports_bf16", "out_of_memory", "prepare_process"]

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def choose_device(device: str) -> torch.device:
    """The device that `runtime.device` means; under torchrun, this process's own GPU.

    Raises:
        SettingsError: a GPU is asked for and there is none.
    """
    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise SettingsError("runtime.device is cuda, and torch finds no GPU here; use auto or cpu")
    if device == "cpu" or not available:
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))


def choose_dtype(precision: str, device: torch.device) -> torch.dtype:
    """The dtype of the matrix products; `auto` is bf16 where the processor computes in it.

    Raises:
        SettingsError: fp16 without a GPU, where it has no fast path and too small a range; bf16 on a processor for
            which torch has no LSTM in it.
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
    """Whether torch can run an LSTM in bf16 on this processor."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _cpu_computes_bf16() -> bool:
    """Whether it has instructions for it; where torch only emulates it, fp32 is faster."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def autocast(device: torch.device, dtype: torch.dtype) -> Any:
    """The context in which a model runs in `dtype`."""
    return nullcontext() if dtype == torch.float32 else torch.autocast(device.type, dtype)


def prepare_process() -> None:
    """Set what makes training fast, for the whole process: TF32 products, and memory that is kept for the next step.

    glibc gives every large block back to the kernel and gets it anew, page fault by page fault; an LSTM's steps are
    full of them.
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


def out_of_memory(error: Exception) -> Exception:
    """A failure that ran out of memory, or lost a loader's worker, as a PipelineError; else `error` itself."""
    text = str(error).partition("\n")[0]
    if "DataLoader worker" in text:
        return PipelineError(
            f"a loader process was killed ({text}); run again to resume from "
            "the last checkpoint, with runtime.loader_workers 0 if it happens again"
        )
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)) or any(
        words in text
        for words in (
            "can't allocate memory",
            "can't start new thread",
            "bad_alloc",
            "Cannot allocate memory",
            "could not create a memory",
        )
    ):
        return PipelineError(
            "out of memory; lower training.batch_size, model.length, model.hidden or "
            f"vocabulary.max_size, or use a machine with more memory ({text[:200]})"
        )
    return error
