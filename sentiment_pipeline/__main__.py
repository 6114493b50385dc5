"""`python -m sentiment_pipeline` is the command `sentiment-pipeline`."""

from sentiment_pipeline.cli import main

if __name__ == "__main__":
    main()
