"""The names of all files below a data folder and a model folder. No other module spells them.

Paths are relative to the folder and use `/`, because manifests record them too. An index, source or split may be `ANY`;
the result is then a glob pattern. `data/README.md` shows the same tree; `tests/test_layout.py` compares the two with
each other and with the folder of a finished run.
"""

from collections.abc import Iterator

__all__ = [
    "ANY",
    "BEST_SETTINGS",
    "CHECKPOINTS",
    "CHUNK_IDS",
    "DROPPED_REVIEWS",
    "FOUND_REVIEWS",
    "HISTORY",
    "LAUNCH",
    "LAUNCH_JOB",
    "LAUNCH_RESULT",
    "LAUNCH_WEIGHTS",
    "LINEAGE",
    "LIVE_HISTORY",
    "LOCK",
    "MANIFESTS",
    "METRICS",
    "MODEL",
    "MODEL_ASIDE",
    "MODEL_BEFORE",
    "MODEL_CARD",
    "MODEL_CONFIG",
    "MODEL_FILES",
    "MODEL_NEXT",
    "MODEL_VOCABULARY",
    "MODEL_WEIGHTS",
    "PACKED",
    "PACKED_ARRAYS",
    "PRETRAINING",
    "QUALITY",
    "REPORT",
    "RUNS",
    "SEARCH",
    "SETTINGS",
    "SOURCES",
    "SPLITS",
    "STUDY",
    "TENSORBOARD",
    "VOCABULARY",
    "WEIGHTS",
    "array_file",
    "checkpoint",
    "checkpoint_description",
    "chunk_counts",
    "chunks",
    "dictionary",
    "equal_reviews",
    "input_file",
    "launch_failure",
    "manifest",
    "merged_rows",
    "merged_tokens",
    "packed",
    "packed_array",
    "packed_arrays",
    "pairs_of_reviews",
    "part",
    "rejected",
    "rejected_range",
    "reviews",
    "shard",
    "shards",
    "sketches",
]

ANY = "*"

SOURCES = ("train", "test")  # the two inputs
SPLITS = ("train", "validation", "test")


def input_file(source: str) -> str:
    """The file of an input in the published data set and in a sample: fastText lines, compressed."""
    return f"{source}.ft.txt.bz2"


# The data folder

MANIFESTS = "manifests"
LOCK = ".lock"
SETTINGS = "settings.json"


def manifest(step: str) -> str:
    """The manifest of a step: JSON."""
    return f"{MANIFESTS}/{step}.json"


# ingest


def part(source: str, file: str, index: int | str) -> str:
    """The reviews in one range of a file of an input: what its files in each stage are called, and the steps over it.

    Args:
        source: `train` or `test`.
        file: the key of the file.
        index: of the range.
    """
    return f"{source}/{file}/part-{_padded(index, 5)}"


def reviews(source: str, file: str, index: int | str) -> str:
    """The reviews of a part: Parquet, `label` and cleaned `text`."""
    return f"ingest/{part(source, file, index)}.parquet"


def rejected_range(source: str, file: str, index: int | str) -> str:
    """The rejected lines of a part: Parquet."""
    return f"ingest/{source}/{file}/rejected-{_padded(index, 5)}.parquet"


def rejected(source: str) -> str:
    """All rejected lines of an input: Parquet, `file`, `line`, `reason` and `raw`."""
    return f"rejected/{source}.parquet"


# tokenize


def chunks(source: str, file: str, index: int | str) -> str:
    """The reviews of a part as codes of their chunks, and the hashes of their texts: Arrow."""
    return f"tokens/{part(source, file, index)}.chunks.arrow"


def dictionary(source: str, file: str, index: int | str) -> str:
    """The chunk that each of those codes stands for: Arrow."""
    return f"tokens/{part(source, file, index)}.dictionary.arrow"


def merged_rows(part: int | str) -> str:
    """The index in the merged dictionary of each row of each shard's dictionary: Arrow."""
    return f"tokens/merged/rows-{_padded(part, 3)}.arrow"


def merged_tokens(part: int | str) -> str:
    """The tokens of each chunk of the merged dictionary: Arrow."""
    return f"tokens/merged/tokens-{_padded(part, 3)}.arrow"


# quality

