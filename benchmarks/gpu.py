"""The training half on a GPU, by itself: needs torch, numpy, pyarrow, safetensors and this folder, no install.

    python -m benchmarks.gpu [--reviews 3600000] [--seconds 20] [--profile FILE.json] [--levers] [--imdb FOLDER]

On random ids with the lengths of the real reviews: the tutorial's loop, then the presets `seed` and `full`, the latter
in larger batches too, and its pretraining by itself: reviews and tokens a second, what an epoch of all reviews takes
at that rate, the share of time waiting for data, peak memory. `--profile` writes a trace of some steps of `full` and
prints where their time goes. `--levers` measures the choices the trainer rests on: packed sequences, two layers in one
call, precision, batch size. `--imdb` trains `full` on packed reviews (`train`, `validation`, `test`) and prints their
test accuracy.
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

from benchmarks.trainer import line, trained, tutorial
from benchmarks.training_data import VOCABULARY, job, packed, preset
from sentiment_pipeline.data.packed import open_packed
from sentiment_pipeline.models.evaluation import evaluate
from sentiment_pipeline.models.model_folder import build_model
from sentiment_pipeline.models.precision import autocast, choose_device, choose_dtype, prepare_process
from sentiment_pipeline.models.recurrent import Recurrent
from sentiment_pipeline.training.config import RuntimeConfig
from sentiment_pipeline.training.distributed import Ranks
from sentiment_pipeline.training.job import Job
from sentiment_pipeline.training.objectives import Context, Sentiment
from sentiment_pipeline.training.signals import StopSignals
from sentiment_pipeline.training.trainer import Trainer, train


def speeds(folder: Path, reviews: int, device: torch.device, seconds: float, runtime: RuntimeConfig) -> None:
    """The presets against the tutorial's loop."""
    base = tutorial(folder, device, seconds)
    print(f"{'tutorial, fp32':24} {base:10,.0f} reviews/s {epoch_of(reviews, base)}")
    model, training, _ = preset("tutorial")
    full, full_training, _ = preset("full")
    right = replace(model, padding="right")
    alone = replace(full_training, pretraining_epochs=0)
    for name, config, how in (
        ("tutorial", model, training),
        ("seed, padded right", right, training),
        ("full", full, alone),
        ("full, batches of 512", full, replace(alone, batch_size=512)),
        ("full, pretraining", full, full_training),
    ):
        started = time.perf_counter()
        found = trained(folder, config, how, runtime, seconds)
        rate = found["reviews_per_s"]
        before = time.perf_counter() - started - seconds
        print(line(name, found, rate / base), epoch_of(reviews, rate), f"({before:.0f} s before the first figures)")


def epoch_of(reviews: int, rate: float) -> str:
    return f"{reviews / rate:8.1f} s an epoch of {reviews:,}"


def profile(folder: Path, device: torch.device, runtime: RuntimeConfig, path: Path, steps: int = 20) -> None:
    """Where the time of some steps of `full` goes."""
    model, training, _ = preset("full")
    with tempfile.TemporaryDirectory() as scratch:
        context = Context.opened(job(folder, Path(scratch), model, training, runtime), device, Ranks(0, 1))
        trainer = Trainer(objective := Sentiment(context, {}), context, StopSignals())
        objective.prepare(True, lambda: None, trainer.tell)
        batches = trainer.batches()
        for _ in range(steps):
            trainer.learn(next(batches))
        synchronize(device)
        with torch.profiler.profile() as profiler:
            for _ in range(steps):
                trainer.learn(next(batches))
            synchronize(device)
    profiler.export_chrome_trace(str(path))
    by = "self_cuda_time_total" if device.type == "cuda" else "self_cpu_time_total"
    print(profiler.key_averages().table(sort_by=by, row_limit=25))


