"""From labelled reviews in two compressed files to a tested LSTM that scores new ones."""

__version__ = "0.1.0"
