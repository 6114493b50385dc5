"""The routes: `/predict`, `/explain`, `/health`, the page at `/` and the OpenAPI page at `/docs`."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib import resources
from typing import Any, TypeVar

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from sentiment_pipeline import __version__
from sentiment_pipeline.predict import Explanation, Predictor
from sentiment_pipeline.serve.batching import Batcher, QueueFull
from sentiment_pipeline.serve.guard import Guard
from sentiment_pipeline.serve.limits import Limits
from sentiment_pipeline.serve.schemas import FORM, Answer, ExplainedAnswer, Failure, Health, Texts

__all__ = ["make_app"]

_Answer = TypeVar("_Answer")

_REFUSALS: dict[int | str, dict[str, Any]] = {
    HTTPStatus.UNAUTHORIZED: {"model": Failure, "description": "No token, or a wrong one"},
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: {"model": Failure, "description": "Too many bytes, texts or characters"},
    HTTPStatus.UNPROCESSABLE_ENTITY: {"model": Failure, "description": "Not JSON of this form"},
    HTTPStatus.SERVICE_UNAVAILABLE: {"model": Failure, "description": "Too much waits; try again"},
}
_FILES = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
}


def make_app(
    predictor: Predictor, limits: Limits | None = None, token: str | None = None, loopback: bool = True
) -> FastAPI:
    """The application.

    Args:
        predictor: the model.
        limits: of requests; None: those of `Limits`.
        token: what requests to score must bring; None: nothing.
        loopback: whether it is served on a loopback address, and so refuses other hosts' names.
    """
    limits = limits or Limits()
    scoring = Batcher(predictor.predict_each, limits.batch, limits.waiting, "scoring")
    explaining = Batcher(lambda texts: _explain(predictor, texts), 1, 2 * limits.explained, "explaining")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        scoring.start()
        explaining.start()
        yield
        await asyncio.to_thread(scoring.close)
        await asyncio.to_thread(explaining.close)

    app = FastAPI(
        title="sentiment-pipeline",
        version=__version__,
        summary="Scores reviews: positive or negative, and how probably.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(Guard, limits=limits, token=token, loopback=loopback)
    app.add_exception_handler(RequestValidationError, _say_what_is_wrong)
    app.add_exception_handler(Exception, _say_that_it_failed)

    @app.post("/predict", responses=_REFUSALS)
    async def predict(request: Texts) -> Answer | list[Answer]:
        """Score a text, or each text of a list, in order."""
        answers = await _answers(scoring, request.as_list(), limits.texts, limits)
        scored = [Answer.model_validate(each._asdict()) for each in answers]
        return scored if request.texts is not None else scored[0]

    @app.post("/explain", responses=_REFUSALS)
    async def explain(request: Texts) -> ExplainedAnswer | list[ExplainedAnswer]:
        """Score, and say what each word of a text did to its score."""
        answers = await _answers(explaining, request.as_list(), limits.explained, limits)
        return answers if request.texts is not None else answers[0]

    @app.get("/health")
    async def health() -> Health:
        """Whether the server is up, and how busy."""
        return Health(status="ok", version=__version__, waiting=scoring.waiting)

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        address = str(request.base_url).rstrip("/")
        page = _templates().get_template("docs.html")
        return HTMLResponse(page.render(api=app.openapi(), limits=limits, address=address))

    for path, (name, media_type) in _FILES.items():
        app.add_api_route(path, _file(name, media_type), include_in_schema=False)
    return app


async def _answers(batcher: Batcher[_Answer], texts: Sequence[str], most: int, limits: Limits) -> list[_Answer]:
    """The answers of a batcher, within the limits.

    Raises:
        HTTPException: there are too many texts, or too long ones, or too many that wait, or they wait too long.
    """
    if len(texts) > most:
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {most:,} texts a request")
    if max(map(len, texts), default=0) > limits.characters:
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {limits.characters:,} characters a text")
    try:
        async with asyncio.timeout(limits.seconds):
            return await asyncio.wrap_future(batcher.submit(texts))
    except (QueueFull, TimeoutError):
        detail = "too many texts are waiting; try again later"
        raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": "1"}) from None


def _explain(predictor: Predictor, texts: Sequence[str]) -> list[ExplainedAnswer]:
    return [_explained(each) for text in texts for each in predictor.explain([text], most=None)]


def _explained(explanation: Explanation) -> ExplainedAnswer:
    label, probability, words = explanation
    return ExplainedAnswer.model_validate(
        {"label": label, "probability": probability, "words": [word._asdict() for word in words]}
    )


async def _say_what_is_wrong(request: Request, error: Exception) -> Response:
    """One line for what does not fit the schema, without what was sent."""
    assert isinstance(error, RequestValidationError)
    details = [_line_of(each) for each in error.errors()]
    return JSONResponse({"detail": "; ".join(details[:3])}, HTTPStatus.UNPROCESSABLE_ENTITY)


def _line_of(error: dict[str, Any]) -> str:
    where = ".".join(map(str, error["loc"][1:]))
    return FORM if error["type"] == "json_invalid" or not where else f"{where}: {error['msg'].lower()}; {FORM}"


async def _say_that_it_failed(request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": "the server failed; its log says why"}, HTTPStatus.INTERNAL_SERVER_ERROR)


def _file(name: str, media_type: str) -> Any:
    """A route that gives a file of the page."""
    content = resources.files(__package__).joinpath("page", name).read_bytes()

    async def file() -> Response:
        return Response(content, media_type=media_type)

    return file


def _templates() -> Environment:
    return Environment(
        loader=PackageLoader(__package__, "page"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
