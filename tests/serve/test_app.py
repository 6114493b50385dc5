import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from sentiment_pipeline.predict import Predictor
from sentiment_pipeline.serve.app import make_app
from sentiment_pipeline.serve.limits import Limits

LIMITS = Limits(body=60_000, characters=9_000, texts=70, explained=2, waiting=100, batch=8, seconds=20)
LONG = "a terrible book, not worth the money. " * 200


@pytest.fixture(scope="module")
def client(predictor: Predictor) -> Iterator[TestClient]:
    with TestClient(make_app(predictor, LIMITS), base_url="http://127.0.0.1") as client:
        yield client


def refused(response: Any, status: int) -> str:
    """The detail of a refusal: JSON, one line."""
    assert response.status_code == status, response.text
    assert list(response.json()) == ["detail"]
    detail = response.json()["detail"]
    assert isinstance(detail, str)
    assert "\n" not in detail
    return detail


def test_a_text_gets_an_answer_and_a_list_gets_a_list(client: TestClient, predictor: Predictor) -> None:
    one, two = predictor.predict(["not bad at all"]) + predictor.predict(["boring"])
    assert client.post("/predict", json={"text": "not bad at all"}).json() == one._asdict()
    answers = client.post("/predict", json={"texts": ["not bad at all", "boring"]}).json()
    assert answers == [one._asdict(), two._asdict()]
    assert client.post("/predict", json={"texts": []}).json() == []
    assert client.post("/predict", json={"text": ""}).json()["label"] in ("positive", "negative")


def test_an_answer_has_the_same_bits_whatever_it_came_with(client: TestClient) -> None:
    text = "I love this great book, and the story is not bad"
    others = [f"{'a bad film ' * length}and more" for length in range(63)]
    alone = client.post("/predict", json={"text": text}).json()
    assert client.post("/predict", json={"texts": [*others, text]}).json()[63] == alone
    assert client.post("/predict", json={"texts": [text, LONG, "x"]}).json()[0] == alone
    assert client.post("/predict", json={"texts": ["", LONG, text]}).json()[2] == alone


def test_requests_at_the_same_time_have_the_bits_that_each_has_alone(predictor: Predictor) -> None:
    texts = [f"review {number}: {'great ' * (number % 7)}book" for number in range(40)]

    async def together() -> list[dict[str, object]]:
        app = make_app(predictor, LIMITS)
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
        ):
            return [
                each.json()
                for each in await asyncio.gather(*(client.post("/predict", json={"text": text}) for text in texts))
            ]

    assert asyncio.run(together()) == [predictor.predict([text])[0]._asdict() for text in texts]


def test_words_are_explained_with_their_places(client: TestClient, predictor: Predictor) -> None:
    text = "😀 Great book, it isn't bad"
    (expected,) = predictor.explain([text], most=None)
    answer = client.post("/explain", json={"text": text}).json()
    assert answer["probability"] == expected.probability
    assert [tuple(word.values()) for word in answer["words"]] == [tuple(word) for word in expected.words]
    assert all(text[word["start"] : word["end"]] == word["word"] for word in answer["words"])
    assert client.post("/explain", json={"texts": [text, ""]}).json() == [
        answer,
        client.post("/explain", json={"text": ""}).json(),
    ]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        "null",
        '"text"',
        '{"text": 3}',
        '{"text": null}',
        '{"texts": "one"}',
        '{"texts": [1]}',
        '{"text": "a", "texts": ["b"]}',
        '{"text": "a", "more": 1}',
        '{"text": "a"',
    ],
)
def test_what_is_not_of_the_form_is_refused_with_the_form(client: TestClient, content: str) -> None:
    headers = {"Content-Type": "application/json"}
    detail = refused(client.post("/predict", content=content, headers=headers), 422)
    assert 'give either {"text": "…"} or {"texts": ["…", "…"]}' in detail


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[" * 9000, b'{"text": ' * 1000])
def test_damaged_and_hostile_bodies_are_refused(client: TestClient, content: bytes) -> None:
    response = client.post("/predict", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code in (400, 422)
    assert isinstance(response.json()["detail"], str)


def test_what_was_sent_is_not_sent_back(client: TestClient) -> None:
    response = client.post("/predict", json={"text": ["<script>"]})
    assert "script" not in refused(response, 422)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-content-type-options"] == "nosniff"


def test_half_a_character_is_a_text_like_any_other(client: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    halved = client.post("/explain", content=b'{"text": "great \\ud83d"}', headers=headers)
    assert halved.status_code == 200
    assert halved.json() == client.post("/explain", json={"text": "great \ufffd"}).json()


def test_limits_are_said(client: TestClient) -> None:
    assert refused(client.post("/predict", json={"texts": ["a"] * 71}), 413) == "at most 70 texts a request"
    assert refused(client.post("/explain", json={"texts": ["a"] * 3}), 413) == "at most 2 texts a request"
    assert refused(client.post("/predict", json={"text": "a" * 9_001}), 413) == "at most 9,000 characters a text"
    assert refused(client.post("/predict", json={"text": "a" * 60_000}), 413) == "a request has at most 60,000 bytes"
    assert client.post("/predict", json={"texts": ["a"] * 70}).status_code == 200
    assert client.post("/predict", json={"text": "a" * 9_000}).status_code == 200


def test_more_than_may_wait_is_put_off(predictor: Predictor) -> None:
    with TestClient(make_app(predictor, Limits(waiting=1)), base_url="http://127.0.0.1") as client:
        response = client.post("/predict", json={"texts": ["a", "b"]})
        assert "try again later" in refused(response, 503)
        assert response.headers["retry-after"] == "1"
        assert client.post("/predict", json={"text": "a"}).status_code == 200


def test_what_takes_too_long_is_put_off(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(predictor, "predict_each", lambda texts: go_on.wait(20))
    with TestClient(make_app(predictor, Limits(seconds=0.1)), base_url="http://127.0.0.1") as client:
        assert "try again later" in refused(client.post("/predict", json={"text": "a"}), 503)
        assert client.get("/health").status_code == 200
        go_on.set()


def test_a_defect_is_said_without_its_details(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictor, "predict_each", lambda texts: 1 / 0)
    app = make_app(predictor, LIMITS)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        assert refused(client.post("/predict", json={"text": "a"}), 500) == "the server failed; its log says why"


def test_health_and_the_pages(client: TestClient) -> None:
    assert client.get("/health").json()["status"] == "ok"
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert client.get("/page.css").headers["content-type"] == "text/css; charset=utf-8"
    assert client.get("/page.js").headers["content-type"] == "text/javascript; charset=utf-8"
    assert set(client.get("/openapi.json").json()["paths"]) == {"/predict", "/explain", "/health"}
    docs = client.get("/docs").text
    for words in ("POST /predict", "POST /explain", "GET /health", "at most 60,000 bytes", "ExplainedAnswer"):
        assert words in docs
    for text in (page.text, docs, client.get("/page.css").text, client.get("/page.js").text):
        assert "https://" not in text
    assert refused(client.get("/nothing"), 404) == "Not Found"
    assert refused(client.get("/predict"), 405) == "Method Not Allowed"
