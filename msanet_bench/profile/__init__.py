"""What every variant's network costs, whatever the seed: counted once for all that share a network."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import torch

from msanet_bench.checks import CheckedPlan
from msanet_bench.checks.shapes import ImageShape
from msanet_bench.errors import BenchError
from msanet_bench.executors import PRELOAD, Limits, LocalExecutor, WorkerDied
from msanet_bench.executors.limits import UNLIMITED
from msanet_bench.plan import Variant
from msanet_bench.plugins import load_entry_points, load_plugins
from msanet_bench.profile.costs import Costs, costs_of
from msanet_bench.records import replace_text
from msanet_bench.violations import suggestion

SCHEMA = 1

Profile: TypeAlias = Mapping[str, Costs]
# what costs depend on: the model, its images, and how many are trained on at once
Network: TypeAlias = tuple[str, ImageShape, int]


def profile_variants(
    plan: CheckedPlan,
    *,
    plugins: Sequence[str] = (),
    plugin_folder: Path = Path(),
    workers: int | None = None,
    limits: Limits = UNLIMITED,
) -> Profile:
    """The costs of every variant of a plan, in its order; variants of one network and batch share theirs.

    Counted in child processes, one a core: blocks are anybody's code, and one that kills its process in
    training, or breaks the limits there, is to be counted all the same, without the memory of a step of
    training.

    Raises:
        BenchError: a network kills its process even so.
    """
    names = {variant.name: network_of(variant, plan.shapes[variant.name]) for variant in plan.variants}
    tasks: dict[Network, _Task] = {}
    for variant in plan.variants:
        tasks.setdefault(names[variant.name], _Task(variant, plan.shapes[variant.name]))
    number = min(workers or len(os.sched_getaffinity(0)), len(tasks))
    with _counters(plugins, plugin_folder, number, limits) as counters:
        futures = [counters.first.submit(task) for task in tasks.values()]
        answers = [_answer(counters.again, *asked) for asked in zip(tasks.values(), futures, strict=True)]
    costs = dict(zip(tasks, answers, strict=True))
    return {name: costs[network] for name, network in names.items()}


@contextmanager
def counting(
    plugins: Sequence[str], plugin_folder: Path, limits: Limits = UNLIMITED
) -> Iterator[Callable[[Variant, ImageShape], Costs]]:
    """Counts one network after the other in a child process, as a search asks for them.

    What it gives raises BenchError for a network that kills its process.
    """
    known: dict[Network, Costs] = {}
    with _counters(plugins, plugin_folder, 1, limits) as counters:

        def count(variant: Variant, shape: ImageShape) -> Costs:
            network = network_of(variant, shape)
            if network not in known:
                task = _Task(variant, shape)
                known[network] = _answer(counters.again, task, counters.first.submit(task))
            return known[network]

        yield count


def network_of(variant: Variant, shape: ImageShape) -> Network:
    return variant.settings.model.model_dump_json(), shape, variant.settings.train.batch_size


def only_variant(plan: CheckedPlan, name: str) -> CheckedPlan:
    """The plan with one of its variants.

    Raises:
        BenchError: the plan has no such variant, or trains it under another name.
    """
    for variant in plan.variants:
        if name in plan.merged[variant.name]:
            raise BenchError(f"variant `{name}` is the same network as `{variant.name}`: ask for that.")
        if name == variant.name:
            return replace(plan, variants=(variant,))
    names = [variant.name for variant in plan.variants]
    raise BenchError(f"no variant `{name}`. {suggestion(name, names)}")


def profile_json(profile: Profile) -> dict[str, Any]:
    """What `profile.json` holds."""
    return {"schema": SCHEMA, "variants": {name: costs.to_json() for name, costs in profile.items()}}


def profile_text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_profile(results: Path, code: str) -> Mapping[str, Any]:
    """What `profile.json` says of each variant; empty if it was counted by other code or cannot be read."""
    try:
        content = json.loads((results / "profile.json").read_text(encoding="utf-8"))
        variants: Mapping[str, Any] = content["variants"] if content["code"] == code else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # it is made again
    return variants


def write_profile(results: Path, profile: Profile) -> None:
    replace_text(results / "profile.json", profile_text(profile_json(profile)))


class _Task(NamedTuple):
    """A network to count; `no_training` says why nothing of it is to run in training mode, if so."""

    variant: Variant
    shape: ImageShape
    no_training: str = ""


class _Counters(NamedTuple):
    """Who counts a network first, within limits, and who counts it again without a step of training."""

    first: LocalExecutor[_Task, Costs]
    again: LocalExecutor[_Task, Costs]


@contextmanager
def _counters(
    plugins: Sequence[str], plugin_folder: Path, number: int, limits: Limits
) -> Iterator[_Counters]:
    start = partial(_start, tuple(plugins), plugin_folder.resolve())
    counters = _Counters(_executor(start, number, limits), _executor(start, 1, UNLIMITED))
    try:
        yield counters
    except BaseException:
        for executor in counters:
            executor.cancel()
        raise
    finally:
        for executor in counters:
            executor.close()


def _executor(start: Callable[[], None], number: int, limits: Limits) -> LocalExecutor[_Task, Costs]:
    slots: list[dict[str, str]] = [{}] * number
    return LocalExecutor(_costs, slots=slots, start=start, is_well=_is_well, preload=PRELOAD, limits=limits)


def _costs(task: _Task) -> Costs:
    return costs_of(task.variant, task.shape, no_training=task.no_training)


def _start(plugins: Sequence[str], plugin_folder: Path) -> None:
    torch.set_num_threads(1)
    load_entry_points()
    load_plugins(plugins, plugin_folder)


def _is_well(_: Costs) -> bool:
    return True


def _answer(again: LocalExecutor[_Task, Costs], task: _Task, future: Future[Costs]) -> Costs:
    try:
        return future.result()
    except WorkerDied as error:
        untrained = task._replace(no_training=str(error))
    try:
        return again.submit(untrained).result()
    except WorkerDied as error:
        message = f"variant `{task.variant.name}`: its network cannot be counted ({error})."
        raise BenchError(message) from error
