"""Folders to compare, made from the lineage of a real run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Edit = Callable[[dict[str, Any]], object]


def model_folder(trained: Path, path: Path, edit: Edit = lambda lineage: None) -> Path:
    """A folder with the lineage of a trained model, in which `edit` has changed something."""
    lineage = json.loads((trained / "lineage.json").read_text())
    edit(lineage)
    path.mkdir()
    (path / "lineage.json").write_text(json.dumps(lineage))
    return path
