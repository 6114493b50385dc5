"""Training in one call: from packed reviews to the best weights, through any number of interruptions."""

from dataclasses import replace

import torch
from torch import Tensor

from sentiment_pipeline.errors import PipelineError
from sentiment_pipeline.models.language_model import pretrained_weights
from sentiment_pipeline.models.model_folder import load_weights
from sentiment_pipeline.models.precision import choose_device, prepare_process
from sentiment_pipeline.training.context import Context
from sentiment_pipeline.training.distributed import join_ranks
from sentiment_pipeline.training.history import FiguresCallback
from sentiment_pipeline.training.job import Job, TrainResult
from sentiment_pipeline.training.objectives import Sentiment
from sentiment_pipeline.training.pretraining import NextWord, pretraining_figures, pretraining_job
from sentiment_pipeline.training.signals import StopSignals
from sentiment_pipeline.training.trainer import Trainer

__all__ = ["train"]

_OUT_OF_MEMORY = (  # in messages of PyTorch, oneDNN, the C++ library and the operating system
    "can't allocate memory",
    "can't start new thread",
    "bad_alloc",
    "Cannot allocate memory",
    "could not create a memory",
)


def train(job: Job, on_figures: FiguresCallback = lambda figures: None) -> TrainResult:
    """Train, or resume training; under torchrun, as one of several processes.

    Args:
        job: what to train.
        on_figures: called with each line of figures, in the first process.

    Raises:
        PipelineError: the packed reviews or word vectors are damaged, a checkpoint belongs to another run, the loss is
            NaN or infinite, memory ran out, or a signal came. Called again, it resumes from the newest checkpoint.
        SettingsError: the device or number format is not available.
    """
    prepare_process()
    device = choose_device(job.runtime.device)
    gpus = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(gpus), join_ranks(device) as ranks, StopSignals() as stop:
        try:
            context = Context.open(job, device, ranks)
            weights = _first_weights(context, stop, on_figures)
            return Trainer(Sentiment(context, weights), context, stop).run(on_figures)
        except (RuntimeError, MemoryError) as error:
            if failure := _expected_failure(error):
                raise failure from error
            raise


def _first_weights(context: Context, stop: StopSignals, on_figures: FiguresCallback) -> dict[str, Tensor]:
    """The weights that are not drawn at random: those of an earlier model, or of the pretraining."""
    if context.job.start:
        return load_weights(context.job.start)
    return _pretrain(context, stop, on_figures) if context.job.training.pretraining_epochs else {}


def _pretrain(context: Context, stop: StopSignals, on_figures: FiguresCallback) -> dict[str, Tensor]:
    """The weights of a language model of the training reviews, by their names in the `SentimentModel`."""
    context = replace(context, job=pretraining_job(context.job))
    trainer = Trainer(NextWord(context), context, stop)
    return pretrained_weights(trainer.run(pretraining_figures(on_figures)).weights)


def _expected_failure(error: Exception) -> PipelineError | None:
    """A failure that its user can act on: memory ran out, or a loader process was killed; None for a defect."""
    text = str(error).partition("\n")[0]
    if "DataLoader worker" in text:
        return PipelineError(
            f"a loader process was killed ({text}); run again to resume from "
            "the last checkpoint, with runtime.loader_workers 0 if it happens again"
        )
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)) or any(words in text for words in _OUT_OF_MEMORY):
        return PipelineError(
            "out of memory; lower training.batch_size, model.length, model.hidden or "
            f"vocabulary.max_size, or use a machine with more memory ({text[:200]})"
        )
    return None
