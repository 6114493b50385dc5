"""Training: how the weights are found, from packed reviews to the best weights, through any number of interruptions.

This package and those below it import torch, numpy, pyarrow, safetensors and the standard library alone, so that a GPU
machine without Polars, NLTK, pydantic and Prefect runs them.
"""
