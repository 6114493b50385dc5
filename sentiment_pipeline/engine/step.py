"""A step is the smallest piece of work that is done, skipped or redone as a whole.

Its manifest is written after its outputs, so a step that is killed at any moment is simply not finished. Whether it is
finished is checked against the disk every time: first the fingerprint of everything it depends on, then every byte of
every output. Before a step is recorded, the files that it read are checked as well, so a file that was damaged after it
was published never becomes part of a finished step. `benchmarks.integrity` measures the cost.

A `Step` is work of the pipeline; the steps of an optimizer are called training steps.
"""

import ctypes
import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import pyarrow as pa

from sentiment_pipeline.engine import manifest as manifests
from sentiment_pipeline.engine.files import cached_sha256
from sentiment_pipeline.engine.manifest import JSON, Manifest, Output
from sentiment_pipeline.errors import PipelineError

__all__ = [
    "Condition",
    "ProgressCallback",
    "Step",
    "StepState",
    "content_digest",
    "difference",
    "no_progress",
    "outputs_of",
    "perform",
    "step_state",
    "upstream_digest",
]

ProgressCallback = Callable[[Mapping[str, JSON]], None]  # receives figures while a step runs, such as training's loss


@dataclass(frozen=True)
class Step:
    """One piece of work and everything that determines its result.

    Attributes:
        name: for example `ingest/train/part-00003`; the path of its manifest below `manifests/`.
        work: a module-level function, called as `work(data_dir, on_progress, **arguments)` in any process on any
            machine; publishes the outputs and returns facts for the manifest.
        arguments: the keyword arguments of `work`, picklable.
        depends: settings, code version and digests of earlier steps; JSON. A change makes the step stale.
        outputs: paths of the files that `work` publishes, relative to the data folder.
        reads: the files of earlier steps that `work` reads, with the size and SHA-256 that they must have.
        about: what else to say of a step that is not done yet, such as the input file that it reads.
    """

    name: str
    work: Callable[..., Mapping[str, JSON]]
    arguments: Mapping[str, Any]
    depends: Mapping[str, JSON]
    outputs: tuple[str, ...]
    reads: Mapping[str, Output] = field(default_factory=dict)
    about: str = ""


class Condition(Enum):
    """Whether a step is finished, and if not, why not."""

    FINISHED = "finished"
    UNFINISHED = "unfinished"
    STALE = "stale"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class StepState:
    """The condition of a step; `reason` says why it is not finished, `warnings` are those of a finished one."""

    condition: Condition
    reason: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether the step can be skipped."""
        return self.condition is Condition.FINISHED


def step_state(data_dir: Path, step: Step) -> StepState:
    """Compare a step with its manifest, and the manifest with the outputs on disk; reads every byte of them."""
    try:
        manifest = manifests.read(data_dir, step.name)
    except PipelineError:
        return StepState(Condition.DAMAGED, f"the manifest of {step.name} is damaged")
    if manifest is None:
        return StepState(Condition.UNFINISHED, f"not done yet{step.about and f', {step.about}'}")
    if manifest.fingerprint != manifests.fingerprint(step.depends):
        return StepState(Condition.STALE, difference(manifest.depends, step.depends))
    if set(manifest.outputs) != set(step.outputs):
        return StepState(Condition.STALE, "it publishes other files than before")
    if damage := manifest.damage(data_dir):
        return StepState(Condition.DAMAGED, "; ".join(damage))
    return StepState(Condition.FINISHED, warnings=manifest.warnings)


def difference(before: Mapping[str, JSON], now: Mapping[str, JSON], prefix: str = "") -> str:
    """Which dependencies changed, in one line; digests without their values.

    >>> difference({"split": {"seed": 0}, "file": "0" * 64}, {"split": {"seed": 5}, "file": "1" * 64})
    'file changed; split.seed: 0 -> 5'
    """
    changes = []
    for key in sorted({*before, *now}):
        old, new = before.get(key), now.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            changes.append(difference(old, new, f"{prefix}{key}."))
        elif old != new:
            digests = any(isinstance(value, str) and len(value) == 64 for value in (old, new))
            changes.append(f"{prefix}{key} changed" if digests else f"{prefix}{key}: {old} -> {new}")
    return "; ".join(filter(None, changes))


def perform(step: Step, data_dir: Path, on_progress: ProgressCallback) -> Manifest:
    """Do the step's work and publish its manifest. Doing a step twice publishes the same bytes.

    Args:
        on_progress: receives the figures that the work reports.

    Returns:
        The manifest: the facts are those of the work, and `seconds`, its wall-clock time.

    Raises:
        PipelineError: the work failed for an expected reason, or a file that it read is damaged.
    """
    started = time.monotonic()
    try:
        facts = step.work(data_dir, on_progress, **step.arguments)
    except Exception:  # not BaseException: an interrupt must not wait for the check
        _check_inputs(step, data_dir)
        raise
    _check_inputs(step, data_dir)  # after the work, so that no damage goes unnoticed between check and use
    seconds = round(time.monotonic() - started, 3)
    _release_memory()
    return manifests.record(data_dir, step.name, step.depends, step.outputs, {**facts, "seconds": seconds})


def no_progress(figures: Mapping[str, JSON]) -> None:
    """A callback that ignores the figures, for steps in worker processes."""


def outputs_of(finished: Iterable[Manifest], *names: str) -> dict[str, Output]:
    """The outputs `names` (default: all) of finished steps, for `reads` of a later step."""
    return {
        name: output for manifest in finished for name, output in manifest.outputs.items() if not names or name in names
    }


def content_digest(outputs: Mapping[str, Output]) -> str:
    """The SHA-256, in hexadecimal, of what files hold, in their order, for `depends` of a step that reads them.

    Unlike `upstream_digest`, it does not change when the same bytes are published again for another reason.
    """
    return manifests.fingerprint({"files": [[name, output.sha256] for name, output in outputs.items()]})


def upstream_digest(finished: Iterable[Manifest]) -> str:
    """The SHA-256, in hexadecimal, of what finished steps depended on and published, for `depends` of a later step."""
    digest = hashlib.sha256()
    for manifest in finished:
        contents = ",".join(f"{name}={output.sha256}" for name, output in sorted(manifest.outputs.items()))
        digest.update(f"{manifest.step} {manifest.fingerprint} {contents}\n".encode())
    return digest.hexdigest()


def _check_inputs(step: Step, data_dir: Path) -> None:
    """Raise PipelineError if a file that the step read is damaged, which also explains why its work may have failed."""

    def damage(name: str) -> str | None:
        return step.reads[name].damage(data_dir / name, cached_sha256)

    with ThreadPoolExecutor(2) as threads:  # hashing releases the GIL
        for name, fault in zip(step.reads, threads.map(damage, step.reads), strict=True):
            if fault:
                raise PipelineError(f"{data_dir / name}: {fault}; run again to rebuild it")


def _release_memory() -> None:
    """Return freed memory to the kernel, so that an idle worker holds little."""
    pa.default_memory_pool().release_unused()
    with suppress(AttributeError, OSError):  # a C library other than glibc
        ctypes.CDLL(None).malloc_trim(0)
