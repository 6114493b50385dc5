"""The names of everything below a data folder and below a model folder; nothing else spells them.

Paths are relative to the folder and use `/`, because they also stand in manifests. `data/README.md` shows the same
tree to people, and a test compares the two.
"""

from collections.abc import Iterator

ANY = "*"  # in place of a source, a split or an index: the pattern of all such files

SOURCES = ("train", "test")  # the two inputs
SPLITS = ("train", "validation", "test")

# The data folder itself
MANIFESTS = "manifests"
LOCK = ".lock"
SETTINGS = "settings.json"


def manifest(step: str) -> str:
    """The manifest of a step."""
    return f"{MANIFESTS}/{step}.json"


# ingest


def reviews(source: str, index: int | str) -> str:
    """The reviews of one byte range of an input: Parquet, `label` and cleaned `text`."""
    return f"ingest/{source}/part-{_digits(index, 5)}.parquet"


def rejected_range(source: str, index: int | str) -> str:
    """The rejected lines of one byte range of an input."""
    return f"ingest/{source}/rejected-{_digits(index, 5)}.parquet"


def rejected(source: str) -> str:
    """All rejected lines of an input: Parquet, `line`, `reason` and `raw`."""
    return f"rejected/{source}.parquet"


# tokenize


def chunks(source: str, index: int | str) -> str:
    """The reviews of one byte range as codes of their chunks: Arrow."""
    return f"tokens/{source}/part-{_digits(index, 5)}.chunks.arrow"


def dictionary(source: str, index: int | str) -> str:
    """The chunk that each of those codes stands for: Arrow."""
    return f"tokens/{source}/part-{_digits(index, 5)}.dictionary.arrow"


def merged_rows(part: int | str) -> str:
    """Which chunk of the merged dictionary each row of each shard's dictionary is: Arrow."""
    return f"tokens/merged/rows-{_digits(part, 3)}.arrow"


def merged_tokens(part: int | str) -> str:
    """The tokens of each chunk of the merged dictionary: Arrow."""
    return f"tokens/merged/tokens-{_digits(part, 3)}.arrow"


# vocabulary

VOCABULARY = "vocabulary.parquet"
CHUNK_IDS = "vocabulary/chunk-ids.arrow"


def chunk_counts(source: str, index: int | str) -> str:
    """How often each chunk of one byte range counts: Arrow."""
    return f"vocabulary/{source}/part-{_digits(index, 5)}.arrow"


# encode

PACKED = "packed"
PACKED_ARRAYS = ("ids", "offsets", "labels", "lengths")


def shards(split: str) -> str:
    """The folder of a split's encoded reviews."""
    return f"shards/{split}"


def shard(split: str, index: int | str) -> str:
    """Encoded reviews of a split: Parquet, `label`, `text` and `token_ids`."""
    return f"{shards(split)}/part-{_digits(index, 5)}.parquet"


def packed(split: str) -> str:
    """The folder of a split's memory-mapped arrays."""
    return f"{PACKED}/{split}"


def packed_array(split: str, array: str) -> str:
    """One of `PACKED_ARRAYS` of a split: NumPy."""
    return f"{packed(split)}/{array}.npy"


def packed_arrays() -> Iterator[str]:
    """The arrays of all splits."""
    return (packed_array(split, array) for split in SPLITS for array in PACKED_ARRAYS)


# train

WEIGHTS = "training/model.safetensors"
HISTORY = "training/history.jsonl"
CHECKPOINTS = "checkpoints"
LIVE_HISTORY = "history.jsonl"  # beside the checkpoints while training goes on, with TensorBoard's files
PRETRAINING = "language-model"  # below the checkpoints of a training, those of its pretraining
TENSORBOARD = "tensorboard"
LAUNCH = "launch"  # below the checkpoints, the files of a launch on several machines

# evaluate

METRICS = "metrics.json"
REPORT = "report.html"

# search

SEARCH = "search"
BEST_SETTINGS = "search/best.toml"
STUDY = "study.db"  # below a folder of its own for each search

# publish: the model folder, whose files are named below

MODEL = "model"
MODEL_WEIGHTS = "model.safetensors"
MODEL_CONFIG = "config.json"
MODEL_VOCABULARY = "vocabulary.parquet"
MODEL_CARD = "README.md"
MODEL_FILES = (MODEL_WEIGHTS, MODEL_CONFIG, MODEL_VOCABULARY)  # what scoring needs


def _digits(number: int | str, count: int) -> str:
    return number if isinstance(number, str) else f"{number:0{count}d}"
