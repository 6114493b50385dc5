"""What the data gate finds, and what it costs: `python -m benchmarks.quality [--reviews 400000]`.

1,000 reviews of the test file are planted among the training reviews, 200 of them changed: in case, digits and white
space, and by one other word. All reviews are synthetic; with `--real FILE` the false alarms among its reviews are
counted too. The cost is the gate's share of the processor time of `prepare`, by its manifests.
"""

import argparse
import bz2
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from sentiment_pipeline import layout
from sentiment_pipeline.engine.manifest import read, recorded_steps
from sentiment_pipeline.sample import write_sample

_PLANTED, _CHANGED = 1_000, 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reviews", type=int, default=400_000, help="training reviews")
    parser.add_argument("--real", type=Path, help="a file of distinct real reviews, fastText lines in .bz2")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="quality-") as scratch:
        write_sample(Path(scratch), -(-options.reviews * 10 // 9), seed=0)
        train, test = (Path(scratch, layout.input_file(source)) for source in layout.SOURCES)
        data_dir = Path(scratch, "data")
        clean = gate(train, test, data_dir)
        show_cost(data_dir)
        plant(train, test)
        print(f"{_PLANTED:,} test reviews planted, {_CHANGED} of them changed: {gate(train, test, data_dir)}")
        print(f"without them: {clean}")
        if options.real:
            lines = bz2.decompress(options.real.read_bytes()).splitlines(keepends=True)[:101_000]
            train.write_bytes(bz2.compress(b"".join(lines[:100_000])))
            test.write_bytes(bz2.compress(b"".join(lines[100_000:])))
            print(f"100,000 real reviews, 1,000 others to test: {gate(train, test, data_dir)}")


def gate(train: Path, test: Path, data_dir: Path) -> str:
    """Prepare the files; what the gate found, in words."""
    files = ["--train", str(train), "--test", str(test), "--data-dir", str(data_dir)]
    command = [sys.executable, "-m", "sentiment_pipeline", "prepare", *files, "--preset", "quick"]
    subprocess.run(command, check=True, capture_output=True)
    found = json.loads((data_dir / layout.QUALITY).read_text())
    names = ("duplicates", "near_duplicates", "contradictory")
    return f"leakage {found['leakage']}, training reviews { {name: found['train'][name] for name in names} }"


def plant(train: Path, test: Path) -> None:
    """Put test reviews at random places among the training reviews."""
    drawn = random.Random(0)
    lines = bz2.decompress(train.read_bytes()).decode().splitlines()
    chosen = drawn.sample(bz2.decompress(test.read_bytes()).decode().splitlines(), _PLANTED)
    for number, line in enumerate(chosen):
        lines.insert(drawn.randrange(len(lines)), line if number >= _CHANGED else changed(line, drawn))
    train.write_bytes(bz2.compress("".join(f"{line}\n" for line in lines).encode()))


def changed(line: str, drawn: random.Random) -> str:
    """A line with other case, digits and white space, and another word."""
    label, *words = line.split()
    words[drawn.randrange(len(words))] = "otherwise"
    text = "  ".join(word.upper() if drawn.random() < 0.2 else word for word in words)
    return f"{label} {''.join(str(drawn.randrange(10)) if each.isdigit() else each for each in text)}"


def show_cost(data_dir: Path) -> None:
    """Print the gate's share of the time of all steps."""
    seconds = Counter[str]()
    for step in recorded_steps(data_dir):
        if manifest := read(data_dir, step):
            seconds[step.partition("/")[0]] += manifest.facts["seconds"]
    others = seconds.total() - seconds["quality"]
    print(f"the gate: {seconds['quality']:.1f} s of work, {seconds['quality'] / others:.1%} of that of all other steps")


if __name__ == "__main__":
    main()
