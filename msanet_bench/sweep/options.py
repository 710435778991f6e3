"""What of a sweep is no part of the experiment: where, on what, how often, until when."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from msanet_bench.errors import BenchError
from msanet_bench.executors.limits import UNLIMITED, Limits
from msanet_bench.shard import Shard
from msanet_bench.units import parse_bytes, parse_duration

Retry: TypeAlias = Literal["failed", "oom", "diverged"]
OtherCode: TypeAlias = Literal["accept", "train again"]
ExecutorName: TypeAlias = Literal["local", "ray"]


@dataclass(frozen=True, slots=True)
class SweepOptions:
    """Where a sweep reads and writes and how much of the machine it takes; nothing here changes a number.

    Attributes:
        workers: Training processes of one thread; None takes one a core, or one a CUDA device.
        devices: `auto`, `cpu`, or CUDA devices by number or UUID with commas between.
        executor: Where cells run: in children of this process, or on a Ray cluster.
        ray_address: Of the cluster; None takes RAY_ADDRESS, else starts Ray on this machine.
        retry: Cells that ended so are trained again.
        max_attempts: How often a cell is tried while its process dies, in this run and those before; an
            error of its own is not tried again, since it would come again.
        max_failures: No further cell is begun after more cells than this were not ok; None begins all.
        deadline: No cell is begun that would not end by then; in seconds since the epoch.
        limits: What a cell may take before its process is killed.
        shard: Which share of the seeds is trained here; None trains all. A shard is not timed, since others
            may still be training on its machine.
        variants: Names with commas between: only these are trained now; None trains all.
        add_seeds: How many seeds beyond those of the file those variants have; None keeps what they have.
        other_code: What becomes of cells that other code trained; None stops and asks.
        storage: The URL of Optuna's storage, which may hold a password; None is a file in `results`.
    """

    results: Path
    data_root: Path = Path("data")
    plugin_folder: Path = Path()
    workers: int | None = None
    devices: str = "auto"
    executor: ExecutorName = "local"
    ray_address: str | None = None
    retry: frozenset[Retry] = frozenset()
    max_attempts: int = 1
    max_failures: int | None = None
    deadline: float | None = None
    limits: Limits = UNLIMITED
    shard: Shard | None = None
    variants: str | None = None
    add_seeds: int | None = None
    other_code: OtherCode | None = None
    storage: str | None = field(default=None, repr=False)


def parse_retry(text: str) -> frozenset[Retry]:
    """`failed,oom` as statuses.

    Raises:
        BenchError: a word is no status that can be tried again.
    """
    words = {word.strip() for word in text.split(",")} - {""}
    known = get_args(Retry)
    if not words <= set(known):
        raise BenchError(f"--retry: must be any of {', '.join(known)}, but got {text!r}.")
    return frozenset(status for status in known if status in words)


def parse_limits(time_limit: str | None, memory_limit: str | None) -> Limits:
    """`2h` and `8GB` as limits; None is no limit.

    Raises:
        BenchError: a text is no duration or size.
    """
    try:
        seconds = None if time_limit is None else parse_duration(time_limit)
    except ValueError as error:
        raise BenchError(f"--time-limit: {error}") from error
    try:
        memory = None if memory_limit is None else parse_bytes(memory_limit)
    except ValueError as error:
        raise BenchError(f"--memory-limit: {error}") from error
    return Limits(seconds, memory)


def parse_other_code(*, accept: bool, rerun: bool) -> OtherCode | None:
    """What `--accept-code` and `--rerun-changed` say.

    Raises:
        BenchError: both are given.
    """
    if accept and rerun:
        raise BenchError("--accept-code and --rerun-changed: must not be given together.")
    return "accept" if accept else "train again" if rerun else None


def parse_deadline(text: str, now: datetime) -> float:
    """The next time that a clock here shows `07:30`, or `2026-11-29T07:30`; in seconds since the epoch.

    Raises:
        BenchError: the text is no time, or lies in the past.
    """
    moment = _moment(text, now)
    if moment is None:
        raise BenchError(f"--deadline: must be a time such as 07:30 or 2031-05-01T07:30, but got {text!r}.")
    if moment <= now:
        raise BenchError(f"--deadline: must lie ahead, but got {text!r}, and it is {now:%Y-%m-%dT%H:%M}.")
    return moment.timestamp()


def _moment(text: str, now: datetime) -> datetime | None:
    if re.fullmatch(r"\d{1,2}:\d{2}", text):
        hours, minutes = map(int, text.split(":"))
        if hours > 23 or minutes > 59:  # noqa: PLR2004 (of a clock)
            return None
        # naive: what the clock shows tomorrow is not 24 hours later where summer time begins or ends
        here = now.astimezone().replace(tzinfo=None)
        today = here.replace(hour=hours, minute=minutes, second=0, microsecond=0)
        moment = today.astimezone()
        return moment if moment > now else (today + timedelta(days=1)).astimezone()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone()
