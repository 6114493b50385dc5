"""Figures as people write them, everywhere the same: terminal, report, model card, Prefect."""

__all__ = ["counted", "duration", "figure", "percent"]


def counted(count: int, noun: str) -> str:
    """`1 step`, `2 steps`, `1,000 reviews`.

    >>> counted(1, "step"), counted(1000, "review")
    ('1 step', '1,000 reviews')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def percent(fraction: float | None, digits: int = 1) -> str:
    """A fraction in percent; – for None, a figure that does not exist."""
    return "–" if fraction is None else f"{100 * fraction:.{digits}f}%"


def duration(seconds: float) -> str:
    """Seconds as `0.8 s`, `42 s`, `3 min 5 s` or `2 h 7 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def figure(value: object, name: str = "") -> str:
    """Any value of a setting or a metric: whole numbers with thousands separated, others with four digits; – for None.

    Args:
        name: of the figure; that of an amount of memory ends in `_bytes`.
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float) and name.endswith("_bytes"):
        return f"{value / 1e9:.2f} GB"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value) or "–"
