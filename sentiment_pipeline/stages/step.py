"""A step is the smallest piece of work that is done, skipped or redone as a whole.

Its manifest is written after its outputs, so a step killed at any moment is simply not finished. Whether it
is finished is checked against the disk every time: the fingerprint of all it depends on, then every byte of
every output. And before a step is recorded, the files that it read are checked too: what was damaged since it was
published has had no part in what is recorded. `benchmarks.integrity` shows what that costs.
"""

import ctypes
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import pyarrow as pa

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.storage import manifest as manifests
from sentiment_pipeline.storage.files import known_sha256
from sentiment_pipeline.storage.manifest import JSON, Manifest, Output

Report = Callable[[Mapping[str, JSON]], None]


@dataclass(frozen=True)
class Step:
    """One piece of work and everything that decides its result.

    Attributes:
        name: for example `ingest/train/part-00003`: where its manifest lies, and what people see of it.
        work: a module-level function, called `work(data_dir, report, **arguments)` in any process or machine;
            publishes the outputs and returns facts for the manifest.
        arguments: what `work` takes, picklable.
        depends: settings, code version and digests of earlier steps; JSON.
        outputs: paths of the files that `work` publishes, relative to the data folder.
        reads: what earlier steps published and `work` reads, as they published it.
    """

    name: str
    work: Callable[..., Mapping[str, JSON]]
    arguments: Mapping[str, Any]
    depends: Mapping[str, JSON]
    outputs: tuple[str, ...]
    reads: Mapping[str, Output] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """What every plan is made from: the data folder and the settings (`settings.Settings`)."""

    data_dir: Path
    settings: Any

    def manifest(self, step: str) -> Manifest:
        """The manifest of a finished step.

        Raises:
            PipelineError: the step is not finished; names it.
        """
        found = manifests.read(self.data_dir, step)
        if found is None:
            raise PipelineError(f"{step} is not finished in {self.data_dir}; run the stages before this one first")
        return found

    def demand_same(self, step: str, **groups: Mapping[str, JSON]) -> None:
        """Refuse other settings than those that a finished step was made with, before something is built on it.

        For a stage that may be run by itself, as `intact`; a step that was not brought along is not asked.

        Args:
            groups: the present values of groups of settings, by the names they have in the step's `depends`.

        Raises:
            PipelineError: a value differs; names it.
        """
        if (found := manifests.read(self.data_dir, step)) is None:
            return
        for group, values in groups.items():
            before = found.depends[group]
            if changes := difference({group: before}, {group: {name: values.get(name) for name in before}}):
                raise PipelineError(f"{step} is finished with other settings ({changes}); give those, or run the "
                                    "stages before this one again, with --train and --test")

    def intact(self, step: str, *names: str) -> Manifest:
        """The manifest of a finished step whose outputs `names` (all, if none are given) have the bytes it records.

        For a stage that may be run by itself, without the stages before it, which check their own outputs.

        Raises:
            PipelineError: the step is not finished, or an output is damaged or missing; names it.
        """
        manifest = self.manifest(step)
        for name in names or manifest.outputs:
            if fault := manifests.fault_of(self.data_dir / name, manifest.outputs[name]):
                raise PipelineError(f"{self.data_dir / name}: {fault}; run the stages before this one again")
        return manifest


@dataclass(frozen=True)
class Stage:
    """A named part of the pipeline.

    Attributes:
        plan: yields lists of independent steps; what it yields later may read what earlier lists published.
        publishes: patterns, relative to the data folder, of all files that the stage's steps may publish, with any
            settings; what fits one and belongs to no step of the present ones is left from earlier settings.
        check: called before any stage of a run begins; raises where this machine cannot do what the settings ask.
    """

    name: str
    plan: Callable[[Run], Iterator[list[Step]]]
    publishes: tuple[str, ...] = field(default=())
    check: Callable[[Run], object] = field(default=lambda run: None)

    def files(self, data_dir: Path) -> Iterator[Path]:
        """What is there of the files that the stage may publish."""
        return (path for pattern in self.publishes for path in data_dir.glob(pattern) if path.is_file())


