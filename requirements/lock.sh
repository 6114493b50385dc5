#!/bin/sh
# Resolve pyproject.toml into one lock file, with hashes, for each thing that is installed.
# torch and what it brings for CUDA stay out: its builds differ by platform under one version, so constraints.txt pins it.
set -eu
for extras in run:--extra=all test:--extra=test bench:--all-extras; do
    uv pip compile pyproject.toml ${extras#*:} --universal --python-version 3.11 --generate-hashes --quiet \
        --constraints requirements/constraints.txt --no-emit-index-url --no-header \
        $(for name in torch triton cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cublas nvidia-cuda-cupti \
            nvidia-cuda-nvrtc nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft nvidia-cufile nvidia-curand \
            nvidia-cusolver nvidia-cusparse nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvjitlink \
            nvidia-nvshmem-cu13 nvidia-nvtx; do echo "--no-emit-package=$name"; done) \
        --output-file "requirements/${extras%%:*}.lock"
done
