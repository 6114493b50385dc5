"""The shards that ingest makes of the inputs, as the stages after it see them."""

from dataclasses import dataclass

from sentiment_pipeline import layout
from sentiment_pipeline.engine.manifest import JSON
from sentiment_pipeline.engine.stage import Run
from sentiment_pipeline.settings import Settings

__all__ = ["Part", "input_facts", "parts", "total_name"]


@dataclass(frozen=True)
class Part:
    """The reviews of one range of an input file.

    Attributes:
        source: `train` or `test`.
        file: the key of the file, which names its folder.
        index: of the range in the file, from 0.
        first: number of reviews of the input before it.
        reviews: number of its reviews within the limit on lines, the first ones of its table.
        bytes: size of the text that it was read from.
        step: the step that read it.
    """

    source: str
    file: str
    index: int
    first: int
    reviews: int
    bytes: int
    step: str

    @property
    def place(self) -> tuple[str, str, int]:
        """What the functions of `layout` take for one of its files."""
        return self.source, self.file, self.index

    @property
    def name(self) -> str:
        """The end of the names of steps over it, for example `train/5f2b6f0a91c3/part-00003`."""
        return layout.part(*self.place)

    @property
    def table(self) -> str:
        """The path of its reviews, relative to the data folder."""
        return layout.reviews(*self.place)

    @property
    def size(self) -> dict[str, JSON]:
        """The facts from which the rate of a step over it is computed."""
        return {"reviews": self.reviews, "bytes": self.bytes}


def total_name(source: str) -> str:
    """The step of ingest that adds up the ranges of an input."""
    return f"ingest/{source}/total"


def parts(run: Run[Settings], *sources: str) -> list[Part]:
    """The parts of inputs (default: all) in the order of the reviews, those of the training reviews first.

    Raises:
        PipelineError: the stage `ingest` is not finished.
    """
    found = []
    for source in sources or layout.SOURCES:
        first = 0
        for each in run.manifest(total_name(source)).facts["parts"]:
            found.append(Part(source, **each, first=first))
            first += each["reviews"]
    return found


def input_facts(run: Run[Settings], source: str) -> list[dict[str, JSON]]:
    """The `name`, `bytes` and `sha256` of each file of an input, as it was when it was ingested.

    Raises:
        PipelineError: the stage `ingest` is not finished.
    """
    files: list[dict[str, JSON]] = run.manifest(total_name(source)).facts["files"]
    return files