QUALITY = "quality.json"
FOUND_REVIEWS = "quality/found.arrow"  # the training reviews that are duplicates, contradictory, or test reviews
DROPPED_REVIEWS = "quality/dropped.arrow"


def sketches(source: str, file: str, index: int | str, kind: str) -> str:
    """What the gate keeps of a part: Arrow; `kind` is a field of `quality.shard.Outputs`."""
    return f"quality/{part(source, file, index)}.{kind}.arrow"


def equal_reviews(piece: int | str) -> str:
    """The reviews whose hash others have too, in one range of hashes: Arrow."""
    return f"quality/equal-{_padded(piece, 3)}.arrow"


def pairs_of_reviews(piece: int | str) -> str:
    """Pairs of reviews that may be similar, in one range of hashes: Arrow."""
    return f"quality/pairs-{_padded(piece, 3)}.arrow"


# vocabulary

VOCABULARY = "vocabulary.parquet"
CHUNK_IDS = "vocabulary/chunk-ids.arrow"


def chunk_counts(source: str, file: str, index: int | str) -> str:
    """The counts of the chunks in the training reviews of a part: Arrow."""
    return f"vocabulary/{part(source, file, index)}.arrow"


# encode

PACKED = "packed"
PACKED_ARRAYS = ("ids", "offsets", "labels", "lengths")


def shards(split: str) -> str:
    """The folder of a split's encoded reviews."""
    return f"shards/{split}"


def shard(split: str, index: int | str) -> str:
    """Encoded reviews of a split: Parquet, `label`, `text` and `token_ids`."""
    return f"{shards(split)}/part-{_padded(index, 5)}.parquet"


def packed(split: str) -> str:
    """The folder of a split's memory-mapped arrays."""
    return f"{PACKED}/{split}"


def array_file(array: str) -> str:
    """One of `PACKED_ARRAYS` in a split's folder: NumPy."""
    return f"{array}.npy"


def packed_array(split: str, array: str) -> str:
    """One of `PACKED_ARRAYS` of a split: NumPy."""
    return f"{packed(split)}/{array_file(array)}"


def packed_arrays() -> Iterator[str]:
    """The arrays of all splits."""
    return (packed_array(split, array) for split in SPLITS for array in PACKED_ARRAYS)


# train

WEIGHTS = "training/model.safetensors"
HISTORY = "training/history.jsonl"
CHECKPOINTS = "checkpoints"  # holds a folder for each training, named by its fingerprint, with the following
LIVE_HISTORY = "history.jsonl"
TENSORBOARD = "tensorboard"
PRETRAINING = "language-model"  # checkpoints of the pretraining


def checkpoint(step: int | str) -> str:
    """The state after so many training steps: PyTorch."""
    return f"step-{_padded(step, 8)}.pt"


def checkpoint_description(step: int | str) -> str:
    """What a checkpoint belongs to, and its hash: JSON."""
    return f"step-{_padded(step, 8)}.json"


# train in several processes: the files of a launch

LAUNCH = "launch"  # below CHECKPOINTS if there are several machines
LAUNCH_JOB = "job.json"
LAUNCH_RESULT = "result.json"
LAUNCH_WEIGHTS = "weights.safetensors"


def launch_failure(rank: str) -> str:
    """Why the process of this rank failed: text."""
    return f"failure-{rank}.txt"


# evaluate

METRICS = "metrics.json"
REPORT = "report.html"
RUNS = "runs.json"  # the figures of all runs in the folder

# search

SEARCH = "search"  # holds a folder for each study
STUDY = "study.db"
BEST_SETTINGS = "search/best.toml"

# publish

MODEL = "model"  # the model folder, which holds the following
MODEL_BEFORE = "model-before"  # the same of the model that was published before
MODEL_NEXT = "model-next"  # the same while it is written
MODEL_ASIDE = "model-aside"  # one of them while two are exchanged

# The model folder

MODEL_WEIGHTS = "model.safetensors"
MODEL_CONFIG = "config.json"
MODEL_VOCABULARY = "vocabulary.parquet"
MODEL_CARD = "README.md"
LINEAGE = "lineage.json"  # beside the metrics, too
MODEL_FILES = (MODEL_WEIGHTS, MODEL_CONFIG, MODEL_VOCABULARY)  # what predictions need


def _padded(number: int | str, digits: int) -> str:
    return number if isinstance(number, str) else f"{number:0{digits}d}"
