"""The model's card: what somebody who is given the model folder alone has to know of it.

The sections follow Mitchell et al., "Model cards for model reporting" (2019), as far as they apply.
"""

from collections.abc import Mapping
from typing import Any

from sentiment_pipeline.formatting import counted, figure, percent


def model_card(
    name: str, metrics: Mapping[str, Mapping[str, Any]], settings: Mapping[str, Mapping[str, Any]], words: int
) -> str:
    """The card as Markdown.

    Args:
        name: what was trained, for example the preset.
        metrics: by part, as in `metrics.json`; `test` and `train` are told of.
        settings: by group, values by name; `model`, `cleaning`, `vocabulary` and `training` are told of.
        words: size of the vocabulary, with its special tokens.
    """
    return f"""# Sentiment of reviews: {plain(name)}

Given a review it predicts the probability that the review is positive.

{architecture(settings["model"])}, with a vocabulary of {words:,} words.

## Use

    sentiment-pipeline predict --model THIS_FOLDER reviews.txt

One review a line in, one JSON object a line out. The folder is complete: the cleaning, the vocabulary and the model's
shape are in it, and nothing in it is code.

## How good it is

{splits(metrics)}

The test file was read for these figures alone; whether some of its reviews are also among the training reviews was not
checked. {rejected(metrics.get("prepare", {}))}The figures hold for reviews like them; on other
kinds of text, in other languages, or on reviews that weigh good against bad, expect less. A probability is the model's
own, not corrected afterwards; `report.html` of the run shows how far it can be taken at its word.

## How it was made

{rows("Training", metrics.get("train", {}))}
{
        rows(
            "Settings",
            {
                f"{group}.{key}": value
                for group in ("cleaning", "vocabulary", "model", "training")
                for key, value in settings.get(group, {}).items()
            },
        )
    }
## Files

| file | holds |
|---|---|
| `model.safetensors` | the weights |
| `config.json` | the model's shape and how texts become ids |
| `vocabulary.parquet` | `token`, `count` in the training text, `id` |
"""


def architecture(model: Mapping[str, Any]) -> str:
    """The model in a few words, from its settings."""
    direction = "bidirectional" if model["bidirectional"] else "one-directional"
    pooling = model["pooling"].replace("_", " and ")
    ngrams = f", which also reads what n-grams of up to {model['ngrams']} words tell" if model["ngrams"] else ""
    return (
        f"A {direction} LSTM ({model['layers']} x {model['hidden']} units, {pooling} pooling, {model['embedding']} "
        f"numbers a word, at most {model['length']:,} tokens of a review){ngrams}"
    )


def splits(metrics: Mapping[str, Mapping[str, Any]]) -> str:
    """A table of the held-out figures, a row a split."""
    lines = ["| split | reviews | accuracy | loss | F1 |", "|---|---|---|---|---|"]
    for split in ("test", "validation"):
        if found := metrics.get(split):
            loss, f1 = (figure(found.get(name)) for name in ("loss", "f1"))
            lines.append(f"| {split} | {found['reviews']:,} | {percent(found['accuracy'], 2)} | {loss} | {f1} |")
    return "\n".join(lines)


def rejected(prepare: Mapping[str, Any]) -> str:
    """A sentence on the lines that are in neither file of reviews; empty if there are none."""
    if not prepare.get("rejected"):
        return ""
    return f"Of the input, {counted(prepare['rejected'], 'line')} were rejected as no labelled reviews. "


def rows(title: str, values: Mapping[str, Any]) -> str:
    """A table of names and values."""
    lines = [
        f"| `{name}` | {plain(figure(value))} |"
        for name, value in values.items()
        if isinstance(value, int | float | str)
    ]
    return "\n".join([f"| {title} | |", "|---|---|", *lines, ""]) if lines else ""


def plain(text: str) -> str:
    """Text that stays in its cell or heading, whatever it holds."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
