"""How long `serve` takes to answer: `python -m benchmarks.serve [--model DIR] [--rate 100] [--seconds 30]`.

A server is started as a user starts it, and this process sends one review a request over loopback at a steady rate,
whether or not earlier ones are answered (an open loop). A request's latency counts from the time at which it was due,
so a server that falls behind is seen to. Without `--model`, a model of the preset `quick` is made from some synthetic
reviews; how long it was trained does not matter here.
"""

import argparse
import asyncio
import bz2
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np

from sentiment_pipeline import layout
from sentiment_pipeline.sample import write_sample

_WARM_UP = 100  # requests before the measurement
_TIMEOUT = 30.0  # seconds after which a request counts as lost
_COMMAND = (sys.executable, "-m", "sentiment_pipeline")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a model folder")
    parser.add_argument("--reviews", type=Path, help="a .bz2 of fastText lines to send; synthetic ones without it")
    parser.add_argument("--rate", type=float, default=100, help="requests a second")
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="serve-") as scratch:
        write_sample(Path(scratch), 2000, seed=1)
        texts = texts_of(options.reviews or Path(scratch, layout.input_file("test")))
        print(f"load average before: {os.getloadavg()[0]:.1f}, on {os.cpu_count()} cores", flush=True)
        with serving(options.model or small_model(Path(scratch))) as url:
            asyncio.run(measure(url, texts, options.rate, options.seconds))


def texts_of(path: Path) -> list[str]:
    lines = bz2.decompress(path.read_bytes()).decode().splitlines()
    return [line.partition(" ")[2] for line in lines]


def small_model(folder: Path) -> Path:
    """A model of the preset `quick`, trained for one epoch on 1,800 reviews."""
    files = [option for source in layout.SOURCES for option in (f"--{source}", str(folder / layout.input_file(source)))]
    settings = ["--preset", "quick", "--set", "training.epochs=1"]
    subprocess.run(
        [*_COMMAND, "run", *files, "--data-dir", str(folder / "data"), *settings], check=True, capture_output=True
    )
    return folder / "data" / layout.MODEL


@contextmanager
def serving(model: Path) -> Iterator[str]:
    """The address of a server for as long as the block lasts."""
    command = [*_COMMAND, "serve", "--model", str(model), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        ready = process.stderr.readline()
        found = re.search(r"http://\S+", ready)
        assert found, ready + process.stderr.read()
        try:
            yield found[0]
        finally:
            process.terminate()


async def measure(url: str, texts: Sequence[str], rate: float, seconds: float) -> None:
    """Print the latencies at a rate, and then the rate at which 16 clients are answered that do not wait."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT, limits=limits) as client:
        await open_loop(client, texts, rate, _WARM_UP)
        print(f"open loop, {rate:g} requests a second for {seconds:g} s:", flush=True)
        report(await open_loop(client, texts, rate, int(rate * seconds)))
        begun = time.perf_counter()
        answered = await asyncio.gather(*(closed_loop(client, texts[number::16]) for number in range(16)))
        print(f"closed loop, 16 clients: {sum(answered) / (time.perf_counter() - begun):,.0f} requests a second")


async def open_loop(
    client: httpx.AsyncClient, texts: Sequence[str], rate: float, count: int
) -> list[tuple[int, float]]:
    """The status of each of `count` requests (0: none came), and its latency in seconds from when it was due."""
    begun = time.perf_counter()

    async def request(number: int) -> tuple[int, float]:
        due = begun + number / rate
        await asyncio.sleep(due - time.perf_counter())
        status = await post(client, texts[number % len(texts)])
        return status, time.perf_counter() - due

    return await asyncio.gather(*map(request, range(count)))


async def closed_loop(client: httpx.AsyncClient, texts: Sequence[str]) -> int:
    """Send each text as soon as the one before is answered; the number of good answers."""
    return sum([await post(client, text) == 200 for text in texts])


async def post(client: httpx.AsyncClient, text: str) -> int:
    try:
        return (await client.post("/predict", json={"text": text})).status_code
    except httpx.HTTPError:
        return 0


def report(results: Sequence[tuple[int, float]]) -> None:
    """Print percentiles and what was lost."""
    milliseconds = 1000 * np.array([seconds for _, seconds in results])
    p50, p90, p99 = np.percentile(milliseconds, (50, 90, 99))
    statuses = Counter(status for status, _ in results)
    print(f"  p50 {p50:.1f} ms, p90 {p90:.1f} ms, p99 {p99:.1f} ms, longest {milliseconds.max():.1f} ms")
    print(f"  {statuses[200]:,} of {len(results):,} answered, {len(results) - statuses[200]:,} lost")


if __name__ == "__main__":
    main()
