"""Fills the templates in `templates/`. In HTML every value is escaped unless it is marked as markup."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from sentiment_pipeline.formatting import counted, duration, figure, percent

__all__ = ["fill_template"]


def fill_template(name: str, /, **values: object) -> str:
    """The text of a template with these values; number formats are filters, for example `{{ reviews | figure }}`.

    Raises:
        jinja2.UndefinedError: the template uses a value that is not given.
    """
    return _environment().get_template(name).render(values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(cell=_cell, counted=counted, duration=duration, figure=figure, percent=percent)
    return environment


def _cell(text: str) -> str:
    """Text that stays within a cell or heading of Markdown, whatever it contains."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
