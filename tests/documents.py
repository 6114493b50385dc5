"""What README and docs claim, taken apart: links, paths, commands, options, settings, tests and names.

Struck-through text (`~~removed~~`) makes no claim. Each check returns what is wrong, a line a fault.
"""

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from fnmatch import fnmatch
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path

import typer.main
import yaml

from sentiment_pipeline import layout
from sentiment_pipeline.cli import app
from sentiment_pipeline.errors import SettingsError
from sentiment_pipeline.settings import GROUPS, load
from sentiment_pipeline.stages.pipeline import STAGES

ROOT = Path(__file__).parents[1]
BASES = (ROOT, ROOT / "sentiment_pipeline", ROOT / "tests")  # what paths in documents are relative to

FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PATH = re.compile(r"[\w.*<>{},-]+(/[\w.*<>{},-]*)*")
ENDINGS = (
    ".py",
    ".md",
    ".toml",
    ".yaml",
    ".sh",
    ".png",
    ".html",
    ".json",
    ".jsonl",
    ".npy",
    ".parquet",
    ".safetensors",
)
TEST = re.compile(r"(?:(?<![\w/])([\w/]+\.py)::)?(?<![\w.])(test_[a-z]\w*)\b(\.py)?")
SETTING = re.compile(rf"(?<![\w./])({'|'.join(GROUPS)})\.(\w+)(?!\.?\w*/)")
OPTION = re.compile(r"--[a-z][a-z-]*")
IDENTIFIER = re.compile(r"_?[a-z]+(?:_[a-z0-9]+)+|[A-Z][a-z]+(?:[A-Z][a-z]+)+|[A-Z]{2,}(?:_[A-Z]+)+")
PLACEHOLDER = re.compile(r"(?<![A-Z])(DIR|FILE|FOLDER|HOST|MODULE|NAME|NUMBER|OUT|OWNER|PORT|PROCESS)(?![A-Z])|…")
SHELLS = ("sh", "console")


@dataclass(frozen=True)
class Document:
    """A page in Markdown."""

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> "Document":
        return cls(path, re.sub("~~.*?~~", "", path.read_text(encoding="utf-8"), flags=re.DOTALL))

    @property
    def prose(self) -> str:
        """The text without its blocks."""
        return FENCE.sub("", self.text)

    @cached_property
    def codes(self) -> list[str]:
        """What stands between backticks."""
        return [re.sub(r"\s+", " ", code) for code in re.findall(r"`([^`]+)`", self.prose)]

    def blocks(self, *languages: str) -> list[str]:
        """The blocks in these languages that are not marked `no-run`."""
        return [code for name, marks, code in FENCE.findall(self.text) if name in languages and "no-run" not in marks]

    @cached_property
    def commands(self) -> list[list[str]]:
        """The commands of all shell blocks, and those between backticks, as words."""
        lines = list[str]()
        for block in self.blocks(*SHELLS):
            block = block.replace("\\\n", " ")
            prompts = re.findall(r"^\$ (.*)$", block, re.MULTILINE)
            lines += prompts or block.splitlines()
        return [words for line in (*lines, *self.codes) for words in _simple_commands(line)]


def broken_links(document: Document) -> Iterator[str]:
    """Links and pictures that lead nowhere, in this project."""
    for target in re.findall(r"\]\(([^)\s]+)\)", document.prose):
        name, _, anchor = target.partition("#")
        path = document.path.parent / name if name else document.path
        if target.startswith(("http://", "https://")):
            continue
        if not path.exists():
            yield f"link to {target}: no such file"
        elif anchor and anchor not in _anchors(path):
            yield f"link to {target}: no such heading"


def missing_paths(document: Document) -> Iterator[str]:
    """Paths that neither the project has nor the pipeline writes."""
    for code in document.codes:
        is_path = PATH.fullmatch(code) and ("/" in code or code.endswith(ENDINGS))
        if is_path and not PLACEHOLDER.search(code) and not _exists(code, document.path.parent) and not _is_name(code):
            yield f"{code}: no such file"


