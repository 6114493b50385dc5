"""Figures as people write them, and tables in HTML. Everything that goes into the page is escaped here."""

from collections.abc import Iterable, Sequence
from html import escape


def percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f}%"


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


def figure(value: object) -> str:
    """Any value of a setting or a metric: whole numbers with thousands apart, others with four digits."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value) or "–"


def table(rows: Iterable[Sequence[object]], head: Sequence[str] = (), numbers: Sequence[int] = ()) -> str:
    """An HTML table; the columns in `numbers` are set to the right."""
    def line(cells: Iterable[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}{' class=number' if column in numbers else ''}>{escape(cell)}</{tag}>"
                                for column, cell in enumerate(cells)) + "</tr>"

    body = "".join(line(map(figure, cells), "td") for cells in rows)
    return f"<table>{line(head, 'th') if head else ''}{body}</table>"
