"""The page in a real browser: type, press, read. `SCREENSHOTS=FOLDER` keeps pictures of it."""

import threading
from collections.abc import Iterator

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from sentiment_pipeline.predict import Predictor
from sentiment_pipeline.serve.app import make_app
from tests.browser import needs_chromium, opened_browser, opened_page, picture
from tests.conftest import wait_until

pytestmark = needs_chromium
TEXTS = ["Great book, it ISN'T bad! 😀 Truly great.", "<b>terrible</b> & <script>boring</script>, not worth it"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with opened_browser() as browser:
        yield browser


@pytest.fixture(scope="module", params=[None, "secret"], ids=["open", "token"])
def address(request: pytest.FixtureRequest, predictor: Predictor) -> Iterator[str]:
    """The address of a server in a thread of this process, with a token or without."""
    app = make_app(predictor, token=request.param)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, http="h11", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/{'?token' if request.param else ''}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The open page; whatever it logs as an error, or asks of another server, fails the test."""
    page = opened_page(browser, height=900)
    wrong = list[str]()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: None if "Failed to load" in message.text else wrong.append(message.text))
    origin = address.partition("?")[0]
    page.on("request", lambda request: None if request.url.startswith((origin, "data:")) else wrong.append(request.url))
    page.goto(address)
    yield page
    page.close()
    assert wrong == []


def fill_in(page: Page, address: str, text: str) -> None:
    """Type a text and score it with the keyboard alone; give the token if it is asked for."""
    page.keyboard.insert_text(text)
    page.keyboard.press("Control+Enter")
    if address.endswith("?token"):
        expect(page.get_by_role("alert")).to_contain_text("a token is needed")
        expect(page.get_by_label("This server needs a token")).to_be_focused()
        page.keyboard.insert_text("secret")
        page.keyboard.press("Enter")


def test_reviews_are_scored_line_by_line_and_their_words_are_coloured(
    page: Page, address: str, predictor: Predictor
) -> None:
    fill_in(page, address, "\n\n".join(TEXTS))
    cards = page.get_by_role("listitem")
    expect(cards).to_have_count(2)
    for number, (text, answer) in enumerate(zip(TEXTS, predictor.explain(TEXTS, most=None), strict=True)):
        card = cards.nth(number)
        expect(card.locator(".label")).to_have_text(answer.label)
        sure = max(answer.probability, 1 - answer.probability)
        expect(card.locator(".percent")).to_have_text(f"{100 * sure:.1f} %")
        expect(card.locator(".words")).to_be_visible()
        assert card.locator(".text").text_content() == text, "every letter is there, and no HTML was made of it"
        marks = [(mark.text_content(), mark.get_attribute("class")) for mark in card.locator("mark").all()]
        full = max(1, *(abs(word.effect) for word in answer.words))
        seen = [word for word in sorted(answer.words, key=lambda word: word.start) if abs(word.effect) >= 0.06 * full]
        assert marks == [(word.word, "positive" if word.effect > 0 else "negative") for word in seen]
        first = answer.words[0]
        expect(card.locator(".words span").first).to_have_text(
            f"{first.word} {'+' if first.effect > 0 else '−'}{abs(first.effect):.2f}"
        )
    positive = page.evaluate("getComputedStyle(document.querySelector('.legend mark.positive')).backgroundColor")
    negative = page.evaluate("getComputedStyle(document.querySelector('.legend mark.negative')).backgroundColor")
    assert positive != negative
    expect(page.get_by_role("status")).to_contain_text("2 reviews: ")
    picture(page, "serve")


def test_a_text_of_several_lines_may_be_one_review(page: Page, address: str) -> None:
    page.get_by_label("Each line is a review").uncheck()
    page.get_by_label("Reviews", exact=True).focus()
    fill_in(page, address, "Great book.\nNot worth it.")
    expect(page.get_by_role("listitem")).to_have_count(1)
    expect(page.get_by_role("status")).to_have_text("1 review")
    assert page.locator(".text").text_content() == "Great book.\nNot worth it."


def test_a_refusal_is_said_and_the_next_press_clears_it(page: Page, address: str) -> None:
    fill_in(page, address, "a" * 50_001)
    expect(page.get_by_role("alert")).to_have_text("at most 50,000 characters a text")
    page.get_by_role("button", name="Not bad at all.").click()
    expect(page.get_by_role("listitem")).to_have_count(1)
    expect(page.get_by_role("alert")).to_be_hidden()


def test_nothing_typed_asks_nothing(page: Page) -> None:
    page.get_by_role("button", name="Score", exact=True).click()
    expect(page.get_by_label("Reviews", exact=True)).to_be_focused()
    expect(page.get_by_role("listitem")).to_have_count(0)


@pytest.mark.parametrize(("width", "scheme"), [(1200, "dark"), (390, "light"), (390, "dark"), (320, "light")])
def test_it_fits_the_window_and_the_scheme(page: Page, address: str, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    fill_in(page, address, "Great " + "x" * 300 + " not bad")
    expect(page.locator(".words")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    red = int(page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]"))
    assert (red < 100) == (scheme == "dark")
    picture(page, f"serve-{width}-{scheme}")


def test_the_page_for_programs_opens(page: Page) -> None:
    page.get_by_role("link", name="For programs").click()
    expect(page.get_by_role("heading", name="POST /predict")).to_be_visible()
