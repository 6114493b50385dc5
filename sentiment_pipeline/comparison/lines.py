"""A comparison as lines for people."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sentiment_pipeline.comparison.compare import Accuracy, Comparison, InputChanges
from sentiment_pipeline.formatting import figure, percent

__all__ = ["lines"]


def lines(comparison: Comparison, a: Path, b: Path) -> Iterator[str]:
    """Yield the lines: which folders are A and B, then a heading and indented lines for each part.

    Args:
        comparison: of the two.
        a: path of the first folder.
        b: path of the second.
    """
    yield from (f"A: {a}", f"B: {b}")
    sections: dict[str, Sequence[str]] = {
        "inputs": [_inputs_line(source, changes) for source, changes in comparison.inputs.items()],
        "settings": _change_lines(comparison.settings),
        "versions": _change_lines(comparison.versions),
        "stages": [f"other inputs or outputs: {', '.join(comparison.stages)}"] if comparison.stages else [],
        "figures": [
            *(_accuracy_line(split, each) for split, each in comparison.accuracies.items()),
            *_change_lines(comparison.figures),
        ],
    }
    if comparison.quality is not None:
        sections["quality"] = _change_lines(comparison.quality)
    for title, found in sections.items():
        yield title if found else f"{title}: the same"
        yield from (f"  {line}" for line in found)
    if not comparison.same_test_reviews:
        yield "The test reviews are not the same, so the test figures compare reviews as well as models."


def _inputs_line(source: str, changes: InputChanges) -> str:
    parts = [
        f"{len(names)} {what}: {', '.join(names)}"
        for what, names in (("added", changes.added), ("removed", changes.removed), ("changed", changes.changed))
        if names
    ]
    parts += [f"{before} is now {after}" for before, after in changes.renamed]
    parts += ["in another order"] if changes.is_reordered else []
    return f"{source}: {'; '.join(parts) or 'the same'}"


def _change_lines(changes: Mapping[str, tuple[Any, Any]]) -> list[str]:
    width = max(map(len, changes), default=0)
    return [f"{name:<{width}}  {_value(before)} -> {_value(after)}" for name, (before, after) in changes.items()]


def _value(value: Any) -> str:
    return "none" if value is None else figure(value)


def _accuracy_line(split: str, found: Accuracy) -> str:
    sides = [
        f"{percent(value, 2)} ± {percent(error, 2)}"
        for value, error in zip(found.values, found.standard_errors, strict=True)
    ]
    name = f"{split} accuracy  {sides[0]} -> {sides[1]}"
    if not found.difference:
        return f"{name}: the same"
    verdict = "more than chance explains" if found.is_beyond_chance else "which chance alone can explain"
    return (
        f"{name}: {100 * found.difference:+.2f} points, {verdict} "
        f"(standard error {100 * found.difference_error:.2f} points)"
    )
