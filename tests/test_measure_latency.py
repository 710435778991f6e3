import gc
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from msanet_bench.measure.device import DeviceName
from msanet_bench.measure.latency import forward_call, interleaved_session
from msanet_bench.measure.samples import Sample


class FakeDevice:
    """Takes the call's word for how long it took."""

    name: DeviceName = "cpu"
    threads = 3

    def __init__(self) -> None:
        self.clock_ns = 0

    def now_ns(self) -> int:
        return self.clock_ns

    def time_call(self, call: Callable[[], object]) -> float:
        seconds = call()
        assert isinstance(seconds, float)
        self.clock_ns += round(seconds * 1e9)
        return seconds


def session(rounds: int = 6, seed: int = 0, **seconds: float) -> list[Sample]:
    models = {name: lambda value=value: value for name, value in seconds.items()}
    return interleaved_session(models, FakeDevice(), rounds=rounds, seed=seed)


def measured(samples: list[Sample]) -> list[Sample]:
    return [sample for sample in samples if sample.phase == "measure"]


def test_every_round_calls_every_variant_once() -> None:
    samples = measured(session(rounds=6, a=0.1, b=0.2, c=0.3))
    for number in range(6):
        visits = [sample for sample in samples if sample.round == number]
        assert sorted(sample.variant for sample in visits) == ["a", "b", "c"]
        assert [sample.position for sample in visits] == [0, 1, 2]
    assert {(s.variant, s.seconds) for s in samples} == {("a", 0.1), ("b", 0.2), ("c", 0.3)}


def test_the_order_differs_from_round_to_round_and_favours_no_one() -> None:
    samples = measured(session(rounds=300, a=0.1, b=0.1, c=0.1))
    places = Counter((sample.variant, sample.position) for sample in samples)
    assert len(places) == 9
    assert all(60 < count < 140 for count in places.values())


def test_the_seed_decides_the_order() -> None:
    def order(seed: int) -> list[str]:
        return [sample.variant for sample in session(rounds=20, seed=seed, a=0.1, b=0.1, c=0.1)]

    assert order(1) == order(1)
    assert order(1) != order(2)


@pytest.mark.parametrize(("seconds", "calls"), [(0.001, 200), (0.015, 14), (0.1, 10), (0.7, 3), (5.0, 1)])
def test_a_warm_up_is_long_enough_and_not_longer(seconds: float, calls: int) -> None:
    # At least 10 calls and 0.2 s, unless 2 s are spent before that.
    warm_up = [sample for sample in session(a=seconds) if sample.phase == "warmup"]
    assert abs(len(warm_up) - calls) <= 1  # 200 times 0.001 is a little less than 0.2
    assert [sample.round for sample in warm_up] == list(range(len(warm_up)))


def test_all_are_warm_before_the_first_round() -> None:
    phases = [sample.phase for sample in session(a=0.1, b=0.1)]
    assert phases == sorted(phases, reverse=True)


def test_a_sample_tells_its_condition_and_when_it_was_taken() -> None:
    samples = interleaved_session(
        {"a": lambda: 0.5}, FakeDevice(), rounds=2, seed=0, batch=8, precision="bf16"
    )
    last = samples[-1]
    assert (last.device, last.batch, last.precision, last.threads) == ("cpu", 8, "bf16", 3)
    assert (last.mode, last.cache, last.phase, last.round) == ("eager", "warm", "measure", 1)
    assert all(late.start_ns - early.start_ns == 5e8 for early, late in pairwise(samples))


def test_nothing_is_collected_while_calls_are_timed() -> None:
    collecting: set[bool] = set()

    def call() -> float:
        collecting.add(gc.isenabled())
        return 0.1

    assert gc.isenabled()
    interleaved_session({"a": call}, FakeDevice(), rounds=2, seed=0)
    assert collecting == {False}
    assert gc.isenabled()


def test_collection_starts_again_when_a_call_fails() -> None:
    def fail() -> float:
        raise RuntimeError("out of order")

    with pytest.raises(RuntimeError, match="out of order"):
        interleaved_session({"a": fail}, FakeDevice(), rounds=1, seed=0)
    assert gc.isenabled()


class Spy(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        self.images, self.inference = images, torch.is_inference_mode_enabled()
        return images


def test_a_forward_call_sees_the_same_random_images_in_inference_mode() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one, two = Spy(), Spy()
    for spy in (one, two):
        forward_call(spy, (3, 5, 7), batch=2, device=torch.device("cpu"))()
    assert one.images.shape == (2, 3, 5, 7)
    assert torch.equal(one.images, two.images)
    assert 0.5 < one.images.std() < 1.5
    assert one.inference
    assert not one.training
    assert torch.equal(torch.get_rng_state(), before)
