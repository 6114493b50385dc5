"""The pipeline in a real browser: fill in the form, run, see a stage fail, Retry, see it completed.

Then the disk and the log must agree that Retry did what was not finished, and nothing else. With `SCREENSHOTS` set to
a folder, the pictures of docs/prefect.md are written there.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from prefect.client.orchestration import SyncPrefectClient

from sentiment_pipeline.sample import write_sample
from tests.browser import needs_chromium, opened_browser, opened_page, picture
from tests.flows.running_ui import Ui
from tests.flows.user import Prefect, states, written
from tests.folders import of_file

pytestmark = needs_chromium


@pytest.fixture
def page() -> Iterator[Page]:
    with opened_browser() as browser:
        yield opened_page(browser, height=720)


def wait_for_state(page: Page, name: str) -> None:
    """Wait until the page of a run shows it in this state."""
    expect(page.get_by_text(name, exact=True).first).to_be_visible()


def test_a_failed_stage_is_retried_from_the_ui(
    page: Page, ui: Ui, prefect: Prefect, client: SyncPrefectClient, tmp_path: Path
) -> None:
    write_sample(tmp_path / "reviews", 300, seed=2)
    data_dir = tmp_path / "data"
    in_the_way = data_dir / "shards/test/part-00000.parquet"
    in_the_way.mkdir(parents=True)

    page.goto(f"{ui.url}/v2/deployments")
    expect(page.get_by_role("link", name="local").first).to_be_visible()
    picture(page, "deployments")
    deployment = client.read_deployment_by_name("pipeline/local")
    page.goto(f"{ui.url}/v2/deployments/deployment/{deployment.id}")
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Custom run").click()
    for label, name in (
        ("Train", "reviews/train.ft.txt.bz2"),
        ("Test", "reviews/test.ft.txt.bz2"),
        ("Data Dir", "data"),
    ):
        field(page, label).fill(str(tmp_path / name))
    picture(page, "form")
    submit(page)
    page.get_by_role("link", name="View run").or_(page.get_by_role("button", name="View run")).first.click()
    page.wait_for_url("**/runs/flow-run/*")
    run = client.read_flow_run(UUID(page.url.rsplit("/", 1)[1].partition("?")[0]))
    assert run.parameters["settings"]["data_dir"] == str(data_dir)

    wait_for_state(page, "Failed")
    message = str(prefect.wait(run).message)
    assert str(in_the_way) in message
    assert "\n" not in message
    before = written(data_dir)
    failed = prefect.tasks(run, last="encode")
    first = states(failed)
    assert first["ingest"] == first["tokenize"] == first["vocabulary"] == "Completed"
    assert first["encode"] == first[of_file(data_dir, "encode/test/part-00000")] == "Failed"
    picture(page, "failed")
    in_the_way.rmdir()
    page.locator("button:has(svg.lucide-ellipsis-vertical)").first.click()
    page.get_by_role("menuitem", name="Retry").click()
    page.get_by_role("dialog").get_by_role("button", name="Retry").or_(
        page.get_by_role("alertdialog").get_by_role("button", name="Retry")
    ).first.click()
    wait_for_state(page, "Completed")

    assert re.fullmatch(r"test accuracy \d+\.\d\d% \(30 reviews\)", str(prefect.wait(run).message))
    second = states(prefect.tasks(run, last="publish")[len(failed) :])
    assert second["ingest"] == second["tokenize"] == second["vocabulary"] == "Skipped"
    assert second["encode"] == second["train"] == second["evaluate"] == second["publish"] == "Completed"
    finished_before = {name for name, state in first.items() if state == "Completed" and "/" in name}
    assert not finished_before & set(second), "steps that had been finished were done again"
    after = written(data_dir)
    assert {name: after[name] for name in before} == before
    log = prefect.logs(run)
    for stage in ("ingest", "tokenize", "vocabulary"):
        assert f"{stage}: nothing to do" in log
    assert str(in_the_way) in log
    assert "Traceback" not in log

    page.reload()
    wait_for_state(page, "Completed")
    picture(page, "completed")
    page.get_by_role("tab", name="Task Runs").click()
    expect(page.get_by_text("Skipped").first).to_be_visible()
    page.get_by_role("tab", name="Artifacts").click()
    expect(page.get_by_text("confusion-matrix").first).to_be_visible()
    picture(page, "artifacts")
    page.get_by_text("training-curves").first.click()
    page.locator("a[href*='/artifacts/artifact/']").first.click()
    expect(page.get_by_role("img", name="Loss").first).to_be_visible()
    picture(page, "curves")


def submit(page: Page) -> None:
    """Press Submit until the form is gone: a press was seen to be lost, perhaps too soon after filling it in."""
    form = re.compile(r"/deployment/[^/]+/run\b")
    for _ in range(4):
        page.get_by_role("button", name="Submit").click()
        with suppress(AssertionError):
            return expect(page).not_to_have_url(form, timeout=20_000)
    raise AssertionError(page.inner_text("body"))


def field(page: Page, label: str) -> Any:
    """The text field under a label of the parameter form."""
    return page.locator(f"xpath=//label[starts-with(normalize-space(.), '{label}')]/following::textarea[1]").first
