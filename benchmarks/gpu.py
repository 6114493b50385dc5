"""Training on a GPU. Needs only torch, numpy, pyarrow, safetensors and the source code; nothing must be installed.

    python -m benchmarks.gpu [--reviews 3600000] [--seconds 20] [--profile FILE.json] [--choices] [--imdb FOLDER]

On random ids with the lengths of real reviews: the tutorial's loop, then the presets `tutorial` and `full`, the latter
with larger batches, too, and its pretraining: reviews and tokens per second, the duration of an epoch at that rate, the
fraction of time spent waiting for data, and peak memory. `--profile` writes a trace of some steps of `full` and prints
where their time goes. `--choices` measures what the trainer's speed rests on: packed sequences, two layers in one call,
precision, batch size. `--imdb` trains `full` on packed reviews (`train`, `validation`, `test`) and prints the test
accuracy.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from benchmarks.trainer import measure_trainer, measure_tutorial, table_row
from benchmarks.training_data import VOCABULARY, make_job, read_preset, temporary_reviews
from sentiment_pipeline.data.packed import open_packed
from sentiment_pipeline.models.evaluation import evaluate
from sentiment_pipeline.models.model_folder import build_model
from sentiment_pipeline.models.precision import autocast, choose_device, choose_dtype, prepare_process
from sentiment_pipeline.models.recurrent import Recurrent
from sentiment_pipeline.training.config import RuntimeConfig
from sentiment_pipeline.training.context import Context
from sentiment_pipeline.training.distributed import Ranks
from sentiment_pipeline.training.job import Job
from sentiment_pipeline.training.objectives import Sentiment
from sentiment_pipeline.training.signals import StopSignals
from sentiment_pipeline.training.train import train
from sentiment_pipeline.training.trainer import Trainer


def _compare(packed: Path, reviews: int, device: torch.device, seconds: float, runtime: RuntimeConfig) -> None:
    """Print the rates of the tutorial's loop and of the presets."""
    baseline = measure_tutorial(packed, device, seconds)
    print(f"{'the tutorial, fp32':24} {baseline:10,.0f} reviews/s {_epoch(reviews, baseline)}")
    model, training, _ = read_preset("tutorial")
    full, full_training, _ = read_preset("full")
    without_pretraining = replace(full_training, pretraining_epochs=0)
    for name, config, how in (
        ("tutorial", model, training),
        ("tutorial, padded right", replace(model, padding="right"), training),
        ("full", full, without_pretraining),
        ("full, batches of 512", full, replace(without_pretraining, batch_size=512)),
        ("full, pretraining", full, full_training),
    ):
        started = time.perf_counter()
        figures = measure_trainer(packed, config, how, runtime, seconds)
        rate = figures["reviews_per_s"]
        before = time.perf_counter() - started - seconds
        print(
            table_row(name, figures, rate / baseline),
            _epoch(reviews, rate),
            f"({before:.0f} s before the first figures)",
        )


def _epoch(reviews: int, rate: float) -> str:
    return f"{reviews / rate:8.1f} s for an epoch of {reviews:,}"


def _profile(packed: Path, device: torch.device, runtime: RuntimeConfig, path: Path, steps: int) -> None:
    """Write a trace of some steps of `full`, after as many others, and print where their time goes."""
    model, training, _ = read_preset("full")
    with tempfile.TemporaryDirectory() as scratch:
        context = Context.open(make_job(packed, Path(scratch), model, training, runtime), device, Ranks(0, 1))
        objective = Sentiment(context, {})
        trainer = Trainer(objective, context, StopSignals())
        objective.prepare(True, lambda: None, lambda figures: None)
        batches = iter(trainer.loader)

        def train_steps() -> None:
            for _ in range(steps):
                trainer.train_step(next(batches).to(device))
            _synchronize(device)

        train_steps()
        with torch.profiler.profile() as profiler:
            train_steps()
    profiler.export_chrome_trace(str(path))
    column = "self_cuda_time_total" if device.type == "cuda" else "self_cpu_time_total"
    print(profiler.key_averages().table(sort_by=column, row_limit=25))


