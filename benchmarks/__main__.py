"""All benchmarks, one after another, each in a process of its own: `python -m benchmarks`, or `make bench`.

Each prints ratios against a named rival that was measured in the same run, because machines are noisy. Each can be
run alone, with options (`python -m benchmarks.prepare --help`); `benchmarks.gpu` is for a machine with a GPU.
"""

import subprocess
import sys

NAMES = ("prepare", "flow_overhead", "loader", "trainer")


def main() -> int:
    """Run them; the exit code of the first one that failed, or 0."""
    codes = []
    for name in NAMES:
        print(f"\n{name}", flush=True)
        codes.append(subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode)
    return next(filter(None, codes), 0)


if __name__ == "__main__":
    sys.exit(main())
