import signal
import threading

import pytest

from sentiment_pipeline.training.signals import Stopped, StopSignals


def test_a_signal_waits_until_it_is_asked_for_and_then_does_what_it_would_have_done() -> None:
    earlier, before = signal.signal(signal.SIGINT, signal.default_int_handler), signal.default_int_handler
    acted: list[int] = []

    def work() -> None:
        with StopSignals() as stop:
            stop.on_signal = acted.append
            stop.check()
            signal.raise_signal(signal.SIGINT)
            assert acted == [signal.SIGINT]
            stop.check()

    with pytest.raises(KeyboardInterrupt):
        work()
    assert signal.getsignal(signal.SIGINT) is before
    signal.signal(signal.SIGINT, earlier)


def test_where_the_signal_is_ignored_the_end_is_still_an_end() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with pytest.raises(Stopped, match="SIGTERM"), StopSignals() as stop:
            signal.raise_signal(signal.SIGTERM)
            stop.check()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_in_other_threads_it_does_nothing() -> None:
    before, entered = signal.getsignal(signal.SIGTERM), []

    def work() -> None:
        with StopSignals() as stop:
            entered.append(stop._handlers)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert entered == [{}]
    assert signal.getsignal(signal.SIGTERM) is before
