"""A manifest says what a step depended on and what it published; it is the only truth about being done.

A completion mark that knows nothing of what it completed outlives deleted files and changed settings. A
manifest holds the fingerprint of everything its step depends on, and the size and hash of each file that
the step published, so that "done" can be checked instead of believed.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import contents, known_sha256, write_text
from sentiment_pipeline.engine.files import sha256 as sha256_of
from sentiment_pipeline.errors import PipelineError

__all__ = ["JSON", "Facts", "Manifest", "Output", "fingerprint", "read", "record"]

JSON = Any  # what json.dumps takes
FORMAT = 1


@dataclass(frozen=True)
class Output:
    """What a published file must look like: its size in bytes and its SHA-256."""

    bytes: int
    sha256: str

    def damage(self, path: Path, digest: Callable[[Path], str] = sha256_of) -> str | None:
        """What is wrong with the file at `path`, or None; reads every byte."""
        if not path.is_file():
            return "missing"
        if (size := path.stat().st_size) != self.bytes:
            return f"{size:,} bytes instead of {self.bytes:,}"
        return None if digest(path) == self.sha256 else "damaged (its SHA-256 differs)"

    def is_sound(self) -> bool:
        return type(self.bytes) is int and type(self.sha256) is str


class Facts(dict[str, JSON]):
    """The facts of a manifest that was read; one that does not hold what a later step asks for is damaged."""

    def __missing__(self, name: str) -> JSON:
        raise PipelineError(
            f"a manifest lacks {name}, so another version of this program wrote it; "
            "delete the folder manifests and run again"
        )


@dataclass(frozen=True)
class Manifest:
    """The record of one finished step.

    Attributes:
        step: its name, for example `ingest/train/part-00003`; also the manifest's path below `manifests/`.
        depends: everything that determines the outputs: settings, code version, digests of what came before.
        outputs: the published files, by their path relative to the data folder.
        facts: what the step found out (counts, seconds), small enough for JSON.
    """

    step: str
    depends: Mapping[str, JSON]
    outputs: Mapping[str, Output]
    facts: Mapping[str, JSON]

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.depends)

    def damage(self, data_dir: Path) -> list[str]:
        """Each output that is missing or does not have its recorded bytes, with the reason; reads every byte."""
        return [
            f"{name}: {fault}" for name, output in self.outputs.items() if (fault := output.damage(data_dir / name))
        ]


def fingerprint(depends: Mapping[str, JSON]) -> str:
    """The SHA-256 of `depends` in its canonical JSON form, in hexadecimal."""
    return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()


def record(
    data_dir: Path, step: str, depends: Mapping[str, JSON], outputs: tuple[str, ...], facts: Mapping[str, JSON]
) -> Manifest:
    """Publish and return the manifest of a step whose outputs have just been published."""
    described = {name: Output((data_dir / name).stat().st_size, known_sha256(data_dir / name)) for name in outputs}
    manifest = Manifest(step, depends, described, facts)
    body = {"format": FORMAT, **asdict(manifest)}
    sealed = {**body, "sha256": fingerprint(body)}
    write_text(data_dir / layout.manifest(step), json.dumps(sealed, indent=1) + "\n")
    return manifest


def read(data_dir: Path, step: str) -> Manifest | None:
    """The manifest of `step`; None if there is none.

    Raises:
        PipelineError: the manifest is damaged; names it.
    """
    path = data_dir / layout.manifest(step)
    try:
        body = json.loads(contents(path))
        seal = body.pop("sha256")
        if seal != fingerprint(body) or body.pop("format") != FORMAT or body["step"] != step:
            raise ValueError("its seal differs")
        outputs = {_inside(name): Output(**output) for name, output in body.pop("outputs").items()}
        manifest = Manifest(outputs=outputs, **{**body, "facts": Facts(body["facts"])})
        if not (isinstance(manifest.depends, dict) and all(map(Output.is_sound, outputs.values()))):
            raise ValueError("it is no manifest")
        return manifest
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise PipelineError(f"{path} is damaged ({error}); delete it and run again to redo its step") from error


def _inside(name: str) -> str:
    """`name`, if it cannot lead outside the data folder."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(f"the name {name!r} leads outside the data folder")
    return name
