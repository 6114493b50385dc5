"""All benchmarks, one after another, each in a process of its own: `python -m benchmarks`, or `make bench`.

Each prints ratios against a baseline that was measured in the same run, because machines are noisy. Each can be run
alone, with options (`python -m benchmarks.prepare --help`). `benchmarks.ablations` takes hours,
`benchmarks.explanations` asks for a model, and `benchmarks.gpu` is for a machine with a GPU. docs/benchmarks.md has
what was measured.
"""

import subprocess
import sys

_COMMANDS = (
    ("prepare", "--scale"),
    ("integrity",),
    ("flow_overhead",),
    ("loader",),
    ("trainer",),
    ("baselines",),
    ("predict",),
    ("formats",),
    ("growth",),
    ("quality",),
    ("serve",),
)


def main() -> int:
    """Run them; the exit code of the first one that failed, or 0."""
    codes = []
    for name, *options in _COMMANDS:
        print(f"\n{name}", flush=True)
        codes.append(subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], check=False).returncode)
    return next(filter(None, codes), 0)


if __name__ == "__main__":
    sys.exit(main())
