"""Prediction of anything that a pipe may bring: an answer for every line, in bounded memory."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil
import pytest

from sentiment_pipeline.predict.reading import _BLOCK_LINES
from tests.processes import TIMEOUT

LINES = int(os.environ.get("PREDICTION_LINES", "20000"))  # a million take some minutes
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
        answers, errors = process.communicate(text, timeout=TIMEOUT)
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
        assert process.stdin
        process.stdin.write(b"a book\n" * _BLOCK_LINES)
        process.stdin.flush()
        short = read_answers(process, _BLOCK_LINES)
        feeding = feed(process.stdin, [b"word " * (MEBIBYTE // 5)] * 60)
        enormous = read_answers(process, 1)
        feeding.join()
        assert process.wait(TIMEOUT) == 0
    assert enormous < short + 400 * MEBIBYTE


def test_many_lines_in_bounded_memory(model: Path) -> None:
    block = b"".join(b"__label__2 this is review %d and it is good\n" % number for number in range(1000))
    with start(model) as process:
        assert process.stdin
        feeding = feed(process.stdin, (block for _ in range(LINES // 1000)))
        first_tenth, rest = read_answers(process, LINES // 10), read_answers(process, LINES - LINES // 10)
        feeding.join()
        assert process.wait(TIMEOUT) == 0
    assert rest < 1.2 * first_tenth


def read_answers(process: "subprocess.Popen[bytes]", count: int) -> int:
    """Read so many answers and return the most memory that the process held meanwhile, in bytes."""
    assert process.stdout
    peak = 0
    for number in range(count):
        assert process.stdout.readline()
        if number % 1000 == 0:
            peak = max(peak, psutil.Process(process.pid).memory_info().rss)
    return peak


def test_a_consumer_that_closes_the_pipe(model: Path) -> None:
    with start(model) as process:
        assert process.stdin
        assert process.stdout
        feeding = feed(process.stdin, (b"a good book\n" * 10_000 for _ in range(100)))
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(TIMEOUT) == 0
        feeding.join()
        assert process.stderr
        assert process.stderr.read() == b""


def test_a_consumer_that_leaves_while_the_input_stays_open(model: Path) -> None:
    """The next lines may never come; the first answer that cannot be written ends it."""
    with start(model) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(b"a book\n" * _BLOCK_LINES)
        process.stdin.flush()
        assert process.stdout.readline()
        process.stdout.close()
        process.stdin.write(b"a book\n" * _BLOCK_LINES)
        process.stdin.flush()
        assert process.wait(TIMEOUT) == 0
        assert process.stderr.read() == b""


def feed(stdin: IO[bytes], pieces: Iterable[bytes]) -> threading.Thread:
    """Write to a process from a thread, because it answers at the same time."""

    def write() -> None:
        with suppress(BrokenPipeError), stdin:
            for piece in pieces:
                stdin.write(piece)

    thread = threading.Thread(target=write)
    thread.start()
    return thread
