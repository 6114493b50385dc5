"""Where a model comes from: `lineage.json`, in the data folder and in the model folder.

It leads from the input files through settings and versions to the metrics. The digest of a stage is of everything that
its steps depended on and published, so two runs with equal digests have made the same files.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import Any

from sentiment_pipeline import __version__, layout
from sentiment_pipeline.engine.manifest import Manifest, fingerprint, recorded_steps
from sentiment_pipeline.engine.stage import Run, Stage
from sentiment_pipeline.engine.step import upstream_digest
from sentiment_pipeline.settings import Settings
from sentiment_pipeline.stages import encode
from sentiment_pipeline.stages.parts import input_facts

__all__ = ["lineage", "test_reviews", "versions"]

_PACKAGES = ("nltk", "numpy", "polars", "pyarrow", "safetensors", "torch")


def lineage(
    run: Run[Settings], stages: Sequence[Stage[Settings]], settings: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """The lineage of a trained model, as far as the evaluation.

    Args:
        run: the data folder, with the model trained.
        stages: the finished stages that have made it, the last of which trained it.
        settings: the settings that it depends on, by group.

    Returns:
        `inputs`: for each input a list of its files, with `name`, `bytes` and `sha256` of each, as it was when it was
        ingested; `settings`; `versions` of Python and packages with which it was trained; `stages`, the digest of
        each; `test_reviews`, the digest of those. JSON values.

    Raises:
        PipelineError: a manifest is damaged.
    """
    return {
        "inputs": {source: input_facts(run, source) for source in layout.SOURCES},
        "settings": {**settings},
        "versions": run.manifest(stages[-1].name).facts.get("versions", {}),
        "stages": {stage.name: upstream_digest(_manifests(run, stage)) for stage in stages},
        "test_reviews": test_reviews(run),
    }


def test_reviews(run: Run[Settings]) -> str:
    """A digest of the test reviews: of the label and the number of tokens of each, in order.

    Unlike their ids, these stay the same with another vocabulary, so models with different ones can be compared.

    Raises:
        PipelineError: the test split is not packed.
    """
    outputs = run.manifest(encode.pack_name("test")).outputs
    return fingerprint({name: outputs[layout.packed_array("test", name)].sha256 for name in ("labels", "lengths")})


def _manifests(run: Run[Settings], stage: Stage[Settings]) -> Iterator[Manifest]:
    """The manifests of a stage's steps, without the history of training, which holds times."""
    for manifest in map(run.manifest, recorded_steps(run.data_dir, stage.name)):
        outputs = {name: output for name, output in manifest.outputs.items() if name != layout.HISTORY}
        yield replace(manifest, outputs=outputs)


def versions() -> dict[str, str]:
    """The versions of this program, Python and the packages on which results depend, where they are installed."""
    found = {"sentiment-pipeline": __version__, "python": python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
