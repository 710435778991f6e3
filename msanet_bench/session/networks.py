"""Who is timed: every variant in every mode, the anchor first, twins last; and how each is made ready."""

import copy
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch._dynamo import config as dynamo_config
from torch._dynamo.exc import FailOnRecompileLimitHit, TorchDynamoException

from msanet_bench.checks import CheckedPlan
from msanet_bench.checks.shapes import start_variant
from msanet_bench.measure.device import Call, CaptureError, Device
from msanet_bench.measure.samples import Condition, Contender, Role
from msanet_bench.measure.window import Clock
from msanet_bench.model.fused import fuse
from msanet_bench.session.local import Local, made_ready, memory_refused
from msanet_bench.session.precision import autocast
from msanet_bench.session.recorder import Entrant, Refused
from msanet_bench.session.rules import Rules
from msanet_bench.spec import LatencyCache, LatencyMode, LatencyPrecision
from msanet_bench.streams import derive_seed

SEED = 0
HEAD, BASE = "head", "base"

_COMPILED_CALLS = 3


@dataclass(frozen=True, slots=True)
class Network:
    """One variant of one side, and what it is fed."""

    side: str
    variant: str
    build: Callable[[], nn.Module]
    image: tuple[int, int, int]
    channels_last: bool

    def contender(self, mode: LatencyMode, role: Role = "variant") -> Contender:
        layout = "channels_last" if self.channels_last else "contiguous"
        return Contender(self.side, self.variant, role, mode, layout)


@dataclass(frozen=True, slots=True)
class Bench:
    """Where and under what networks are made ready.

    Attributes:
        compile_seconds: How long each network took to compile, written as it happens.
    """

    device: Device
    where: torch.device
    rules: Rules
    batch: int
    precision: LatencyPrecision
    cache: LatencyCache
    compile_seconds: dict[str, float]

    @property
    def condition(self) -> Condition:
        return Condition(self.device.name, self.batch, self.precision, self.cache, self.device.threads)


def networks_of(plan: CheckedPlan, side: str = HEAD) -> list[Network]:
    """The variants of a plan, baseline first, from one start."""

    def build(number: int) -> nn.Module:
        variant = plan.variants[number]
        return start_variant(variant, plan.shapes[variant.name], SEED)

    return [
        Network(
            side,
            variant.name,
            partial(build, number),
            plan.shapes[variant.name].image,
            variant.settings.train.channels_last,
        )
        for number, variant in enumerate(plan.variants)
    ]


def contenders(networks: Sequence[Network], modes: Sequence[LatencyMode]) -> tuple[Contender, ...]:
    """Everybody, the anchor first."""
    return tuple(network.contender(mode, role) for network, mode, role in _roles(networks, modes))


def entrants(networks: Sequence[Network], modes: Sequence[LatencyMode], bench: Bench) -> list[Entrant]:
    """The same with what makes each ready."""
    return [
        Entrant(network.contender(mode, role), partial(_load, network, mode, bench))
        for network, mode, role in _roles(networks, modes)
    ]


def _roles(
    networks: Sequence[Network], modes: Sequence[LatencyMode]
) -> Iterator[tuple[Network, LatencyMode, Role]]:
    """The first network in the first mode is the anchor; it and the last network have a twin each.

    Eager calls come first where they are asked for: every device has them.
    """
    first, *others = sorted(dict.fromkeys(modes), key=lambda mode: mode != "eager")
    for mode in (first, *others):
        for network in networks:
            is_anchor = network is networks[0] and mode == first
            yield network, mode, "anchor" if is_anchor else "variant"
    for network in dict.fromkeys((networks[0], networks[-1])):
        yield network, first, "twin"


def _load(network: Network, mode: LatencyMode, bench: Bench) -> Local:
    """A network on its device, warm enough that its calls resemble each other.

    Raises:
        Refused: there is no such mode on the device, it does not fit there, or cannot be made.
    """
    if mode == "cuda_graph" and bench.device.name != "cuda":
        raise Refused("not measured (cuda_graph is a mode of CUDA devices)")
    try:
        with memory_refused():
            return _made(network, mode, bench)
    except (TorchDynamoException, FailOnRecompileLimitHit) as error:
        raise Refused(f"not measured (compile: {_first_line(error)})") from error


def _made(network: Network, mode: LatencyMode, bench: Bench) -> Local:
    model, images = _placed(network, bench)
    if mode == "fused":
        model = _fused(model, images[:2])  # two images tell whether it is the same network
    ready = partial(made_ready, bench.device, rules=bench.rules, cache=bench.cache)
    if mode == "compile":
        return ready(_compiled(network, model, images, bench), clock="host")
    if mode == "cuda_graph":
        call, clock = _captured(forward_call(model, images, bench.precision), bench)
        return ready(call, clock=clock)
    place = partial(_copied_call, model, images, bench.precision)
    # on CUDA networks stay: nobody has measured what moving them does to caches and autotuners there
    return ready(place(), clock="host", place=place if bench.device.name == "cpu" else None)


def _copied_call(model: nn.Module, images: Tensor, precision: LatencyPrecision) -> Call:
    return forward_call(copy.deepcopy(model), images.clone(), precision)


def _placed(network: Network, bench: Bench) -> tuple[nn.Module, Tensor]:
    """The network and seeded random images; zeros cost less power, so a device may run them faster."""
    source = torch.Generator().manual_seed(derive_seed(SEED, "latency images"))
    images = torch.randn(bench.batch, *network.image, generator=source)
    layout = torch.channels_last if network.channels_last else torch.contiguous_format
    model = network.build().eval().to(bench.where)
    model.to(memory_format=layout)
    return model, images.to(bench.where).contiguous(memory_format=layout)


def forward_call(
    model: Callable[[Tensor], object], images: Tensor, precision: LatencyPrecision = "fp32_strict"
) -> Call:
    """One forward pass in inference mode, on images that lie ready."""
    plain = precision in {"fp32_strict", "tf32"}

    def call() -> object:
        with torch.inference_mode():
            return model(images)

    def cast_call() -> object:
        with torch.inference_mode(), autocast(precision, images.device):
            return model(images)

    return call if plain else cast_call


def _fused(model: nn.Module, images: Tensor) -> nn.Module:
    try:
        return fuse(model, images)
    except ValueError as error:
        raise Refused(f"not measured (fused: {_first_line(error)})") from error


def _compiled(network: Network, model: nn.Module, images: Tensor, bench: Bench) -> Call:
    """The compiled network; another compilation while it is timed would be an error, not a slow sample."""
    start = time.monotonic()
    # variants share the code of `MSANet.forward`: each has a cache of its own, and no shape is left open
    compile_alone: Any = torch.compile  # its annotations lack the last argument
    compiled = compile_alone(model, dynamic=False, isolate_recompiles=True)
    call = forward_call(compiled, images, bench.precision)
    with torch.compiler.set_stance("default"), dynamo_config.patch(fail_on_recompile_limit_hit=True):
        for _ in range(_COMPILED_CALLS):
            bench.device.run(call)
        bench.device.synchronize()
    bench.compile_seconds.setdefault(f"{network.side} {network.variant}", round(time.monotonic() - start, 3))
    return call


def _captured(call: Call, bench: Bench) -> tuple[Call, Clock]:
    """Device time: by one launch of a graph, or else by kernels that are queued before they may start."""
    try:
        return bench.device.capture(call), "graph"
    except CaptureError:
        return call, "queue_ahead"


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
