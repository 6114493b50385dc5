"""Scoring new texts with a model folder alone, in memory that does not grow with the input.

Lines are read in blocks, a block is encoded and scored at once, and its probabilities are written before the next is
read. So a million lines from a pipe need no more memory than the first few thousand, and results appear as they come.
"""

from sentiment_pipeline.predict.explain import Explanation, Word
from sentiment_pipeline.predict.predictor import Prediction, Predictor, Scored
from sentiment_pipeline.predict.writing import check_output, write_file, write_json

__all__ = ["Explanation", "Prediction", "Predictor", "Scored", "Word", "check_output", "write_file", "write_json"]
