"""Synthetic reviews in the real format, for trying the pipeline and for measuring it at any size."""

from sentiment_pipeline.sample.writer import write_sample

__all__ = ["write_sample"]
