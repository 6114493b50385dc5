"""Which values of a file's labels are negative and which positive.

By default only what is certain counts: the values that the beginning of a file has must fit exactly one of the usual
pairs. Everything else is for the user to say, with the setting `input.labels`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from sentiment_pipeline.errors import PipelineError, SettingsError

__all__ = ["FASTTEXT_LABELS", "Labels", "choose_labels", "label_strings", "parse_labels"]

_SHOWN = 10  # labels in an error message
_EXAMPLE = "for example --set input.labels=1,2/3/4,5 for stars, of which 3 is dropped"


@dataclass(frozen=True)
class Labels:
    """Values of labels as lower-case strings.

    Attributes:
        negative: the values of negative reviews.
        positive: the values of positive reviews.
        dropped: the values of reviews that are left out.
    """

    negative: tuple[str, ...]
    positive: tuple[str, ...]
    dropped: tuple[str, ...] = ()

    @property
    def values(self) -> tuple[str, ...]:
        """All values: the negative ones, the positive ones, the dropped ones."""
        return self.negative + self.positive + self.dropped

    @property
    def in_words(self) -> str:
        """The values that count, as in "1 or 2"."""
        return " or ".join((", ".join(self.negative), ", ".join(self.positive)))


FASTTEXT_LABELS = Labels(("1",), ("2",))
_USUAL = (
    FASTTEXT_LABELS,
    Labels(("0",), ("1",)),
    Labels(("neg",), ("pos",)),
    Labels(("negative",), ("positive",)),
    Labels(("false",), ("true",)),
)


def parse_labels(text: str) -> Labels:
    """The labels of the setting `input.labels`.

    Args:
        text: `NEGATIVE/POSITIVE` or `NEGATIVE/DROPPED/POSITIVE`, each one value or several with commas between them.

    Raises:
        SettingsError: it is neither, or a value occurs twice.

    >>> parse_labels("1,2/3/4,5")
    Labels(negative=('1', '2'), positive=('4', '5'), dropped=('3',))
    """
    parts = [tuple(value.strip().lower() for value in part.split(",")) for part in text.split("/")]
    values = [value for part in parts for value in part]
    if len(parts) not in (2, 3) or not all(values) or len(set(values)) < len(values):
        raise SettingsError(
            f"input.labels is {text!r}; give NEGATIVE/POSITIVE or NEGATIVE/DROPPED/POSITIVE, each value once, "
            "for example 0/1 or 1,2/3/4,5"
        )
    return Labels(parts[0], parts[-1], parts[1] if len(parts) == 3 else ())


def choose_labels(found: Iterable[str], path: Path) -> Labels:
    """The usual pair that the labels at the beginning of a table fit.

    Args:
        found: the labels, as `label_strings` gives them.
        path: of the file, for the error.

    Raises:
        PipelineError: they fit no pair, or more than one; says what they are.
    """
    values = set(found)
    fitting = [labels for labels in _USUAL if values and values <= set(labels.values)]
    if len(fitting) == 1:
        return fitting[0]
    shown = ", ".join(sorted(values)[:_SHOWN]) + (", …" if len(values) > _SHOWN else "")
    if fitting:
        pairs = " or ".join("/".join(labels.values) for labels in fitting)
        raise PipelineError(
            f"{path}: the labels of its first rows are all {shown}, which may be {pairs}; say which, "
            f"with --set input.labels={'/'.join(fitting[0].values)}"
        )
    raise PipelineError(
        f"{path}: the labels of its first rows are {shown or 'missing'}; say which are negative and which positive, "
        f"{_EXAMPLE}"
    )


def label_strings(column: pa.Array, path: Path) -> pa.StringArray:
    """Labels of any type as lower-case strings; whole numbers without a fraction, null where there is none.

    Args:
        column: the labels.
        path: of the file, for the error.

    Raises:
        PipelineError: the labels are lists or structs.

    >>> label_strings(pa.array([1.0, 2.5, None]), Path("reviews.parquet")).to_pylist()
    ['1', '2.5', None]
    """
    kind = column.type
    if pa.types.is_nested(kind):
        raise PipelineError(f"{path}: its labels are {kind}; name another column with --label COLUMN")
    if pa.types.is_floating(kind):
        whole = pc.equal(column, pc.floor(column))
        numbers = pc.if_else(whole, column, None).cast(pa.int64(), safe=False).cast(pa.string())
        return pc.if_else(whole, numbers, column.cast(pa.string()))
    try:
        return pc.utf8_lower(pc.utf8_trim_whitespace(column.cast(pa.string())))
    except pa.ArrowException as error:
        raise PipelineError(f"{path}: its labels are {kind} that is not text ({error})") from error
