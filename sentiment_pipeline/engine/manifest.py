"""A manifest records what a step depended on and what it published: the only evidence that the step is done.

A bare completion mark would outlive deleted files and changed settings. A manifest holds everything that its step
depended on, and the size and SHA-256 of each published file, so that "done" is checked against the disk, never assumed.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import cached_sha256, read_bytes, write_text
from sentiment_pipeline.engine.files import sha256 as sha256_of
from sentiment_pipeline.errors import PipelineError

__all__ = ["JSON", "Manifest", "Output", "fingerprint", "read", "record", "recorded_steps"]

JSON = Any  # whatever json.dumps accepts

_FORMAT = 1  # of the manifest file


@dataclass(frozen=True)
class Output:
    """A published file: its size in bytes and its SHA-256 in hexadecimal."""

    bytes: int
    sha256: str

    def damage(self, path: Path, digest: Callable[[Path], str] = sha256_of) -> str | None:
        """What is wrong with the file at `path`, or None; reads the whole file.

        Args:
            digest: computes the file's SHA-256.
        """
        if not path.is_file():
            return "missing"
        if (size := path.stat().st_size) != self.bytes:
            return f"{size:,} bytes instead of {self.bytes:,}"
        return None if digest(path) == self.sha256 else "damaged (its SHA-256 differs)"

    def is_valid(self) -> bool:
        """Whether the values, which came from a file, have the declared types."""
        return type(self.bytes) is int and type(self.sha256) is str


class _Facts(dict[str, JSON]):
    """The facts of a manifest that was read from disk; a missing one is an expected failure, not a KeyError."""

    def __missing__(self, name: str) -> JSON:
        raise PipelineError(
            f"a manifest lacks {name}, so another version of this program wrote it; "
            f"delete the folder {layout.MANIFESTS} and run again"
        )


@dataclass(frozen=True)
class Manifest:
    """The record of one finished step.

    Attributes:
        step: the step's name, for example `ingest/train/part-00003`; also the manifest's path below `manifests/`.
        depends: everything that determines the outputs: settings, code version, digests of earlier steps.
        outputs: the published files, by path relative to the data folder.
        facts: what the step measured, such as counts and seconds.
    """

    step: str
    depends: Mapping[str, JSON]
    outputs: Mapping[str, Output]
    facts: Mapping[str, JSON]

    @property
    def fingerprint(self) -> str:
        """The fingerprint of `depends`."""
        return fingerprint(self.depends)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know of the step, whenever its stage runs: its fact `warnings`."""
        return tuple(self.facts.get("warnings", ()))

    def damage(self, data_dir: Path) -> list[str]:
        """A line for each output that is missing or damaged; reads all of them."""
        return [
            f"{name}: {fault}" for name, output in self.outputs.items() if (fault := output.damage(data_dir / name))
        ]


def fingerprint(depends: Mapping[str, JSON]) -> str:
    """The SHA-256 of `depends` as canonical JSON, in hexadecimal."""
    return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()


def record(
    data_dir: Path, step: str, depends: Mapping[str, JSON], outputs: tuple[str, ...], facts: Mapping[str, JSON]
) -> Manifest:
    """Publish and return the manifest of a step whose outputs have just been published.

    Args:
        outputs: paths of the published files, relative to the data folder.
    """
    described = {name: Output((data_dir / name).stat().st_size, cached_sha256(data_dir / name)) for name in outputs}
    manifest = Manifest(step, depends, described, facts)
    body = {"format": _FORMAT, **asdict(manifest)}
    with_checksum = {**body, "sha256": fingerprint(body)}
    write_text(data_dir / layout.manifest(step), json.dumps(with_checksum, indent=1) + "\n")
    return manifest


def read(data_dir: Path, step: str) -> Manifest | None:
    """The manifest of `step`; None if there is none.

    Raises:
        PipelineError: the manifest is damaged; names it.
    """
    path = data_dir / layout.manifest(step)
    try:
        body = json.loads(read_bytes(path))
        checksum = body.pop("sha256")
        if checksum != fingerprint(body) or body.pop("format") != _FORMAT or body["step"] != step:
            raise ValueError("its checksum does not match")
        outputs = {_inside(name): Output(**output) for name, output in body.pop("outputs").items()}
        manifest = Manifest(outputs=outputs, **{**body, "facts": _Facts(body["facts"])})
        if not (isinstance(manifest.depends, dict) and all(map(Output.is_valid, outputs.values()))):
            raise ValueError("it is not a manifest")
        return manifest
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise PipelineError(f"{path} is damaged ({error}); delete it and run again to redo its step") from error


def recorded_steps(data_dir: Path, name: str = "") -> list[str]:
    """The names of all steps that have a manifest, sorted.

    Args:
        name: only the step of this name and those whose names begin with `name/`.
    """
    patterns = (name, f"{name}/**/*") if name else ("**/*",)
    paths = (path for pattern in patterns for path in data_dir.glob(layout.manifest(pattern)))
    return sorted(path.relative_to(data_dir / layout.MANIFESTS).with_suffix("").as_posix() for path in paths)


def _inside(name: str) -> str:
    """`name`, if it is a path inside the data folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(f"the name {name!r} leads outside the data folder")
    return name
