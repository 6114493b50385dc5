"""The last step of ingest: adds up the ranges of all files of an input, and refuses what cannot be trained on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sentiment_pipeline import layout
from sentiment_pipeline.engine.files import published
from sentiment_pipeline.engine.manifest import JSON, Manifest
from sentiment_pipeline.engine.stage import Run
from sentiment_pipeline.engine.step import ProgressCallback, Step, outputs_of, upstream_digest
from sentiment_pipeline.inputs.input_file import InputFile
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.stages.parts import total_name
from sentiment_pipeline.text.rejected import FileRanges, LineSummary, Range, collect_rejected, refuse_unfit

__all__ = ["ReadFile", "total_step"]

_VERSION = 1

ReadFile = tuple[InputFile, list[tuple[Manifest, dict[str, int]]]]  # a file; of each range its step and what that found


def total_step(run: Run[Settings], source: str, read: Sequence[ReadFile]) -> Step:
    """The step over the files of an input, as far as they are read."""
    config = run.settings.ingest
    limit: int = getattr(config, f"{source}_lines")
    rules = {"max_rejected_fraction": config.max_rejected_fraction, "min_rejected_lines": config.min_rejected_lines}
    files = [_file_ranges(source, *each) for each in read]
    manifests = list({manifest.step: manifest for _, ranges in read for manifest, _ in ranges}.values())
    described = [{"name": file.name, "bytes": file.source.bytes, "sha256": file.source.sha256} for file, _ in read]
    return Step(
        name=total_name(source),
        work=_add_up,
        arguments={
            "source": source,
            "files": files,
            "parts": [part for each in read for part in _parts(*each)],
            "limit": limit,
            "described": described,
            **rules,
        },
        depends={
            "version": _VERSION,
            "parts": upstream_digest(manifests),
            "files": described,
            "ingest": {f"{source}_lines": limit, **rules},
        },
        outputs=(layout.rejected(source),),
        reads=outputs_of(manifests, *_tables_read(files, limit)),
    )


def _file_ranges(source: str, file: InputFile, ranges: Sequence[tuple[Manifest, dict[str, int]]]) -> FileRanges:
    places = [(source, file.key, index) for index in range(len(ranges))]
    found = [
        Range(each["lines"], each["positive"], Path(layout.reviews(*place)), Path(layout.rejected_range(*place)))
        for place, (_, each) in zip(places, ranges, strict=True)
    ]
    return FileRanges(file.source.path, file.name, found)


def _parts(file: InputFile, ranges: Sequence[tuple[Manifest, dict[str, int]]]) -> list[dict[str, Any]]:
    """The attributes of a `Part` for each range of a file, except for those that are counted here."""
    return [
        {"file": file.key, "index": index, "bytes": found["bytes"], "step": manifest.step}
        for index, (manifest, found) in enumerate(ranges)
    ]


def _tables_read(files: Sequence[FileRanges], limit: int) -> list[str]:
    """The tables of the rejected lines, and with a limit those of the reviews of the last range."""
    ranges = [each for file in files for each in file.ranges]
    return [each.others.as_posix() for each in ranges] + [each.reviews.as_posix() for each in ranges[-1:] if limit]


def _add_up(
    data_dir: Path,
    on_progress: ProgressCallback,
    *,
    source: str,
    files: Sequence[FileRanges],
    parts: Sequence[Mapping[str, JSON]],
    limit: int,
    described: Sequence[Mapping[str, JSON]],
    max_rejected_fraction: float,
    min_rejected_lines: int,
) -> Mapping[str, JSON]:
    with published(data_dir / layout.rejected(source)) as rejected:
        summaries = collect_rejected([each.below(data_dir) for each in files], limit, rejected)
    refuse_unfit(files, summaries, max_rejected_fraction, min_rejected_lines)
    whole = LineSummary.of_all(summaries)
    return {
        "lines": whole.lines,
        "reviews": whole.reviews,
        "positive": whole.positive,
        "rejected": whole.rejected,
        "blank": whole.blank,
        "dropped": whole.dropped,
        "reasons": dict(whole.reasons),
        "warnings": [line for each, file in zip(summaries, files, strict=True) for line in each.warnings(file.name)],
        "parts": [{**part, "reviews": reviews} for part, reviews in zip(parts, whole.parts, strict=True)],
        "files": described,
    }
