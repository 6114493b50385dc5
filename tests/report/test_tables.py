from sentiment_pipeline.report.tables import table


def test_tables_escape_every_cell() -> None:
    assert table([("<b>", 1)], ("a & b", "n"), (1,)) == (
        "<table><tr><th>a &amp; b</th><th class=number>n</th></tr>"
        "<tr><td>&lt;b&gt;</td><td class=number>1</td></tr></table>"
    )