def _compare_choices(device: torch.device, sizes: tuple[int, ...], time_steps: int) -> None:
    """Print tokens per second, forward and backward, of what the trainer's speed rests on: two layers of 512 units."""
    two = [nn.LSTM(400, 512, 2).to(device)]
    apart = [nn.LSTM(400, 512).to(device), nn.LSTM(512, 512).to(device)]
    both_ways = [nn.LSTM(400, 256, bidirectional=True).to(device)]
    mirrored = [Recurrent(400, 256, 1, True, "fused", 0.0).to(device)]
    bf16, fp16, fp32 = torch.bfloat16, torch.float16, torch.float32
    formats = [("bf16", bf16), ("fp32 (TF32)", fp32), *([("fp16", fp16)] if device.type == "cuda" else [])]
    cases: list[tuple[str, Sequence[nn.Module], torch.dtype, int, bool]] = [
        *((f"two layers in one call, {name}", two, dtype, sizes[0], False) for name, dtype in formats),
        ("two layers in one call, bf16, packed", two, bf16, sizes[0], True),
        ("two layers in two calls, bf16", apart, bf16, sizes[0], False),
        ("both directions in one call, bf16, packed", both_ways, bf16, sizes[0], True),
        ("both directions mirrored, bf16", mirrored, bf16, sizes[0], False),
        *((f"two layers in one call, bf16, batch {size}", two, bf16, size, False) for size in sizes),
    ]
    for name, layers, dtype, batch, is_packed in cases:
        print(f"{name:44} {_tokens_per_s(layers, dtype, batch, is_packed, device, time_steps):14,.0f} tokens/s")


def _tokens_per_s(
    layers: Sequence[nn.Module],
    dtype: torch.dtype,
    batch: int,
    is_packed: bool,
    device: torch.device,
    time_steps: int,
    repetitions: int = 5,
) -> float:
    """Of one batch of reviews with 95 % to 100 % of `time_steps`, forward and backward; the best of the repetitions."""
    lengths = torch.linspace(0.95 * time_steps, time_steps, batch).long().clamp(min=1)
    inputs = torch.randn(time_steps, batch, 400, device=device, requires_grad=True)
    best = float("inf")
    for _ in range(repetitions + 1):
        _synchronize(device)
        started = time.perf_counter()
        with autocast(device, dtype):
            outputs = inputs
            for layer in layers:
                outputs = _outputs(layer, outputs, lengths, is_packed)
        outputs.float().mean().backward()
        _synchronize(device)
        best = min(best, time.perf_counter() - started)
    return int(lengths.sum()) / best


def _outputs(layer: nn.Module, inputs: Tensor, lengths: Tensor, is_packed: bool) -> Tensor:
    """The outputs of a layer at every time step, [time, reviews, features]."""
    outputs: Tensor
    if isinstance(layer, Recurrent):
        outputs = layer(inputs, lengths.to(inputs.device))
    elif is_packed:
        packed, _ = layer(pack_padded_sequence(inputs, lengths, enforce_sorted=False))
        outputs, _ = pad_packed_sequence(packed)
    else:
        outputs, _ = layer(inputs)
    return outputs


def _train_on_imdb(packed: Path, device: torch.device, words: int, runtime: RuntimeConfig) -> None:
    """Train `full` on packed reviews and print its test accuracy."""
    model, training, _ = read_preset("full")
    with tempfile.TemporaryDirectory() as scratch:
        started = time.perf_counter()
        folder = Path(scratch)
        result = train(Job(packed, folder, folder / "history.jsonl", model, training, runtime, words, ""), print)
        seconds = time.perf_counter() - started
    trained_model = build_model(model, words, result.weights, "the trained weights").to(device)
    metrics, _ = evaluate(trained_model, open_packed(packed / "test", words), choose_dtype("auto", device))
    print(
        f"full on {packed}: trained in {seconds:.0f} s, validation {result.validation['accuracy']:.4f}, "
        f"test {metrics['accuracy']:.4f}"
    )


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reviews", type=int, default=3_600_000, help="random reviews to train on; at least 400")
    parser.add_argument("--seconds", type=float, default=20, help="for each of the models measured; at least one step")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--profile", type=Path, help="where to write the trace")
    parser.add_argument("--profile-steps", type=int, default=20, help="training steps in the trace")
    parser.add_argument("--choices", action="store_true", help="measure what the trainer's speed rests on")
    parser.add_argument("--imdb", type=Path, help="folder of packed reviews")
    parser.add_argument("--imdb-words", type=int, default=VOCABULARY, help="size of their vocabulary")
    options = parser.parse_args()
    prepare_process()
    device = choose_device(options.device)
    has_gpu = device.type == "cuda"
    runtime = read_preset("full")[2]
    runtime = replace(
        runtime, device=options.device, tensorboard=False, checkpoint_every=0, log_every=50 if has_gpu else 1
    )
    print(f"{torch.cuda.get_device_name(device) if has_gpu else 'CPU'}, torch {torch.__version__}")
    with temporary_reviews(options.reviews) as packed:
        _compare(packed, options.reviews, device, options.seconds, runtime)
        if options.profile:
            _profile(packed, device, runtime, options.profile, options.profile_steps)
    if options.choices:
        _compare_choices(device, (400, 128, 512, 1024, 2048, 4096) if has_gpu else (32, 64), 96 if has_gpu else 20)
    if options.imdb:
        _train_on_imdb(options.imdb, device, options.imdb_words, runtime)


if __name__ == "__main__":
    main()
