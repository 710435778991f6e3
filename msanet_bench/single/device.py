"""Where a single network runs."""

import re

import torch

from msanet_bench.errors import BenchError


def chosen_device(text: str) -> str:
    """The name in torch of what `--device` asks for: auto, cpu, cuda, or cuda:1 for the second one.

    Raises:
        BenchError: there is no such device.
    """
    count = torch.cuda.device_count()
    if text == "auto":
        return "cuda" if count else "cpu"
    match = re.fullmatch(r"cuda(?::(\d+))?", text)
    if text == "cpu" or (match is not None and int(match[1] or 0) < count):
        return text
    seen = f"{count} CUDA devices are" if count != 1 else "1 CUDA device is"
    raise BenchError(f"--device: must be auto, cpu, cuda or cuda:N, but got {text!r}; {seen} visible here.")
