"""Tables in HTML. Everything that goes into the page is escaped here."""

from collections.abc import Iterable, Sequence
from html import escape

from sentiment_pipeline.formatting import figure


def table(rows: Iterable[Sequence[object]], head: Sequence[str] = (), numbers: Sequence[int] = ()) -> str:
    """An HTML table; the columns in `numbers` are set to the right."""

    def line(cells: Iterable[str], tag: str) -> str:
        return (
            "<tr>"
            + "".join(
                f"<{tag}{' class=number' if column in numbers else ''}>{escape(cell)}</{tag}>"
                for column, cell in enumerate(cells)
            )
            + "</tr>"
        )

    body = "".join(line(map(figure, cells), "td") for cells in rows)
    return f"<table>{line(head, 'th') if head else ''}{body}</table>"
