import subprocess
import sys
from importlib import import_module
from pathlib import Path

FORBIDDEN = {"polars", "nltk", "prefect", "pydantic", "typer", "rich", "matplotlib", "optuna", "jinja2"}
PACKAGES = ("training", "models", "data", "engine")


def test_what_trains_needs_torch_numpy_pyarrow_and_safetensors_alone() -> None:
    """import-linter holds the imports that are written; this, what is loaded when they run."""
    modules = [
        f"sentiment_pipeline.{package}.{path.stem}"
        for package in PACKAGES
        for path in Path(*import_module(f"sentiment_pipeline.{package}").__path__).glob("*.py")
        if path.stem != "__init__"
    ]
    code = f"import sys, importlib; [importlib.import_module(name) for name in {modules}]; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"sentiment_pipeline.training.trainer", "sentiment_pipeline.engine.stage"} <= set(loaded)
    assert not FORBIDDEN & {name.partition(".")[0] for name in loaded}
