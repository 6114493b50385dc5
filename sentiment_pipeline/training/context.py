"""What a training run works with: its job, device, processes and reviews."""

from dataclasses import dataclass

import torch

from sentiment_pipeline.data.loader import Loader
from sentiment_pipeline.data.packed import Array, PackedReviews, open_packed
from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.models.evaluation import score_split
from sentiment_pipeline.models.precision import choose_dtype
from sentiment_pipeline.models.sentiment import Scorer
from sentiment_pipeline.training.distributed import Ranks
from sentiment_pipeline.training.job import Job
from sentiment_pipeline.training.signals import Check

__all__ = ["Context"]


@dataclass(frozen=True)
class Context:
    """What a training run works with, whatever its objective.

    Attributes:
        job: what to train.
        device: the device to compute on.
        dtype: dtype of the matrix products.
        ranks: the processes that train together.
        reviews: the training reviews.
        validation: the validation reviews; there may be none.
    """

    job: Job
    device: torch.device
    dtype: torch.dtype
    ranks: Ranks
    reviews: PackedReviews
    validation: PackedReviews

    @classmethod
    def open(cls, job: Job, device: torch.device, ranks: Ranks) -> "Context":
        """The context of a job.

        Args:
            job: what to train.
            device: the device to compute on.
            ranks: the processes that train together.

        Raises:
            PipelineError: the packed reviews are missing or damaged, or there are no training reviews.
            SettingsError: the device cannot compute in the number format of the job.
        """
        reviews = open_packed(job.packed / "train", job.vocabulary_size)
        validation = open_packed(job.packed / "validation", job.vocabulary_size)
        if not len(reviews):
            raise PipelineError(f"{reviews.folder} holds no reviews to train on")
        return cls(job, device, choose_dtype(job.training.precision, device), ranks, reviews, validation)

    def loader(self) -> Loader:
        """A loader of this process's parts of the training batches, truncated for the LSTM."""
        job = self.job
        return Loader(
            self.reviews,
            job.model.lstm_truncation,
            job.training.batch_size,
            job.training.seed,
            job.training.epochs,
            job.runtime.loader_workers,
            pin=self.device.type == "cuda",
            rank=self.ranks.rank,
            ranks=self.ranks.size,
            old=job.old_reviews,
            replay=job.training.replay,
        )

    def score_validation(self, model: Scorer, check: Check) -> Array:
        """A model's score of each validation review, float32, [reviews]; every process scores a part of them.

        Args:
            model: the model.
            check: called before each batch.
        """
        scores = score_split(model, self.validation, self.dtype, check, self.ranks.rank, self.ranks.size)
        return self.ranks.all_reduce(torch.from_numpy(scores).to(self.device)).cpu().numpy()
