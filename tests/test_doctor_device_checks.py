"""Each check on a simulated device for which it holds, and on a twin with the flaw that it is there for."""

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import torch

from msanet_bench.doctor import noise, timing_checks
from msanet_bench.doctor.device_checks import (
    CHECKS,
    a_graph_gives_what_eager_gives,
    plain_text,
    run_check,
    telemetry_is_read_and_understood,
    the_peak_holds_weights_and_images,
    twins_tie,
)
from msanet_bench.doctor.examination import Check
from msanet_bench.doctor.loads import Load, placed, saturating_batch
from msanet_bench.doctor.timing_checks import (
    cold_is_not_faster_than_warm,
    events_agree_with_the_clock,
    the_loop_agrees_with_triton,
    twice_the_batch_takes_twice_as_long,
)
from msanet_bench.doctor.words import NUM_CHECKS
from msanet_bench.measure.device import Call
from msanet_bench.measure.telemetry import Telemetry
from msanet_bench.session.local import Local
from msanet_bench.session.networks import entrants
from msanet_bench.session.recorder import Entrant
from msanet_bench.session.run import Place, places
from msanet_bench.spec import BlockSpec, ModelSpec
from simulated import BUSY, Simulated, by_image, place

TINY = Load(ModelSpec(stem=BlockSpec(block="small"), width=0.125, depth=(1,)), (1, 8, 8))
BATCH = 32


@pytest.mark.cuda
@pytest.mark.parametrize("name", CHECKS)
def test_the_check_holds_on_a_device(name: str) -> None:
    check = run_check(name, places()[-1])
    assert check.passed is not False, check


def test_there_are_as_many_checks_as_is_said() -> None:
    assert len(CHECKS) == NUM_CHECKS == 8


def fine(check: Check) -> bool:
    assert check.value is not None
    assert check.limit is not None
    return check.passed is True


def test_a_busy_device_is_found_by_the_share_of_the_launch() -> None:
    # 0.5 ms an image: with 32 images a call takes 16 ms, and a quarter of it and the launch is 16 / 3 ms
    assert saturating_batch(place(launch=5.2e-3), TINY) == 32
    assert saturating_batch(place(launch=5.5e-3), TINY) == 64
    assert saturating_batch(place(launch=1.0), TINY) is None


@pytest.mark.parametrize(
    ("scale", "off", "passed"), [(1.0, 0.0, True), (0.98, 0.02, True), (0.95, 0.05, False)]
)
def test_events_are_held_to_the_hosts_clock(scale: float, off: float, passed: bool) -> None:  # noqa: FBT001 - a case
    check = events_agree_with_the_clock(place(event_scale=scale), TINY)
    assert check.value == pytest.approx(off, abs=1e-3)
    assert fine(check) is passed


def test_events_are_not_judged_where_the_host_sets_the_pace() -> None:
    check = events_agree_with_the_clock(place(launch=1.0), TINY)
    assert (check.passed, check.value) == (None, None)
    assert "up to a batch of 512" in check.detail


def test_a_graph_that_computes_passes() -> None:
    check = a_graph_gives_what_eager_gives(place(), TINY)
    assert fine(check)
    assert check.value == 0.0


def test_a_graph_that_keeps_its_first_output_fails() -> None:
    check = a_graph_gives_what_eager_gives(place(stale=True), TINY)
    assert not fine(check)


def test_a_graph_that_cannot_be_captured_fails_with_the_reason() -> None:
    check = a_graph_gives_what_eager_gives(place(captures=False), TINY)
    assert check.passed is False
    assert check.detail == "not captured (operation not permitted when stream is capturing)"


@pytest.mark.parametrize("cold", [1.5, 1.0, 0.8])
def test_cold_caches_do_not_make_a_call_faster(cold: float) -> None:
    check = cold_is_not_faster_than_warm(place(cold=cold, cost=lambda _: 1e-4))
    assert check.value == pytest.approx(cold)
    # 1.0 is the boundary, where rounding decides
    assert cold == 1.0 or fine(check) is (cold > 1)


