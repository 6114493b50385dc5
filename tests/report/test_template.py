import jinja2
import pytest

from sentiment_pipeline.report import template
from sentiment_pipeline.report.template import fill_template


@pytest.fixture
def templates(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The templates by name, instead of the project's."""
    found: dict[str, str] = {}
    environment = template._environment().overlay(loader=jinja2.DictLoader(found), cache_size=0)
    monkeypatch.setattr(template, "_environment", lambda: environment)
    return found


def test_html_is_escaped_and_markdown_is_not(templates: dict[str, str]) -> None:
    templates["page.html"] = templates["card.md"] = "{{ text }}"
    assert fill_template("page.html", text='<b> & "') == "&lt;b&gt; &amp; &#34;"
    assert fill_template("card.md", text='<b> & "') == '<b> & "'


def test_a_missing_value_is_an_error(templates: dict[str, str]) -> None:
    templates["page.html"] = "{{ value }}"
    with pytest.raises(jinja2.UndefinedError, match="value"):
        fill_template("page.html")


def test_number_formats_are_filters(templates: dict[str, str]) -> None:
    templates["card.md"] = (
        "{{ 1234.5 | figure }}, {{ 0.5 | percent(2) }}, {{ 185 | duration }}, {{ 1 | counted('line') }}"
    )
    assert fill_template("card.md") == "1,234, 50.00%, 3 min 5 s, 1 line"


def test_a_cell_of_markdown_stays_one(templates: dict[str, str]) -> None:
    templates["card.md"] = "| {{ name | cell }} |"
    assert fill_template("card.md", name="a | b\n<i>") == "| a \\| b &lt;i> |"
