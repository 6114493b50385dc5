"""What one request may ask for, and how many may wait."""

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """Limits of the server; what is over one of them is answered with a status of 4xx or 503.

    Attributes:
        body: bytes of a request.
        characters: of a text.
        texts: of a request to score.
        explained: texts of a request to explain; one costs as much as some hundred to score.
        waiting: texts that may wait to be scored, of all requests together.
        batch: texts that are scored together at most.
        seconds: for a request to arrive, and again for its answer.
    """

    body: int = 2 << 20
    characters: int = 50_000
    texts: int = 256
    explained: int = 16
    waiting: int = 1024
    batch: int = 32
    seconds: float = 30.0
