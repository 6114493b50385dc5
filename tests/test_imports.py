import gc
import subprocess
import sys

import pytest

from sentiment_pipeline.imports import collector_paused
from tests.conftest import ROOT


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_as_it_was(enabled: bool) -> None:
    try:
        (gc.enable if enabled else gc.disable)()
        with pytest.raises(ImportError), collector_paused():
            assert not gc.isenabled()
            raise ImportError
        assert gc.isenabled() == enabled
    finally:
        gc.enable()


def test_loading_a_model_does_not_import_the_compiler(trained: object) -> None:
    code = (
        "import sys, sentiment_pipeline as sp; print(len(sp.load(sys.argv[1]).predict(['great'])));"
        "print('torch._dynamo' in sys.modules, __import__('gc').isenabled())"
    )
    command = [sys.executable, "-c", code, f"{trained}/model"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert ended.stdout.split() == ["1", "False", "True"]