@pytest.mark.parametrize(
    ("cost", "off", "passed"),
    [
        (by_image, 0.0, True),
        # a fixed part of 10 %: 1.1 and 2.1 units, so 2.1 / 2.2
        (lambda output: by_image(output) + 0.1 * 5e-4 * BATCH, 1 - 2.1 / 2.2, True),
        # a device that is not filled: 1.5 and 2.5 units
        (lambda output: by_image(output) + 0.5 * 5e-4 * BATCH, 1 - 2.5 / 3.0, False),
    ],
)
def test_twice_the_batch_is_twice_the_work(cost: Callable[[object], float], off: float, passed: bool) -> None:  # noqa: FBT001 - a case
    check = twice_the_batch_takes_twice_as_long(place(cost=cost), TINY)
    assert check.value == pytest.approx(off, abs=1e-4)
    assert fine(check) is passed


def other_loop(where: Place, *, scale: float = 1.0, spread: float = 0.0) -> Callable[[Call], list[float]]:
    """A loop that sees the same time as ours with cold caches, in milliseconds, but for its flaw."""
    device = where.device
    assert isinstance(device, Simulated)
    rounds: list[int] = []

    def bench(_: Call) -> list[float]:
        rounds.append(0)
        unlike = 1 + spread * (-1) ** len(rounds)
        return [1e3 * 5e-4 * BATCH * device.cold * scale * unlike] * 10

    return bench


@pytest.mark.parametrize(("scale", "passed"), [(1.0, True), (1.005, True), (1.03, False), (1e-3, False)])
def test_two_loops_see_the_same_time(scale: float, passed: bool) -> None:  # noqa: FBT001 - a case
    where = place()
    check = the_loop_agrees_with_triton(where, TINY, other_loop(where, scale=scale))
    assert check.value == pytest.approx(abs(1 / scale - 1), rel=1e-2, abs=1e-4)
    assert fine(check) is passed


def test_two_loops_that_differ_less_than_they_vary_agree() -> None:
    where = place()
    assert fine(the_loop_agrees_with_triton(where, TINY, other_loop(where, scale=1.015, spread=0.02)))


def test_a_loop_that_varies_too_much_is_not_judged() -> None:
    where = place()
    check = the_loop_agrees_with_triton(where, TINY, other_loop(where, spread=0.3))
    assert check.passed is None
    assert "too wide" in check.detail


def test_without_triton_nothing_is_said_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "triton.testing", None)
    check = the_loop_agrees_with_triton(place(), TINY)
    assert (check.passed, check.detail) == (None, "not tried: triton is not installed")


def test_tritons_loop_is_asked_for_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    testing = pytest.importorskip("triton.testing")
    asked = []
    monkeypatch.setattr(
        testing, "do_bench", lambda call, **options: asked.append((call(), options)) or [24.0]
    )
    bench = timing_checks._do_bench()
    assert bench is not None
    assert bench(lambda: "called") == [24.0]
    assert asked == [("called", {"return_mode": "all"})]


class Counted:
    """An allocator that knows of the first `before` bytes and of a peak."""

    def __init__(self, before: int, peak: int) -> None:
        self.before, self.peak = before, peak

    def synchronize(self) -> None: ...

    def empty_cache(self) -> None: ...

    def reset_peak(self) -> None: ...

    def allocated(self) -> int:
        return self.before

    def peak_allocated(self) -> int:
        return self.peak

    def peak_reserved(self) -> int:
        return self.peak


def test_a_peak_is_at_least_weights_and_images() -> None:
    model, _ = placed(TINY, 8, torch.device("cpu"))
    # state_dict: parameters and buffers, the counters of the norms, which are 8 bytes, among them
    held = sum(tensor.nbytes for tensor in model.state_dict().values()) + 8 * 1 * 8 * 8 * 4
    enough, short = (
        the_peak_holds_weights_and_images(place(), TINY, Counted(1000, peak))
        for peak in (1000 + held, 999 + held)
    )
    assert (enough.value, enough.limit) == (held, held)
    assert fine(enough)
    assert not fine(short)


