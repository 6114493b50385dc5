import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from sentiment_pipeline.serve.batching import Batcher, QueueFull


class Slow:
    """Answers texts by their letters in capitals, as soon as it is let go on."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.begun, self.go_on = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, texts: list[str]) -> Sequence[str]:
        self.calls.append(texts)
        self.begun.release()
        assert self.go_on.acquire(timeout=20)
        if "bad" in texts:
            raise ValueError("bad")
        return [text.upper() for text in texts]


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def batcher(slow: Slow) -> Iterator["Batcher[str]"]:
    made = Batcher(slow, batch=4, waiting=6, name="test")
    made.start()
    yield made
    slow.go_on.release(100)
    made.close()


def occupied(batcher: "Batcher[str]", slow: Slow) -> Callable[[], None]:
    """Make the thread busy with a request; what lets it go on with everything."""
    batcher.submit(["first"])
    assert slow.begun.acquire(timeout=20)
    return lambda: slow.go_on.release(100)


def test_what_waits_is_answered_together_in_order(batcher: "Batcher[str]", slow: Slow) -> None:
    release = occupied(batcher, slow)
    futures = [batcher.submit(texts) for texts in (["a"], ["b", "c"], [], ["d", "e"])]
    release()
    assert [future.result(20) for future in futures] == [["A"], ["B", "C"], [], ["D", "E"]]
    assert slow.calls == [["first"], ["a", "b", "c"], ["d", "e"]], "at most four texts are taken at once"


def test_a_request_that_is_larger_than_a_batch_is_one_of_its_own(batcher: "Batcher[str]", slow: Slow) -> None:
    release = occupied(batcher, slow)
    futures = [batcher.submit(["x"] * 5), batcher.submit(["y"])]
    release()
    assert [future.result(20) for future in futures] == [["X"] * 5, ["Y"]]
    assert slow.calls[1:] == [["x"] * 5, ["y"]]


def test_more_than_may_wait_is_refused_until_there_is_room(batcher: "Batcher[str]", slow: Slow) -> None:
    release = occupied(batcher, slow)
    waiting = batcher.submit(["a"] * 6)
    with pytest.raises(QueueFull):
        batcher.submit(["b"])
    release()
    assert waiting.result(20) == ["A"] * 6
    assert batcher.submit(["b"]).result(20) == ["B"]


def test_a_cancelled_request_costs_nothing(batcher: "Batcher[str]", slow: Slow) -> None:
    release = occupied(batcher, slow)
    given_up, kept = batcher.submit(["a"]), batcher.submit(["b"])
    given_up.cancel()
    release()
    assert kept.result(20) == ["B"]
    assert slow.calls == [["first"], ["b"]]


def test_a_failure_is_that_of_its_own_request_alone(batcher: "Batcher[str]", slow: Slow) -> None:
    release = occupied(batcher, slow)
    futures = [batcher.submit([text]) for text in ("a", "bad", "b")]
    release()
    assert futures[0].result(20) == ["A"]
    assert futures[2].result(20) == ["B"]
    with pytest.raises(ValueError, match="bad"):
        futures[1].result(20)
    assert batcher.submit(["c"]).result(20) == ["C"]


def test_what_was_accepted_is_answered_before_the_end(slow: Slow) -> None:
    batcher = Batcher(slow, batch=4, waiting=6, name="test")
    batcher.start()
    release = occupied(batcher, slow)
    futures = [batcher.submit([text]) for text in "ab"]
    release()
    batcher.close()
    assert [future.result(0) for future in futures] == [["A"], ["B"]]
    with pytest.raises(QueueFull):
        batcher.submit(["late"])
