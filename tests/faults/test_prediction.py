"""Prediction with whatever a pipe may bring: an answer for every line, in memory that does not grow."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil
import pytest

from tests.faults.processes import PATIENCE

LINES = int(os.environ.get("PREDICTION_LINES", "20000"))  # 1000000 in some minutes
MEBIBYTE = 1 << 20


@pytest.fixture
def model(finished: Path) -> Path:
    return finished / "model"


def start(model: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "sentiment_pipeline", "predict", "--model", str(model)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def predict(model: Path, text: bytes) -> list[dict[str, object]]:
    with start(model) as process:
        answers, errors = process.communicate(text, timeout=PATIENCE)
    assert (process.returncode, errors) == (0, b"")
    return [json.loads(line) for line in answers.splitlines()]


def test_lines_of_every_kind_get_an_answer(model: Path) -> None:
    lines = [
        "",
        " ",
        "\t",
        "xyzzy plugh qwertz",
        "Это очень хорошая книга",
        "これは良い本です",
        "هذا كتاب جيد",
        "👍" * 50,
        "a\0b",
        "__label__1 labelled",
        "__label__2",
        "__label__9 other",
        "<br />",
        "." * 5000,
        "'" * 5000,
        "http://" + "a" * 5000,
        "a good book",
        "\u200b\u2028\ufeff",
    ]
    answers = predict(model, "\n".join(lines).encode() + b"\n\xff\xfe\n" + b"a good book\r\n")
    assert len(answers) == len(lines) + 2
    for answer in answers:
        assert set(answer) == {"label", "probability"}
        assert 0 <= float(str(answer["probability"])) <= 1
    assert answers[0] == answers[1], "an empty line and one of spaces are the same review"
    assert answers[lines.index("a good book")] == answers[-1]


def test_one_enormous_line(model: Path) -> None:
    with start(model) as process:
        peak = peak_of(process, (b"word " * (MEBIBYTE // 5) for _ in range(60)))
        assert process.wait(PATIENCE) == 0
    assert peak < predictor_alone(model) + 400 * MEBIBYTE


def test_many_lines_in_bounded_memory(model: Path) -> None:
    block = b"".join(b"__label__2 this is review %d and it is good\n" % number for number in range(1000))
    peaks = []
    for count in (LINES // 10, LINES):
        with start(model) as process:
            peaks.append(peak_of(process, (block for _ in range(count // 1000)), count))
            assert process.wait(PATIENCE) == 0
    assert peaks[1] < 1.2 * peaks[0]


def peak_of(process: "subprocess.Popen[bytes]", pieces: Iterator[bytes], answers: int = 1) -> int:
    """Feed the process, count its answers, and return the most memory it has held at a time, in bytes."""
    assert process.stdin
    assert process.stdout
    peak, feeding = 0, feed(process.stdin, pieces)
    count = 0
    for count, _ in enumerate(process.stdout, 1):
        if count % 1000 == 1:
            peak = max(peak, psutil.Process(process.pid).memory_info().rss)
    feeding.join()
    assert count == answers
    return peak


def predictor_alone(model: Path) -> int:
    with start(model) as process:
        peak = peak_of(process, iter([b"a book\n"]))
        assert process.wait(PATIENCE) == 0
    return peak


def test_a_consumer_that_closes_the_pipe(model: Path) -> None:
    with start(model) as process:
        assert process.stdin
        assert process.stdout
        feeding = feed(process.stdin, (b"a good book\n" * 10_000 for _ in range(100)))
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(PATIENCE) == 0
        feeding.join()
        assert process.stderr
        assert process.stderr.read() == b""


def feed(stdin: IO[bytes], pieces: Iterator[bytes]) -> threading.Thread:
    """Write to a process that reads, from a thread, because it answers at the same time."""

    def write() -> None:
        with suppress(BrokenPipeError), stdin:
            for piece in pieces:
                stdin.write(piece)

    thread = threading.Thread(target=write)
    thread.start()
    return thread