class Condition(Enum):
    FINISHED = "finished"
    UNFINISHED = "unfinished"
    STALE = "stale"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class State:
    """The condition of a step, with the reason when it is not finished."""

    condition: Condition
    reason: str = ""

    @property
    def finished(self) -> bool:
        return self.condition is Condition.FINISHED


def state_of(data_dir: Path, step: Step) -> State:
    """Compare the step with its manifest, and its outputs on disk with what the manifest says; reads all bytes."""
    try:
        manifest = manifests.read(data_dir, step.name)
    except PipelineError:
        return State(Condition.DAMAGED, f"the manifest of {step.name} is damaged")
    if manifest is None:
        return State(Condition.UNFINISHED, "not done yet")
    if manifest.fingerprint != manifests.fingerprint(step.depends):
        return State(Condition.STALE, difference(manifest.depends, step.depends))
    if set(manifest.outputs) != set(step.outputs):
        return State(Condition.STALE, "it publishes other files now")
    if damage := manifest.damage(data_dir):
        return State(Condition.DAMAGED, "; ".join(damage))
    return State(Condition.FINISHED)


def difference(before: Mapping[str, JSON], now: Mapping[str, JSON], prefix: str = "") -> str:
    """Which dependencies changed, from what to what, in words."""
    changes = []
    for key in sorted({*before, *now}):
        old, new = before.get(key), now.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            changes.append(difference(old, new, f"{prefix}{key}."))
        elif old != new:
            digests = any(isinstance(value, str) and len(value) == 64 for value in (old, new))
            changes.append(f"{prefix}{key} changed" if digests else f"{prefix}{key}: {old} -> {new}")
    return "; ".join(filter(None, changes))


def perform(step: Step, data_dir: Path, report: Report) -> Manifest:
    """Do the step's work and record it. What is done twice by mistake is done to the same bytes.

    Raises:
        PipelineError: the work cannot be done, or what it has read is damaged.
    """
    started = time.monotonic()
    try:
        facts = step.work(data_dir, report, **step.arguments)
    except Exception:  # no signal, which must not wait for the check
        refuse_damaged(step, data_dir)
        raise
    refuse_damaged(step, data_dir)  # not before the work, so that no damage slips in between check and use
    seconds = round(time.monotonic() - started, 3)
    release_memory()
    return manifests.record(data_dir, step.name, step.depends, step.outputs, {**facts, "seconds": seconds})


def refuse_damaged(step: Step, data_dir: Path) -> None:
    """Raise if what the step has read is damaged; that also explains whatever its work has failed of."""
    def fault_of(name: str) -> str | None:
        return manifests.fault_of(data_dir / name, step.reads[name], known_sha256)

    with ThreadPoolExecutor(2) as threads:  # a step that is alone has two cores, and hashing frees the interpreter
        for name, fault in zip(step.reads, threads.map(fault_of, step.reads), strict=True):
            if fault:
                raise PipelineError(f"{data_dir / name}: {fault}; run again to rebuild it")


def release_memory() -> None:
    """Give what a step held back to the kernel, so that a worker that waits for its next one holds little."""
    pa.default_memory_pool().release_unused()
    with suppress(AttributeError, OSError):  # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)


def outputs_of(finished: Iterable[Manifest], *names: str) -> dict[str, Output]:
    """The outputs `names` (all, if none are given) of finished steps, for `reads` of a step that follows."""
    return {name: output for manifest in finished for name, output in manifest.outputs.items()
            if not names or name in names}


def upstream(finished: Iterable[Manifest]) -> str:
    """The digest of finished steps for `depends` of a step that follows: what they depended on and published."""
    digest = hashlib.sha256()
    for manifest in finished:
        contents = ",".join(f"{name}={output.sha256}" for name, output in sorted(manifest.outputs.items()))
        digest.update(f"{manifest.step} {manifest.fingerprint} {contents}\n".encode())
    return digest.hexdigest()
