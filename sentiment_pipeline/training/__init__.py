"""The half that trains: ids -> batches -> model -> metrics.

It imports torch, numpy, pyarrow, safetensors and the standard library alone, so that a GPU machine without Polars,
NLTK, pydantic and Prefect runs it.
"""
