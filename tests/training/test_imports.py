import subprocess
import sys
from pathlib import Path

import sentiment_pipeline.training

FORBIDDEN = {"polars", "nltk", "prefect", "pydantic", "typer", "rich", "matplotlib", "optuna"}


def test_training_needs_nothing_of_the_other_half() -> None:
    modules = [
        f"sentiment_pipeline.training.{path.stem}"
        for path in Path(sentiment_pipeline.training.__path__[0]).glob("*.py")
        if path.stem != "__init__"
    ]
    code = f"import sys, importlib; [importlib.import_module(name) for name in {modules}]; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "sentiment_pipeline.training.trainer" in loaded
    assert not FORBIDDEN & {name.partition(".")[0] for name in loaded}
