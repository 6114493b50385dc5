"""The names of layout.py, the tree in data/README.md and the folder of a finished run are the same."""

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from sentiment_pipeline import layout
from sentiment_pipeline.engine.executor import ProcessExecutor
from sentiment_pipeline.engine.stage import run_stages
from sentiment_pipeline.engine.step import no_progress
from sentiment_pipeline.layout import ANY, SOURCES, SPLITS
from sentiment_pipeline.progress import PlainObserver
from sentiment_pipeline.quality.shard import Outputs
from sentiment_pipeline.sample import write_sample
from sentiment_pipeline.search import Search
from sentiment_pipeline.settings import load
from sentiment_pipeline.stages.pipeline import STAGES, open_data_folder
from tests.conftest import ROOT
from tests.folders import run_here

TRAININGS = (f"{layout.CHECKPOINTS}/{ANY}", f"{layout.CHECKPOINTS}/{ANY}/{layout.PRETRAINING}")
LAUNCH = f"{layout.CHECKPOINTS}/{layout.LAUNCH}"
MODELS = (layout.MODEL, layout.MODEL_BEFORE, layout.MODEL_NEXT)
PATTERNS: dict[str, set[str]] = {  # of the files below a data folder that each name of layout.py stands for
    "input_file": {f"sample/{layout.input_file(source)}" for source in SOURCES},
    "LOCK": {layout.LOCK},
    "SETTINGS": {layout.SETTINGS},
    "manifest": {layout.manifest("**/*")},
    "reviews": {layout.reviews(source, ANY, ANY) for source in SOURCES},
    "rejected_range": {layout.rejected_range(source, ANY, ANY) for source in SOURCES},
    "rejected": {layout.rejected(source) for source in SOURCES},
    "chunks": {layout.chunks(source, ANY, ANY) for source in SOURCES},
    "dictionary": {layout.dictionary(source, ANY, ANY) for source in SOURCES},
    "merged_rows": {layout.merged_rows(ANY)},
    "merged_tokens": {layout.merged_tokens(ANY)},
    "QUALITY": {layout.QUALITY},
    "sketches": {layout.sketches(source, ANY, ANY, kind) for source in SOURCES for kind in Outputs._fields},
    "equal_reviews": {layout.equal_reviews(ANY)},
    "pairs_of_reviews": {layout.pairs_of_reviews(ANY)},
    "FOUND_REVIEWS": {layout.FOUND_REVIEWS},
    "DROPPED_REVIEWS": {layout.DROPPED_REVIEWS},
    "VOCABULARY": {layout.VOCABULARY},
    "CHUNK_IDS": {layout.CHUNK_IDS},
    "chunk_counts": {layout.chunk_counts("train", ANY, ANY)},
    "shard": {layout.shard(split, ANY) for split in SPLITS},
    "packed_arrays": set(layout.packed_arrays()),
    "WEIGHTS": {layout.WEIGHTS},
    "HISTORY": {layout.HISTORY},
    "LIVE_HISTORY": {f"{folder}/{layout.LIVE_HISTORY}" for folder in TRAININGS},
    "TENSORBOARD": {f"{folder}/{layout.TENSORBOARD}/events.*" for folder in TRAININGS},
    "checkpoint": {f"{folder}/{layout.checkpoint(ANY)}" for folder in TRAININGS},
    "checkpoint_description": {f"{folder}/{layout.checkpoint_description(ANY)}" for folder in TRAININGS},
    "LAUNCH_JOB": {f"{LAUNCH}/{layout.LAUNCH_JOB}"},
    "LAUNCH_RESULT": {f"{LAUNCH}/{layout.LAUNCH_RESULT}"},
    "LAUNCH_WEIGHTS": {f"{LAUNCH}/{layout.LAUNCH_WEIGHTS}"},
    "launch_failure": {f"{LAUNCH}/{layout.launch_failure(ANY)}"},
    "METRICS": {layout.METRICS},
    "REPORT": {layout.REPORT},
    "RUNS": {layout.RUNS},
    "LINEAGE": {layout.LINEAGE, *(f"{folder}/{layout.LINEAGE}" for folder in MODELS)},
    "STUDY": {f"{layout.SEARCH}/{ANY}/{layout.STUDY}"},
    "BEST_SETTINGS": {layout.BEST_SETTINGS},
    "MODEL_FILES": {f"{folder}/{name}" for folder in MODELS for name in layout.MODEL_FILES},
    "MODEL_CARD": {f"{folder}/{layout.MODEL_CARD}" for folder in MODELS},
}
PATH_FUNCTIONS = {"Path", "glob", "joinpath", "rglob", "with_name"}
FOLDERS = {
    "CHECKPOINTS",
    "LAUNCH",
    "MANIFESTS",
    "MODEL",
    "MODEL_ASIDE",
    "MODEL_BEFORE",
    "MODEL_NEXT",
    "PACKED",
    "PRETRAINING",
    "SEARCH",
    "packed",
    "shards",
}
PARTS = {"ANY", "MODEL_CONFIG", "MODEL_VOCABULARY", "MODEL_WEIGHTS", "PACKED_ARRAYS", "SOURCES", "SPLITS"}
PARTS |= {"array_file", "packed_array", "part"}