def wrong_commands(document: Document) -> Iterator[str]:
    """Commands, options, make targets and modules that do not exist, and settings that are refused."""
    for words in document.commands:
        yield from _wrong_command(words)
    for option in (option for code in document.codes if code.startswith("-") for option in OPTION.findall(code)):
        if not any(option in options for options in _options().values()) and option not in _benchmark_options():
            yield f"{option}: no command has this option"


def missing_settings(document: Document) -> Iterator[str]:
    """Settings, as `group.name`, that do not exist."""
    for text in (*document.codes, *document.blocks(*SHELLS, "toml")):
        for group, name in SETTING.findall(text):
            is_file = f".{name}" in ENDINGS or _is_published(f"{group}.{name}")
            if name not in [each.name for each in fields(GROUPS[group])] and not is_file:
                yield f"{group}.{name}: no such setting"


def missing_tests(document: Document) -> Iterator[str]:
    """Tests, as `test_name` or `path/test_module.py::test_name`, that do not exist."""
    for path, name, ending in TEST.findall(document.text):
        if ending:
            if not any(ROOT.joinpath("tests").rglob(f"{name}.py")):
                yield f"{name}.py: no such file of tests"
        elif not any(f"def {name}(" in text for text in _tests(path)):
            yield f"{path}::{name}: no such test" if path else f"{name}: no such test"


def unknown_names(document: Document) -> Iterator[str]:
    """Names of functions, classes, constants and variables that the code does not have."""
    for code in document.codes:
        for name in (word.partition("=")[0].removesuffix("()") for word in code.split()):
            is_others = name.startswith(("test_", "PREFECT_"))  # tests have a check of their own
            if IDENTIFIER.fullmatch(name) and name not in _words_of_code() and not is_others:
                yield f"{name}: not in the code"


CHECKS = (broken_links, missing_paths, wrong_commands, missing_settings, missing_tests, unknown_names)


def _wrong_command(words: list[str]) -> Iterator[str]:
    program, *arguments = words
    options = [option for word in arguments if (option := word.partition("=")[0]).startswith("--")]
    if program == "sentiment-pipeline":
        yield from _wrong_subcommand(arguments, options)
    elif program == "make":
        for word in arguments:
            name, is_variable, _ = word.partition("=")
            if not re.search(rf"^{name} \?=" if is_variable else rf"^{name}:", _makefile(), re.MULTILINE):
                yield f"make {word}: not in the Makefile"
    elif Path(program).name.startswith("python") and arguments[:1] == ["-m"]:
        module = ROOT.joinpath(*arguments[1].split("."))
        source = next((path for path in (module.with_suffix(".py"), module / "__main__.py") if path.exists()), None)
        if source is None:
            yield f"python -m {arguments[1]}: no such module"
            return
        known = OPTION.findall(source.read_text()) + list(_options()["run"])
        yield from (f"python -m {arguments[1]} {option}: no such option" for option in options if option not in known)


def _wrong_subcommand(arguments: list[str], options: list[str]) -> Iterator[str]:
    name = next((each for each in arguments[:1] if not each.startswith("-")), "")
    if name not in _options():
        yield f"sentiment-pipeline {name}: no such command"
        return
    known = _options().get(name, set())
    yield from (f"sentiment-pipeline {name} {option}: no such option" for option in options if option not in known)
    for flag, value in pairwise(arguments):
        if flag == "--set" and not PLACEHOLDER.search(value) and "VALUE" not in value:
            try:
                load({"preset": "quick"}, assignments=[value])
            except SettingsError as error:
                yield f"--set {value}: {error}"


