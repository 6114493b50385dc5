"""What goes in and comes out, as the OpenAPI page shows it."""

import re
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["FORM", "Answer", "ExplainedAnswer", "Failure", "Health", "Texts", "WordEffect"]

FORM = 'give either {"text": "…"} or {"texts": ["…", "…"]}, as JSON'
_SURROGATE = re.compile("[\ud800-\udfff]")


class Texts(BaseModel):
    """Either one text, {"text": "…"}, or a list of them, {"texts": ["…", "…"]}."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [{"text": "not bad at all"}]})

    text: str | None = None
    texts: list[str] | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.text is None) == (self.texts is None):
            raise ValueError(FORM)
        return self

    def as_list(self) -> list[str]:
        """The texts, one or many; half a surrogate pair, which JSON can write and UTF-8 cannot, becomes U+FFFD."""
        texts = [self.text] if self.text is not None else self.texts or []
        return [_SURROGATE.sub("\ufffd", text) for text in texts]


class Answer(BaseModel):
    """The label of a text, and the probability that it is positive."""

    label: Literal["positive", "negative"]
    probability: float = Field(examples=[0.9146])


class WordEffect(BaseModel):
    """A word; how much higher the logit of "positive" is with it than without it; where it stands, in characters."""

    word: str = Field(examples=["not"])
    effect: float = Field(examples=[2.71])
    start: int = Field(examples=[0])
    end: int = Field(examples=[3])


class ExplainedAnswer(Answer):
    """An answer with every word that moved the score, the strongest first."""

    words: list[WordEffect]


class Health(BaseModel):
    """The server is up; the version of the library, and how many texts wait to be scored."""

    status: str = Field(examples=["ok"])
    version: str = Field(examples=["0.2.0"])
    waiting: int = Field(examples=[0])


class Failure(BaseModel):
    """Why a request is refused."""

    detail: str