def tree() -> list[str]:
    """The glob patterns of all files in the tree of data/README.md."""
    (block,) = re.findall("```\n(.*?)```", (ROOT / "data" / "README.md").read_text(), re.DOTALL)
    found, folders = [], list[str]()
    for line in block.splitlines()[1:]:
        indent, name = re.fullmatch(r"([│├└─ ]+)(\S+)(?: .*)?", line).groups()  # type: ignore[union-attr]
        depth = len(indent) // 4 - 1
        path = "".join([*folders[:depth], name])
        if name.endswith("/"):
            folders[depth:] = [name]
        else:
            found += expanded(path)
    return found


def expanded(path: str) -> list[str]:
    """`{a,b}` as a shell expands it."""
    pieces = [piece.split(",") for piece in re.split(r"[{}]", path)]
    return ["".join(each) for each in product(*pieces)]


@pytest.fixture(scope="module")
def finished(sample: Path, tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything in it: a sample, two runs with pretraining and TensorBoard, a search."""
    pytest.importorskip("tensorboard")
    data_dir = tmp_path_factory.mktemp("data")
    write_sample(data_dir / "sample", 100, seed=0, workers=1)
    files = {"train": sample / "train.ft.txt.bz2", "test": sample / "test.ft.txt.bz2", "data_dir": data_dir}
    options = ["training.pretraining_epochs=1", "runtime.tensorboard=true"]
    run_here(load(files, tiny, [*options, "training.seed=1"]))
    with open_data_folder(load(files, tiny, options)) as run, ProcessExecutor(1) as executor:
        run_stages(run, STAGES, executor, PlainObserver(lambda line: None))
        Search(run, ["training.learning_rate"]).run_trial(no_progress)
    return data_dir


def test_every_name_of_the_layout_is_in_this_test() -> None:
    assert sorted(layout.__all__) == sorted([*PATTERNS, *FOLDERS, *PARTS])


def test_the_tree_for_people_has_exactly_the_names_of_the_layout() -> None:
    assert sorted(tree()) == sorted(set().union(*PATTERNS.values()))


def test_every_file_of_a_run_is_in_the_tree_and_every_entry_of_the_tree_exists(finished: Path) -> None:
    files = {pattern: set(finished.glob(pattern)) for pattern in tree()}
    assert set().union(*files.values()) == {path for path in finished.rglob("*") if path.is_file()}
    assert [
        pattern for pattern, paths in files.items() if not paths and not pattern.startswith((LAUNCH, layout.MODEL_NEXT))
    ] == []


def test_every_stage_publishes_files_of_the_tree_only() -> None:
    published = {pattern for stage in STAGES for pattern in stage.publishes}
    for pattern in published:
        assert any(Path(each).match(pattern) for each in tree()), pattern


def literals(path: Path) -> Iterator[tuple[int, str, bool]]:
    """The strings of a module but docstrings: line, text with `*` for formatted values, if it is part of a path."""
    module = ast.parse(path.read_text())
    nodes = list(ast.walk(module))
    skipped = {
        id(node.body[0].value)
        for node in nodes
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and isinstance(node.body[0], ast.Expr)
    }
    skipped |= {id(value) for node in nodes if isinstance(node, ast.JoinedStr) for value in node.values}
    joined = {id(node.right) for node in nodes if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)}
    joined |= {
        id(argument)
        for node in nodes
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in PATH_FUNCTIONS
        for argument in node.args
    }
    for node in nodes:
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value, id(node) in joined
        elif isinstance(node, ast.JoinedStr):
            pieces = (each.value if isinstance(each, ast.Constant) else "*" for each in node.values)
            yield node.lineno, "".join(map(str, pieces)), id(node) in joined


def test_no_other_module_spells_a_name() -> None:
    components = {part for pattern in tree() for part in pattern.split("/")}
    names = {part for part in components if "." in part} - {"*.json", "events.*"}
    folders = components - names - {"*", "**", *SOURCES, *SPLITS}
    assert {"metrics.json", "part-*.parquet", "step-*.pt"} < names
    assert {"packed", "manifests", "checkpoints"} < folders
    modules = [path for root in ("sentiment_pipeline", "flows") for path in (ROOT / root).rglob("*.py")]
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text!r}"
        for path in modules
        if path.name != "layout.py"
        for line, text, is_joined in literals(path)
        if " " not in text  # otherwise it is a sentence for people
        for part in text.split("/")
        if part in names or (is_joined and part in folders)
    ]
    assert found == []
