"""The 24-cell reference sweep against the loop that one writes without a harness, start-up included.

    python tests/benchmarks/sweep.py [ROUNDS]

8 variants x 3 seeds on scikit-learn's digits, 3 epochs. The plain loop (`plain_loop.py`) is one process: it
imports torch, loads the images once, and trains network after network in float32 with AdamW, on tensors in
memory, with torch's own number of threads. The sweep is `msanet-bench sweep` with two workers, from its
start to the end of training (latency and report come later), with what `train.auto` chose; that was measured
before, as it is once an experiment. A bare pool of two processes is there for comparison. All take turns,
round after round; printed are medians of the seconds and of the ratios to the plain loop.

The accuracies of each way are compared with the loop's in pairs: the interval of their mean difference must
hold 0.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean, median, stdev
from tempfile import TemporaryDirectory
from typing import Any

from scipy.special import stdtrit

PLAIN_LOOP = str(Path(__file__).with_name("plain_loop.py"))
PROMISED_RATIO = 0.52
WORKERS = 2
EXPERIMENT = """
question: What does a sweep cost?
delta: 5 pp
baseline: {stem: small, same_size_stages: [1], width: 0.125, depth: [1, 1, 1]}
data: {dataset: digits, resize: 16, validation: 0}
train: {epochs: 3, batch_size: 32, lr: 3e-3%s}
design: leave_one_out
factors:
  branches.conv3: [on, off]
  branches.conv5: [on, off]
  branches.dilated: [on, off]
  branches.context: [on, off]
  attention: [self_attention, none]
  branches.dilated.dilation: {levels: [2, 1], when: {branches.dilated: on}}
  fusion: [concat, sum]
seeds: 3
measure: {latency_rounds: 0}
"""
AUTO = ", auto: [precision, fused_attention, channels_last, fused_optimiser, compile]"


def main(rounds: int) -> bool:
    with TemporaryDirectory() as folder:
        place = Path(folder)
        chosen = _chosen(place)
        print(f"the probe chose: {chosen or 'nothing'}")
        (place / "reference.yaml").write_text(EXPERIMENT % chosen)
        (place / "plain.yaml").write_text(EXPERIMENT % "")
        ways: Mapping[str, Callable[[Path], tuple[float, dict[str, float]]]] = {
            "plain loop": partial(_script, "loop", threads=None),
            "pool of two processes": partial(_script, "pool", threads=1),
            "sweep": _sweep,
            "sweep, float32 as is": partial(_sweep, name="plain"),
        }
        found: dict[str, list[tuple[float, dict[str, float]]]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                found[name].append(way(place))
    _print(found)
    ratio = _ratio(found, "sweep", "plain loop")
    agree = [_agree(found, name) for name in list(ways)[1:]]
    print(f"promised: at most {PROMISED_RATIO}{'' if ratio <= PROMISED_RATIO else '  OUT OF RANGE'}")
    return all(agree) and ratio <= PROMISED_RATIO


def _print(found: Mapping[str, Sequence[tuple[float, Any]]]) -> None:
    for name, runs in found.items():
        seconds = [run[0] for run in runs]
        print(
            f"  {name:<24} {median(seconds):6.1f} s ({min(seconds):.1f} to {max(seconds):.1f}), "
            f"{_ratio(found, name, 'plain loop'):.3f} of the plain loop"
        )


def _ratio(found: Mapping[str, Sequence[tuple[float, Any]]], name: str, to: str) -> float:
    return median(run[0] / base[0] for run, base in zip(found[name], found[to], strict=True))


def _agree(found: Mapping[str, Sequence[tuple[float, dict[str, float]]]], name: str) -> bool:
    """Whether the mean difference to the plain loop, over the cells, cannot be told from 0."""
    loop, sweep = found["plain loop"][0][1], found[name][0][1]
    differences = [100 * (sweep[cell] - loop[cell]) for cell in loop]
    number = len(differences)
    half = float(stdtrit(number - 1, 0.975)) * stdev(differences) / number**0.5
    mean = fmean(differences)
    print(
        f"accuracy: plain loop {100 * fmean(loop.values()):.2f} %, "
        f"{name} {100 * fmean(sweep.values()):.2f} %, "
        f"difference {mean:+.2f} pp [{mean - half:+.2f}, {mean + half:+.2f}] over {number} cells"
    )
    return abs(mean) <= half


def _chosen(place: Path) -> str:
    """What the machine chooses for this experiment, as YAML."""
    (place / "auto.yaml").write_text(EXPERIMENT.replace("seeds: 3", "seeds: 1") % AUTO)
    _sweep(place, name="auto")
    choices = json.loads((place / "results/auto/manifest.json").read_text())["choices"]
    return "".join(f", {c['key']}: {str(c['value']).lower()}" for c in choices)


def _sweep(place: Path, name: str = "reference") -> tuple[float, dict[str, float]]:
    """Seconds from the start to the last cell, and the accuracy of each."""
    shutil.rmtree(place / "results" / name, ignore_errors=True)
    command = [sys.executable, "-u", "-m", "msanet_bench", "sweep", f"{name}.yaml", "--workers", str(WORKERS)]
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ended = began
        for line in process.stdout:
            if line.startswith("["):
                ended = time.perf_counter()
    assert process.returncode == 0
    records = [
        json.loads(line) for line in (place / f"results/{name}/records.jsonl").read_text().splitlines()
    ]
    accuracy = {f"{r['variant']} {r['seed']}": r["measures"]["accuracy"]["value"] for r in records}
    return ended - began, accuracy


def _script(way: str, place: Path, *, threads: int | None) -> tuple[float, dict[str, float]]:
    """Seconds of another process of this file, and the accuracies that it prints."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    if threads is not None:
        environment["OMP_NUM_THREADS"] = str(threads)
    command = [sys.executable, PLAIN_LOOP, way, "plain.yaml"]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - began
    lines = (line.rsplit(" ", 1) for line in done.stdout.splitlines())
    return seconds, {cell: float(value) for cell, value in lines}


if __name__ == "__main__":
    sys.exit(0 if main(int(sys.argv[1]) if sys.argv[1:] else 3) else 1)
