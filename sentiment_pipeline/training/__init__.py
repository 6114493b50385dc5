"""Training: from packed reviews to the best weights, through any number of interruptions.

This package and those below it import only torch, numpy, pyarrow, safetensors and the standard library, so they run on
a GPU machine without Polars, NLTK, pydantic and Prefect.
"""
