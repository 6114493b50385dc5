"""A step is the smallest piece of work that is done, skipped or redone as a whole.

Its manifest is written after its outputs, so a step killed at any moment is simply not finished. Whether it
is finished is checked against the disk every time: the fingerprint of all it depends on, then every byte of
every output. Before a step is recorded, the files that it read are checked too: a file that was damaged since it was
published has no part in what is recorded. `benchmarks.integrity` shows what that costs.

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
from sentiment_pipeline.engine.files import known_sha256
from sentiment_pipeline.engine.manifest import JSON, Manifest, Output
from sentiment_pipeline.errors import PipelineError

__all__ = [
    "Condition",
    "ProgressCallback",
    "Step",
    "StepState",
    "difference",
    "no_progress",
    "outputs_of",
    "perform",
    "step_state",
    "upstream_digest",
]

ProgressCallback = Callable[[Mapping[str, JSON]], None]  # gets figures from inside a step, for example of training


@dataclass(frozen=True)
class Step:
    """One piece of work and everything that decides its result.

    Attributes:
        name: for example `ingest/train/part-00003`: where its manifest lies, and what people see of it.
        work: a module-level function, called `work(data_dir, on_progress, **arguments)` in any process or machine;
            publishes the outputs and returns facts for the manifest.
        arguments: the keyword arguments of `work`, picklable.
        depends: settings, code version and digests of earlier steps; JSON.
        outputs: paths of the files that `work` publishes, relative to the data folder.
        reads: the published files of earlier steps that `work` reads, as they were published.
    """

    name: str
    work: Callable[..., Mapping[str, JSON]]
    arguments: Mapping[str, Any]
    depends: Mapping[str, JSON]
    outputs: tuple[str, ...]
    reads: Mapping[str, Output] = field(default_factory=dict)


class Condition(Enum):
    """Whether a step is finished, and if not, why not."""

    FINISHED = "finished"
    UNFINISHED = "unfinished"
    STALE = "stale"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class StepState:
    """The condition of a step, with the reason when it is not finished."""

    condition: Condition
    reason: str = ""

    @property
    def finished(self) -> bool:
        return self.condition is Condition.FINISHED


def step_state(data_dir: Path, step: Step) -> StepState:
    """Compare a step with its manifest, and its outputs on disk with the manifest; reads every byte."""
    try:
        manifest = manifests.read(data_dir, step.name)
    except PipelineError:
        return StepState(Condition.DAMAGED, f"the manifest of {step.name} is damaged")
    if manifest is None:
        return StepState(Condition.UNFINISHED, "not done yet")
    if manifest.fingerprint != manifests.fingerprint(step.depends):
        return StepState(Condition.STALE, difference(manifest.depends, step.depends))
    if set(manifest.outputs) != set(step.outputs):
        return StepState(Condition.STALE, "it publishes other files now")
    if damage := manifest.damage(data_dir):
        return StepState(Condition.DAMAGED, "; ".join(damage))
    return StepState(Condition.FINISHED)


def difference(before: Mapping[str, JSON], now: Mapping[str, JSON], prefix: str = "") -> str:
    """Which dependencies changed, from what to what: `vocabulary.min_count: 2 -> 5; input changed`."""
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
    """Do the step's work and record it. Doing a step twice publishes the same bytes.

    Raises:
        PipelineError: the work cannot be done, or a file that it has read is damaged.
    """
    started = time.monotonic()
    try:
        facts = step.work(data_dir, on_progress, **step.arguments)
    except Exception:  # no signal, which must not wait for the check
        _refuse_damaged_inputs(step, data_dir)
        raise
    _refuse_damaged_inputs(step, data_dir)  # after the work, so that no damage slips in between check and use
    seconds = round(time.monotonic() - started, 3)
    _release_memory()
    return manifests.record(data_dir, step.name, step.depends, step.outputs, {**facts, "seconds": seconds})


def no_progress(figures: Mapping[str, JSON]) -> None:
    """The callback of a step whose progress nobody watches, such as one in a worker process."""


def outputs_of(finished: Iterable[Manifest], *names: str) -> dict[str, Output]:
    """The outputs `names` (default: all) of finished steps, for `reads` of a step that follows."""
    return {
        name: output for manifest in finished for name, output in manifest.outputs.items() if not names or name in names
    }


def upstream_digest(finished: Iterable[Manifest]) -> str:
    """The SHA-256 of what finished steps depended on and published, for `depends` of a step that follows."""
    digest = hashlib.sha256()
    for manifest in finished:
        contents = ",".join(f"{name}={output.sha256}" for name, output in sorted(manifest.outputs.items()))
        digest.update(f"{manifest.step} {manifest.fingerprint} {contents}\n".encode())
    return digest.hexdigest()


def _refuse_damaged_inputs(step: Step, data_dir: Path) -> None:
    """Raise if a file that the step has read is damaged; that also explains whatever its work has failed of."""

    def damage(name: str) -> str | None:
        return step.reads[name].damage(data_dir / name, known_sha256)

    with ThreadPoolExecutor(2) as threads:  # a step that runs alone has two cores, and hashing releases the GIL
        for name, fault in zip(step.reads, threads.map(damage, step.reads), strict=True):
            if fault:
                raise PipelineError(f"{data_dir / name}: {fault}; run again to rebuild it")


def _release_memory() -> None:
    """Return freed memory to the kernel, so that a worker waiting for its next step holds little."""
    pa.default_memory_pool().release_unused()
    with suppress(AttributeError, OSError):  # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)