def _simple_commands(line: str) -> Iterator[list[str]]:
    """The commands of a line of shell, without variables set before them."""
    line = re.sub(r"(^|\s)#.*", "", line)
    for part in re.split(r"[|;()]|&&|&(?:\s|$)|\bdo\b", line):
        try:
            words = shlex.split(part)
        except ValueError:  # quotes around a separator
            words = part.split()
        while words and re.fullmatch(r"\w+=.*", words[0]):
            del words[0]
        if words:
            yield words


@cache
def _options() -> dict[str, set[str]]:
    """The options of each command of the command line, and under "" those without a command."""
    whole = typer.main.get_command(app)
    commands = {"": whole, **whole.commands}  # type: ignore[attr-defined]
    return {
        name: {"--help", *(opt for each in command.params for opt in each.opts)} for name, command in commands.items()
    }


@cache
def _benchmark_options() -> set[str]:
    return {option for path in ROOT.glob("benchmarks/**/*.py") for option in OPTION.findall(path.read_text())}


@cache
def _makefile() -> str:
    return (ROOT / "Makefile").read_text()


@cache
def _anchors(path: Path) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _tests(path: str) -> Iterable[str]:
    """The text of one file of tests, or of all."""
    if not path:
        return (each.read_text() for each in ROOT.joinpath("tests").rglob("test_*.py"))
    return [each.read_text() for base in BASES if (each := base / path).exists()]


def _exists(code: str, folder: Path) -> bool:
    pattern = re.sub("<[^>]*>", "*", code)
    return code in _made_on_use() or any(
        any(base.glob(each)) if "*" in each else (base / each).exists()
        for base in (*BASES, folder)
        for each in _without_braces(pattern)
        if not each.startswith("/")
    )


def _made_on_use() -> list[str]:
    """Folders that a fresh clone lacks: git ignores them."""
    return (ROOT / ".gitignore").read_text().splitlines()


def _without_braces(pattern: str) -> list[str]:
    """`a/{b,c}` as `a/b` and `a/c`."""
    before, brace, rest = pattern.partition("{")
    if not brace:
        return [pattern]
    choices, _, after = rest.partition("}")
    return [each for choice in choices.split(",") for each in _without_braces(before + choice + after)]


def _is_name(code: str) -> bool:
    """Whether the pipeline writes such a file or folder, or it is the name of a deployment or a step."""
    return (
        all(map(_is_published, _without_braces(re.sub("<[^>]*>", "*", code))))
        or code in _deployments()
        or code.split("/")[0] in {stage.name for stage in STAGES}
    )


def _is_published(code: str) -> bool:
    name = code.removesuffix("/")
    return any(
        fnmatch(name.replace("*", "0"), known) or fnmatch(known.replace("*", "0"), name) for known in _published()
    )


@cache
def _published() -> set[str]:
    """The names and patterns of all that the pipeline writes, with the folders that hold them."""
    names = {
        value for name, value in vars(layout).items() if name.isupper() and isinstance(value, str) and value != "*"
    }
    names |= {pattern for stage in STAGES for pattern in (*stage.publishes, *stage.keeps)}
    names |= {layout.manifest("*"), "train.ft.txt.bz2", "test.ft.txt.bz2", ".npy"}
    return names | {parent.as_posix() for name in names for parent in list(Path(name).parents)[:-1]}


@cache
def _deployments() -> set[str]:
    declared = yaml.safe_load((ROOT / "deployments/prefect.yaml").read_text())["deployments"]
    return {f"{each['entrypoint'].rpartition('.')[2]}/{each['name']}" for each in declared}


@cache
def _words_of_code() -> set[str]:
    folders = ("sentiment_pipeline", "flows", "deployments", "benchmarks", "tests")
    paths = [
        path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".toml", ".yaml")
    ]
    own = {Path(__file__), Path(__file__).with_name("test_docs.py")}
    texts = [path.read_text() for path in (*paths, ROOT / "Makefile", ROOT / "pyproject.toml") if path not in own]
    return {word for text in texts for word in re.findall(r"\w+", text)}
