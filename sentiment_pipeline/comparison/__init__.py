"""What differs between two data folders or model folders: inputs, settings, versions, stages, quality, figures."""

from sentiment_pipeline.comparison.compare import Comparison, compare
from sentiment_pipeline.comparison.folder import Folder, read_folder
from sentiment_pipeline.comparison.lines import lines

__all__ = ["Comparison", "Folder", "compare", "lines", "read_folder"]
