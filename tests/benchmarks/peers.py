"""The 24-cell reference sweep beside the same sweep under other tools, side by side on this machine.

    python tests/benchmarks/peers.py [--rounds N] [--hydra PYTHON]

`peers/` holds the sweep as one writes it for a plain loop, for Optuna, for Hydra's Optuna sweeper and for Ray
Tune; all train the same networks on the same images with `plain_loop.accuracy`. Ray Tune needs `ray[tune]`;
Hydra's sweeper needs an Optuna older than 3, so it has a Python of its own with `hydra-optuna-sweeper` (1.3.0
was used) and torch, named by `--hydra`. What is not installed is left out, and said.

Printed for each, medians over rounds: seconds from the start to the end of the program, for ours to the last
cell; seconds a cell beyond the plain loop, below 0 where two trials run at a time; the lines that a user
writes, without blank lines and comments; and what happens when everything is killed after half of the cells
and the same command is given again: how many finished cells are trained once more, and how many are missing
then. The sweeps that are killed train one epoch, since nothing of them is timed.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from sweep import EXPERIMENT

HERE = Path(__file__).parent
FILE = "plain.yaml"
WHOLE = EXPERIMENT % ""
BRIEF = WHOLE.replace("epochs: 3", "epochs: 1")
CELLS = 24
TOO_LONG = 900


@dataclass(frozen=True)
class Peer:
    """A way to run the sweep.

    Attributes:
        program: What is run, after the interpreter.
        written: The files that a user writes.
        workers: How many trials run at a time.
    """

    name: str
    python: str
    program: tuple[str, ...]
    written: tuple[Path, ...]
    workers: int


@dataclass(frozen=True)
class Outcome:
    """What was seen of a peer; `again` and `missing` after it was killed and started again."""

    seconds: float
    again: int
    missing: int


def main(rounds: int, hydra: str | None) -> None:
    with TemporaryDirectory() as folder:
        experiment = Path(folder) / FILE
        experiment.write_text(WHOLE)
        peers = list(_peers(hydra, experiment))
        found: dict[str, list[Outcome]] = {peer.name: [] for peer in peers}
        for number in range(rounds):
            for place, peer in enumerate(peers):
                found[peer.name].append(_measure(peer, Path(folder) / f"{number}-{place}"))
                print(f"  {peer.name}: {found[peer.name][-1]}", file=sys.stderr, flush=True)
        _print(peers, found)


def _peers(hydra: str | None, experiment: Path) -> Iterator[Peer]:
    def peer(name: str, *files: str, python: str = sys.executable, workers: int = 1) -> Peer:
        written = tuple(HERE / "peers" / file for file in files)
        return Peer(name, python, (str(written[0]),), (*written, HERE / "peers" / "counted.py"), workers)

    yield peer("plain loop", "loop.py")
    yield peer("Optuna, SQLite", "optuna_study.py")
    if hydra is not None:
        yield peer("Hydra's Optuna sweeper", "hydra_sweep.py", "hydra_sweep.yaml", python=hydra)
    else:
        print("Hydra's Optuna sweeper is left out: name a Python that has it by --hydra")
    if find_spec("ray") is not None:
        yield peer("Ray Tune", "ray_tune.py", workers=2)
    else:
        print("Ray Tune is left out: pip install 'ray[tune]'")
    command = ("-u", "-m", "msanet_bench", "sweep", "--workers", "2", FILE)
    yield Peer("msanet-bench", sys.executable, command, (experiment,), workers=2)


def _measure(peer: Peer, home: Path) -> Outcome:
    whole, broken = home / "whole", home / "broken"
    for folder, text in ((whole, WHOLE), (broken, BRIEF)):
        folder.mkdir(parents=True)
        (folder / FILE).write_text(text)
    seconds = _run(peer, whole)
    _kill_half_way(peer, broken)
    _run(peer, broken)
    finished = _finished(broken)
    distinct = len(set(finished))
    return Outcome(seconds, len(finished) - distinct, CELLS - distinct)


def _start(peer: Peer, home: Path) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    if peer.workers > 1:
        environment["OMP_NUM_THREADS"] = "1"
    environment |= {"PEERS_EXPERIMENT": str(home / FILE), "PEERS_FINISHED": str(home / "finished.txt")}
    environment["PYTHONPATH"] = os.pathsep.join((str(HERE), str(HERE.parents[1])))
    return subprocess.Popen(
        [peer.python, *peer.program],
        cwd=home,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _run(peer: Peer, home: Path) -> float:
    """Seconds to the end of the program; ours times and reports after its last cell, which ends the count."""
    began = ended = time.perf_counter()
    lines = []
    with _start(peer, home) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if line.startswith("["):
                ended = time.perf_counter()
    if process.returncode != 0:
        raise RuntimeError(f"{peer.name} ended with {process.returncode}:\n{''.join(lines[-30:])}")
    return (ended if peer.name == "msanet-bench" else time.perf_counter()) - began


def _kill_half_way(peer: Peer, home: Path) -> None:
    with _start(peer, home) as process:
        until = time.monotonic() + TOO_LONG
        while len(_finished(home)) < CELLS // 2:
            assert time.monotonic() < until, f"{peer.name} does not come to half of its cells"
            assert process.poll() is None, f"{peer.name} ended before it could be killed"
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
    time.sleep(2)  # what it had started ends too


def _finished(home: Path) -> Sequence[str]:
    """The cells whose training came to its end, those that came twice twice."""
    ours = home / "results" / "plain" / "journal.jsonl"
    if ours.exists():
        lines = ours.read_text(encoding="utf-8").splitlines(keepends=True)
        return [json.loads(line)["record"]["key"] for line in lines if line.endswith("\n")]
    log = home / "finished.txt"
    return [line.split(" ", 1)[0] for line in log.read_text().splitlines()] if log.exists() else []


def _print(peers: Sequence[Peer], found: Mapping[str, Sequence[Outcome]]) -> None:
    base = [outcome.seconds for outcome in found["plain loop"]]
    print(
        "| | wall, s | of the plain loop | beyond it, s a cell | lines written "
        "| finished cells trained again | cells missing |"
    )
    print("| :-- | --: | --: | --: | --: | --: | --: |")
    for peer in peers:
        outcomes = found[peer.name]
        pairs = [(outcome.seconds, loop) for outcome, loop in zip(outcomes, base, strict=True)]
        ratio = median(seconds / loop for seconds, loop in pairs)
        beyond = median((seconds - loop) / CELLS for seconds, loop in pairs)
        print(
            f"| {peer.name} | {median(outcome.seconds for outcome in outcomes):.1f} | {ratio:.2f} "
            f"| {beyond:+.2f} "
            f"| {sum(map(_lines, peer.written))} | {max(outcome.again for outcome in outcomes)} "
            f"| {max(outcome.missing for outcome in outcomes)} |"
        )


def _lines(file: Path) -> int:
    """Lines of code; training itself is the same for all peers and counted for none."""
    inside_docstring = False
    number = 0
    for line in map(str.strip, file.read_text(encoding="utf-8").splitlines()):
        quotes = line.count('"""')
        if not inside_docstring and quotes == 0 and line and not line.startswith("#"):
            number += 1
        inside_docstring ^= quotes == 1
    return number


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--hydra", help="a Python with hydra-optuna-sweeper and torch")
    chosen = parser.parse_args()
    main(chosen.rounds, chosen.hydra)
