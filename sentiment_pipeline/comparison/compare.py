"""The differences between two folders, as plain data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sentiment_pipeline import layout
from sentiment_pipeline.chance import difference_error, is_beyond_chance, standard_error
from sentiment_pipeline.comparison.folder import Folder, InputFile

__all__ = ["Accuracy", "Comparison", "InputChanges", "compare"]

Change = tuple[Any, Any]  # a value in A and in B; None where there is none


@dataclass(frozen=True)
class InputChanges:
    """The files of a source in B against those in A.

    Attributes:
        added: names of files that only B has.
        removed: names of files that only A has.
        changed: names of files whose content differs.
        renamed: old and new names of files of the same content.
        is_reordered: whether the same contents come in another order.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    is_reordered: bool


@dataclass(frozen=True)
class Accuracy:
    """An accuracy in both folders.

    Attributes:
        values: as fractions.
        reviews: of how many.
        standard_errors: of each.
        difference: of B from A.
        difference_error: its standard error, if the two were equal but for chance.
        is_beyond_chance: whether the difference is larger than chance alone makes it in 95 of 100 cases.
    """

    values: tuple[float, float]
    reviews: tuple[int, int]
    standard_errors: tuple[float | None, float | None]
    difference: float
    difference_error: float
    is_beyond_chance: bool


@dataclass(frozen=True)
class Comparison:
    """What differs between two folders, A and B; names lead to the value in A and that in B.

    Attributes:
        inputs: by source.
        settings: those that differ, by `group.name`.
        versions: those that differ.
        stages: those whose digests differ.
        quality: figures of the data that differ, by their dotted names; None if a folder has none.
        accuracies: by split, where both folders have one.
        figures: other figures that differ, such as `test.loss`.
        same_test_reviews: whether both were tested on the same reviews.
    """

    inputs: dict[str, InputChanges]
    settings: dict[str, Change]
    versions: dict[str, Change]
    stages: dict[str, Change]
    quality: dict[str, Change] | None
    accuracies: dict[str, Accuracy]
    figures: dict[str, Change]
    same_test_reviews: bool


def compare(a: Folder, b: Folder) -> Comparison:
    """What differs in B from A."""
    inputs = {source: _input_changes(a.inputs.get(source, ()), b.inputs.get(source, ())) for source in layout.SOURCES}
    return Comparison(
        inputs=inputs,
        settings=_changes(a.settings, b.settings),
        versions=_changes(a.versions, b.versions),
        stages=_changes(a.stages, b.stages),
        quality=None if a.quality is None or b.quality is None else _changes(_numbers(a.quality), _numbers(b.quality)),
        accuracies=dict(_accuracies(a.metrics, b.metrics)),
        figures=_changes(_other_figures(a.metrics), _other_figures(b.metrics)),
        same_test_reviews=_same_test_reviews(a, b),
    )


def _input_changes(a: Sequence[InputFile], b: Sequence[InputFile]) -> InputChanges:
    only_a, only_b = _without(a, b), _without(b, a)
    changed = {file.name for file in only_a} & {file.name for file in only_b}
    contents_a, contents_b = ([file.sha256 for file in files] for files in (a, b))
    return InputChanges(
        added=tuple(file.name for file in only_b if file.name not in changed),
        removed=tuple(file.name for file in only_a if file.name not in changed),
        changed=tuple(file.name for file in only_a if file.name in changed),
        renamed=tuple(_renamed(a, b)),
        is_reordered=contents_a != contents_b and sorted(contents_a) == sorted(contents_b),
    )


def _without(files: Sequence[InputFile], others: Sequence[InputFile]) -> list[InputFile]:
    """The files whose content none of the others has."""
    contents = {other.sha256 for other in others}
    return [file for file in files if file.sha256 not in contents]


def _renamed(a: Sequence[InputFile], b: Sequence[InputFile]) -> Iterator[tuple[str, str]]:
    """The old and the new name of each content that has another name now."""
    for file in a:
        names = [other.name for other in b if other.sha256 == file.sha256]
        if names and file.name not in names:
            yield file.name, names[0]


def _changes(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Change]:
    """The values that differ, by their dotted names."""
    before, after = dict(_leaves(a)), dict(_leaves(b))
    return {
        name: (before.get(name), after.get(name)) for name in {**before, **after} if before.get(name) != after.get(name)
    }


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values that are no mappings, by their dotted names."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _numbers(values: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers among the leaves."""
    return {
        name: value for name, value in _leaves(values) if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _accuracies(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[tuple[str, Accuracy]]:
    for split in ("test", "validation"):
        figures = (a[split], b[split])
        if all(each["accuracy"] is not None for each in figures):
            values, reviews = (tuple(each[name] for each in figures) for name in ("accuracy", "reviews"))
            difference, error = values[1] - values[0], difference_error(values, reviews)
            errors = standard_error(values[0], reviews[0]), standard_error(values[1], reviews[1])
            yield split, Accuracy(values, reviews, errors, difference, error, is_beyond_chance(difference, error))


def _other_figures(metrics: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The numbers but the accuracies."""
    return {name: value for name, value in _numbers(metrics).items() if not name.endswith((".accuracy", ".step"))}


def _same_test_reviews(a: Folder, b: Folder) -> bool:
    """By the digest of the reviews, or else by the files and the settings that choose among their lines."""
    if a.test_reviews and b.test_reviews:
        return a.test_reviews == b.test_reviews
    chosen = [(each.settings.get("ingest", {}).get("test_lines"), each.settings.get("split")) for each in (a, b)]
    contents = [[file.sha256 for file in each.inputs.get("test", ())] for each in (a, b)]
    return chosen[0] == chosen[1] and contents[0] == contents[1]
