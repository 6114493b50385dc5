"""Synthetic reviews in the format of the real ones, to try and to benchmark the pipeline at any size."""

from sentiment_pipeline.sample.writer import write_sample

__all__ = ["write_sample"]