def levers(device: torch.device, sizes: tuple[int, ...], time_steps: int) -> None:
    """Tokens a second, forward and backward, of the choices that the trainer rests on: two layers of 512 units."""
    two = [nn.LSTM(400, 512, 2).to(device)]
    apart = [nn.LSTM(400, 512).to(device), nn.LSTM(512, 512).to(device)]
    both_ways = [nn.LSTM(400, 256, bidirectional=True).to(device)]
    mirrored = [Recurrent(400, 256, 1, True, "fused", 0.0, False).to(device)]
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
        print(f"{name:44} {tokens_per_second(layers, dtype, batch, is_packed, device, time_steps):14,.0f} tokens/s")


def tokens_per_second(
    layers: Sequence[nn.Module],
    dtype: torch.dtype,
    batch: int,
    is_packed: bool,
    device: torch.device,
    time_steps: int,
    repetitions: int = 5,
) -> float:
    """Of one batch of reviews between 95 % and 100 % of `time_steps`, through the layers and back; the best time."""
    lengths = torch.linspace(0.95 * time_steps, time_steps, batch).long().clamp(min=1)
    inputs = torch.randn(time_steps, batch, 400, device=device, requires_grad=True)
    best = float("inf")
    for _ in range(repetitions + 1):
        synchronize(device)
        started = time.perf_counter()
        with autocast(device, dtype):
            outputs = inputs
            for layer in layers:
                outputs = through(layer, outputs, lengths, is_packed)
        outputs.float().mean().backward()
        synchronize(device)
        best = min(best, time.perf_counter() - started)
    return int(lengths.sum()) / best


def through(layer: nn.Module, inputs: Tensor, lengths: Tensor, is_packed: bool) -> Tensor:
    outputs: Tensor
    if isinstance(layer, Recurrent):
        return layer(inputs, lengths.to(inputs.device))
    if not is_packed:
        outputs, _ = layer(inputs)
        return outputs
    result, _ = layer(pack_padded_sequence(inputs, lengths, enforce_sorted=False))
    return pad_packed_sequence(result)[0]


def imdb(folder: Path, device: torch.device, words: int, runtime: RuntimeConfig) -> None:
    """`full` on packed reviews, with the accuracy on their test split."""
    model, training, _ = preset("full")
    with tempfile.TemporaryDirectory() as scratch:
        started = time.perf_counter()
        result = train(
            Job(folder, Path(scratch), Path(scratch) / "history.jsonl", model, training, runtime, words, ""), print
        )
        seconds = time.perf_counter() - started
    trained_model = build_model(model, words, result.weights, "the trained weights").to(device)
    figures, _ = evaluate(trained_model, open_packed(folder / "test", words), choose_dtype("auto", device))
    print(
        f"full on {folder}: trained in {seconds:.0f} s, validation {result.validation['accuracy']:.4f}, "
        f"test {figures['accuracy']:.4f}"
    )


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reviews", type=int, default=3_600_000)
    parser.add_argument("--seconds", type=float, default=20, help="for each of the models measured")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--profile", type=Path, help="where to write the trace")
    parser.add_argument("--levers", action="store_true")
    parser.add_argument("--imdb", type=Path, help="folder of packed reviews")
    parser.add_argument("--imdb-words", type=int, default=VOCABULARY, help="their vocabulary's size")
    given = parser.parse_args()
    prepare_process()
    runtime = replace(preset("full")[2], device=given.device, tensorboard=False, checkpoint_every=0)
    device = choose_device(runtime)
    gpu = device.type == "cuda"
    runtime = replace(runtime, log_every=50 if gpu else 1)
    print(f"{torch.cuda.get_device_name(device) if gpu else 'CPU'}, torch {torch.__version__}")
    with packed(given.reviews) as folder:
        speeds(folder, given.reviews, device, given.seconds, runtime)
        if given.profile:
            profile(folder, device, runtime, given.profile)
    if given.levers:
        levers(device, (400, 128, 512, 1024, 2048, 4096) if gpu else (32, 64), 96 if gpu else 20)
    if given.imdb:
        imdb(given.imdb, device, given.imdb_words, runtime)


if __name__ == "__main__":
    main()
