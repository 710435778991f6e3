from collections.abc import Callable, Iterator
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from msanet_bench.measure.device import Call, CaptureError, CpuDevice, Device
from msanet_bench.model.build import build
from msanet_bench.session.networks import HEAD, Bench, Network, contenders, entrants
from msanet_bench.session.precision import autocast, precision_set, why_not
from msanet_bench.session.recorder import Refused, Timed
from msanet_bench.session.rules import RULES
from msanet_bench.spec import LatencyMode, LatencyPrecision, ModelSpec
from msanet_bench.train.seed import flags_restored
from simulator import FakeDevice

CPU = torch.device("cpu")


class Spy(nn.Module):
    """Remembers what it was called with, and by how many copies."""

    seen: list["Spy"] = []  # noqa: RUF012  # shared by all copies on purpose

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, images: Tensor) -> Tensor:
        self.images, self.inference = images, torch.is_inference_mode_enabled()
        self.seen.append(self)
        self.output = self.conv(images)
        return self.output


@pytest.fixture(autouse=True)
def _nobody_was_seen() -> Iterator[None]:
    Spy.seen = []
    yield
    Spy.seen = []


def bench(device: Device | None = None, precision: LatencyPrecision = "fp32_strict", batch: int = 2) -> Bench:
    return Bench(device or CpuDevice(), CPU, RULES["cpu"], batch, precision, "warm", {})


def network(
    build_it: Callable[[], nn.Module] = Spy, variant: str = "v", *, channels_last: bool = False
) -> Network:
    return Network(HEAD, variant, build_it, (3, 5, 7), channels_last)


def load(mode: LatencyMode = "eager", on: Bench | None = None, **options: object) -> Timed:
    return entrants([network(**options)], [mode], on or bench())[0].load()


def test_a_network_sees_random_images_in_inference_mode() -> None:
    built = Spy()
    before = torch.get_rng_state()
    load(build_it=lambda: built)
    spy = Spy.seen[-1]
    assert spy.images.shape == (2, 3, 5, 7)
    assert 0.5 < spy.images.std() < 1.5
    assert spy.inference
    assert not spy.training
    assert torch.equal(torch.get_rng_state(), before)


def test_all_networks_see_the_same_images() -> None:
    load()
    load()
    assert torch.equal(Spy.seen[0].images, Spy.seen[-1].images)


def test_a_network_that_moves_is_the_same_elsewhere_in_memory() -> None:
    timed = load()
    first = Spy.seen[-1]
    for _ in timed.moved().visit():
        pass
    second = Spy.seen[-1]
    assert second is not first
    assert torch.equal(second.conv.weight, first.conv.weight)
    assert torch.equal(second.images, first.images)
    assert second.conv.weight.data_ptr() != first.conv.weight.data_ptr()


def test_channels_last_lays_out_network_and_images() -> None:
    load(channels_last=True)
    spy = Spy.seen[-1]
    assert spy.images.is_contiguous(memory_format=torch.channels_last)
    assert contenders([network(channels_last=True)], ["eager"])[0].memory_format == "channels_last"


@pytest.mark.parametrize(
    ("precision", "dtype"),
    [("fp32_strict", torch.float32), ("amp_bf16", torch.bfloat16), ("amp_fp16", torch.float16)],
)
def test_a_precision_is_the_one_that_the_network_computes_in(
    precision: LatencyPrecision, dtype: torch.dtype
) -> None:
    load(on=bench(precision=precision))
    assert Spy.seen[-1].output.dtype == dtype


@pytest.mark.parametrize(("precision", "on"), [("fp32_strict", False), ("tf32", True), ("amp_bf16", False)])
def test_convolutions_and_products_have_one_precision(precision: LatencyPrecision, *, on: bool) -> None:
    with flags_restored():
        torch.backends.cudnn.allow_tf32 = True  # as torch comes
        with precision_set(precision, CPU):
            assert torch.backends.cudnn.allow_tf32 == torch.backends.cuda.matmul.allow_tf32 == on
        assert torch.backends.cudnn.allow_tf32


def test_tf32_is_refused_where_it_would_be_float32() -> None:
    assert why_not("tf32", "cpu") == "not measured (tf32 is a format of CUDA devices)"
    assert why_not("tf32", "cuda") is why_not("amp_bf16", "cpu") is None
    assert isinstance(autocast("amp_bf16", CPU), torch.autocast)


def test_the_anchor_comes_first_and_twins_last() -> None:
    networks = [network(variant=name) for name in ("baseline", "b", "c")]
    found = [(who.variant, who.mode, who.role) for who in contenders(networks, ["eager", "fused"])]
    assert found == [
        ("baseline", "eager", "anchor"),
        ("b", "eager", "variant"),
        ("c", "eager", "variant"),
        ("baseline", "fused", "variant"),
        ("b", "fused", "variant"),
        ("c", "fused", "variant"),
        ("baseline", "eager", "twin"),
        ("c", "eager", "twin"),
    ]


def test_eager_calls_come_first_wherever_they_are_asked_for() -> None:
    found = [(who.mode, who.role) for who in contenders([network()], ["cuda_graph", "eager"])]
    assert found == [("eager", "anchor"), ("cuda_graph", "variant"), ("eager", "twin")]


def test_a_fused_network_gives_the_same_output_without_norms() -> None:
    model = build(ModelSpec(width=0.125), num_classes=10).eval()
    article = Network(HEAD, "v", lambda: model, (3, 32, 32), channels_last=False)
    plain, fused = (entrant.load().call() for entrant in entrants([article], ["eager", "fused"], bench())[:2])
    assert torch.allclose(fused, plain, rtol=0, atol=1e-5 * plain.abs().max().item())
    assert not torch.equal(fused, plain)


def test_a_compiled_network_is_timed_without_its_compilation(monkeypatch: pytest.MonkeyPatch) -> None:
    # the graph is found as ever; only the code that C++ would be made of is left out
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    on = bench()
    timed = load("compile", on)
    assert list(on.compile_seconds) == ["head v"]
    assert timed.moved() is timed  # it was compiled where it lies
    longest = max(window.seconds for _, window in timed.visit())
    assert longest < on.compile_seconds["head v"] / 10


def test_graphs_need_a_device_that_has_them() -> None:
    with pytest.raises(Refused, match=r"cuda_graph is a mode of CUDA devices"):
        load("cuda_graph")


class Recording(FakeDevice):
    """Runs nothing: what it is asked to capture cannot run on a simulator."""

    def run(self, _: Call) -> None:
        self.simulator.launch(1e-4)

    def capture(self, call: Call) -> Call:
        if not self.can_capture:
            raise CaptureError(f"no graph for {call}")
        return call


@pytest.mark.parametrize(("can_capture", "clock"), [(True, "graph"), (False, "queue_ahead")])
def test_device_time_is_taken_by_a_graph_or_else_by_queueing_ahead(*, can_capture: bool, clock: str) -> None:
    on = bench(Recording(can_capture=can_capture))
    assert load("cuda_graph", on).clock == clock


def out_of_memory() -> nn.Module:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")


def broken() -> nn.Module:
    raise RuntimeError("shapes do not fit")


def test_out_of_memory_is_an_outcome_and_anything_else_a_defect() -> None:
    with pytest.raises(Refused, match=r"^oom$"):
        load(build_it=out_of_memory)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        load(build_it=broken)
