"""README and docs say what is there, their Python runs, and everything public is documented."""

import ast
import inspect
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer.main
import yaml
from typer.testing import CliRunner

import sentiment_pipeline as sp
from sentiment_pipeline.cli import app
from sentiment_pipeline.sample import write_sample
from tests.documents import CHECKS, ROOT, Document, broken_links, wrong_commands

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "data/README.md", *sorted(ROOT.glob("docs/*.md"))]
TUTORIAL = ROOT / "docs/tutorial.md"  # has a test of its own
WITH_PYTHON = [page for page in PAGES if page != TUTORIAL and Document.read(page).blocks("python")]
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
MODULES = sorted(
    path for folder in ("sentiment_pipeline", "flows", "deployments") for path in ROOT.glob(f"{folder}/**/*.py")
)

WRONG = """
# A page

A [link](nowhere.md) and one to [no heading](#nowhere); `docs/nowhere.md`, `--nowhere`, `make nowhere`,
`model.nowhere`, `faults/test_kill.py::test_nowhere`, `nowhere_to_be_found`, and ~~`model.removed`~~.

```sh
sentiment-pipeline nowhere
sentiment-pipeline status --trials 3 --set model.hidden=-1
python -m benchmarks.nowhere
```
"""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_a_page_names_exists(page: Path, check: Callable[[Document], Iterator[str]]) -> None:
    assert list(check(Document.read(page))) == []


def test_the_changelog_links_somewhere() -> None:
    assert list(broken_links(Document.read(ROOT / "CHANGELOG.md"))) == []


def test_what_does_not_exist_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(WRONG)
    found = [fault.partition(":")[0] for check in CHECKS for fault in check(Document.read(page))]
    assert found == [
        "link to nowhere.md",
        "link to #nowhere",
        "docs/nowhere.md",
        "sentiment-pipeline nowhere",
        "sentiment-pipeline status --trials",
        "--set model.hidden=-1",
        "python -m benchmarks.nowhere",
        "make nowhere",
        "--nowhere",
        "model.nowhere",
        "faults/test_kill.py",
        "nowhere_to_be_found",
    ]


def test_pre_commit_runs_what_make_lint_runs() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    lint = (ROOT / "Makefile").read_text().partition("\nlint:")[2].partition("\n\n")[0]
    wanted = {re.sub(r" (--check|\.)", "", command) for command in re.findall(r"\$\(BIN\)/(.*)", lint)}
    assert {hook["entry"].removeprefix(".venv/bin/").removesuffix(" --fix") for hook in hooks} == wanted


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The current folder for the blocks of Python: with reviews, and with what `run` has made of them."""
    folder, before = tmp_path_factory.mktemp("workspace"), Path.cwd()
    write_sample(folder / "reviews", 300, seed=2)
    os.chdir(folder)
    try:
        sp.run("reviews/train.ft.txt.bz2", "reviews/test.ft.txt.bz2", preset="quick")
        yield folder
    finally:
        os.chdir(before)


@pytest.mark.parametrize("page", WITH_PYTHON, ids=name_of)
def test_python_of_a_page_runs(page: Path, workspace: Path) -> None:
    names: dict[str, object] = {"__name__": "page"}
    for number, block in enumerate(Document.read(page).blocks("python")):
        exec(compile(block, f"{name_of(page)}, block {number + 1}", "exec"), names)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_an_example(name: str) -> None:
    result = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert result.exit_code == 0
    assert len((COMMANDS[name].help or "").split()) > 3
    words = inspect.cleandoc(result.output).split("Usage:")[1].split("\n", 1)[1]
    assert f"sentiment-pipeline {name}" in words
    examples = "\n".join(line.strip(" │") for line in words.splitlines() if f"sentiment-pipeline {name}" in line)
    assert list(wrong_commands(Document(Path("help"), f"```sh\n{examples}\n```\n"))) == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_what_is_public_is_listed_and_documented(path: Path) -> None:
    module = ast.parse(path.read_text())
    definitions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    listed = _listed(module)
    assert len(listed) == len(set(listed))
    assert ast.get_docstring(module) or not module.body
    assert [
        name for name in definitions if not (name in listed or name.startswith("_") or _is_run(definitions[name]))
    ] == []
    assert [name for name in listed if name not in _bound(module)] == []
    assert [name for name, node in definitions.items() if name in listed and not ast.get_docstring(node)] == []


def _is_run(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether it is run from a terminal and not called: a command, or the `main` of a module."""
    return node.name == "main" or any(".command(" in ast.unparse(decorator) for decorator in node.decorator_list)


def _listed(module: ast.Module) -> list[str]:
    """The names in `__all__`."""
    for node in module.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def _bound(module: ast.Module) -> set[str]:
    """The names that a module defines, assigns or imports, for type checkers too."""
    found = set[str]()
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found