def test_without_a_device_there_is_no_peak() -> None:
    check = the_peak_holds_weights_and_images(place(), TINY)
    assert (check.passed, check.detail) == (None, "not measured (no CUDA device)")


NOTHING = Telemetry(None, None, None, None, None, 2400.0, 3, 0, 1.0)


@pytest.mark.parametrize(
    ("state", "passed", "detail"),
    [
        (BUSY, True, "values of 5 kinds; reasons for the clock: none"),
        (
            Telemetry(900, None, 80, None, 0x44, None, 0, 0, None),
            True,
            "values of 3 kinds; reasons for the clock: power cap, thermal slowdown by hardware",
        ),
        (
            Telemetry(900, 2619, 80, 1.0, 0x1000, None, 0, 0, None),
            False,
            "values of 5 kinds; reasons for the clock: unknown 0x1000",
        ),
        (NOTHING, False, "the device tells nothing (no reason known)"),
        (
            Telemetry(900, None, None, None, None, None, 0, 0, None),
            None,
            "not tried: the device tells no reasons for its clock",
        ),
    ],
)
def test_telemetry_is_read_and_decoded(state: Telemetry, passed: bool | None, detail: str) -> None:  # noqa: FBT001 - a case
    check = telemetry_is_read_and_understood(place(state=state))
    assert (check.passed, check.detail) == (passed, detail)


def by_a_percent(number: int) -> float:
    """Calls vary by up to 1 % in a way that knows no network."""
    return 1 + 1e-3 * (number * 7 % 11)


def test_twins_of_a_steady_device_tie() -> None:
    check = twins_tie(place(jitter=by_a_percent), TINY, seconds=2.0)
    assert fine(check), check
    assert check.value == 0.0


def test_a_twin_that_takes_longer_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a session would show that favours all names but the first."""

    def slow(load: Callable[[], Local]) -> Local:
        ready = load()
        # two images' worth of work where the others have one
        return replace(ready, call=lambda: torch.cat([ready.call(), ready.call()]), place=None)

    def with_a_slow_one(*arguments: object) -> list[Entrant]:
        first, *others = entrants(*arguments)
        return [first._replace(load=partial(slow, first.load)), *others]

    monkeypatch.setattr(noise, "entrants", with_a_slow_one)
    check = twins_tie(place(jitter=by_a_percent), TINY, seconds=2.0)
    assert not fine(check)
    # of the five pairs that it is in, a median of few super-rounds may miss one
    assert check.value is not None
    assert 4 <= check.value <= 5


def test_one_super_round_is_no_trial_of_twins() -> None:
    check = twins_tie(place(), TINY, seconds=1e-9)
    assert (check.passed, check.detail) == (None, "not tried: one super-round gives no interval")


@pytest.mark.parametrize(
    ("error", "passed", "detail"),
    [
        (torch.OutOfMemoryError("no room"), None, "not tried: the device is out of memory"),
        (
            RuntimeError("CUDA error: misaligned address in /home/someone/kernel.cu:7\nand more"),
            False,
            "RuntimeError: CUDA error: misaligned address in (a path)",
        ),
    ],
)
def test_a_device_that_breaks_is_a_result(
    error: Exception,
    passed: bool | None,  # noqa: FBT001 - a case
    detail: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(_: Place) -> Check:
        raise error

    monkeypatch.setitem(CHECKS, "cold", broken)
    assert run_check("cold", place()) == Check("cold", passed, None, None, detail)


def test_a_defect_of_a_check_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Place) -> Check:
        raise ZeroDivisionError

    monkeypatch.setitem(CHECKS, "cold", broken)
    with pytest.raises(ZeroDivisionError):
        run_check("cold", place())


def test_the_name_of_a_check_is_that_of_its_result() -> None:
    quick = ("cold", "peak", "telemetry", "graph")
    assert [run_check(name, place()).name for name in quick] == list(quick)


def test_a_path_is_no_plain_text() -> None:
    assert plain_text("") == ""
    assert plain_text(r"no such file: C:\users\me and ./x") == "no such file: (a path) and (a path)"
    assert plain_text("NVML Shared Library Not Found") == "NVML Shared Library Not Found"
