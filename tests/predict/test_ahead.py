import threading
import time
from collections.abc import Iterator

import pytest

from sentiment_pipeline.predict import ahead
from sentiment_pipeline.predict.ahead import draw_ahead


def test_an_item_is_given_before_the_next_one_is_there() -> None:
    """Nothing is held back: each item is only drawn when the one before it has been received."""
    received = threading.Semaphore(0)

    def items() -> Iterator[int]:
        for number in range(5):
            yield number
            assert received.acquire(timeout=60)

    for _ in draw_ahead(items()):
        received.release()


def test_few_items_are_drawn_ahead() -> None:
    drawn = list[int]()

    def items() -> Iterator[int]:
        for number in range(100):
            drawn.append(number)
            yield number

    for number in draw_ahead(items()):
        time.sleep(0.01)
        assert drawn[-1] <= number + 2


def test_a_failure_comes_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield from (1, 2)
        raise ValueError("damaged")

    found = draw_ahead(items())
    assert [next(found), next(found)] == [1, 2]
    with pytest.raises(ValueError, match="damaged"):
        next(found)


def test_a_consumer_that_ends_early_ends_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    before = threading.active_count()
    for number in draw_ahead(iter(range(1000))):
        if number == 3:
            break
    assert threading.active_count() == before

    monkeypatch.setattr(ahead, "_PATIENCE", 0.1)
    comes = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        comes.wait()  # input that does not come

    found = draw_ahead(items())
    assert next(found) == 1
    found.close()  # type: ignore[attr-defined]
    comes.set()
