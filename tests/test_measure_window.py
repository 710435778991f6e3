from collections.abc import Iterator

import pytest

from msanet_bench.measure.device import Call
from msanet_bench.measure.window import Timing, Window, calls_per_window, time_window, warm_up
from simulator import FLUSH_S, LAUNCH_S, FakeDevice, Simulator


def gpu_bound(simulator: Simulator, **options: float) -> Call:
    """60 kernels of 83 us, which the host launches in 0.5 ms and waits 5 ms for."""
    return simulator.network(60, 5e-3 / 60, **options)


def warmed(device: FakeDevice, call: Call, most_seconds: float) -> Iterator[Window]:
    return warm_up(lambda: time_window(device, call, Timing()), most_seconds=most_seconds)


def launch_bound(simulator: Simulator) -> Call:
    """120 kernels of 2.5 us, 0.3 ms of work, for which the host takes 0.96 ms to launch."""
    return simulator.network(120, 0.3e-3 / 120)


def test_a_window_ends_when_the_work_does() -> None:
    device = FakeDevice()
    window = time_window(device, gpu_bound(device.simulator), Timing())
    assert window.seconds == window.host_seconds == pytest.approx(5e-3, rel=0.01)


def test_without_waiting_only_the_launches_would_be_timed() -> None:
    # the classic bug, made by hand: what the test above would show
    device = FakeDevice()
    start = device.simulator.host_s
    device.run(gpu_bound(device.simulator))
    assert device.simulator.host_s - start == pytest.approx(60 * LAUNCH_S)


@pytest.mark.parametrize("clock", ["host", "graph"])
def test_work_that_was_queued_before_is_not_counted(clock: str) -> None:
    device = FakeDevice()
    call = gpu_bound(device.simulator)
    device.simulator.launch(1.0)
    assert time_window(device, call, Timing(clock)).seconds == pytest.approx(5e-3, rel=0.01)


def test_events_around_a_launch_bound_call_tell_the_launches() -> None:
    device = FakeDevice()
    assert time_window(device, launch_bound(device.simulator), Timing("graph")).seconds == pytest.approx(
        120 * LAUNCH_S, rel=0.01
    )


@pytest.mark.parametrize("clock", ["graph", "queue_ahead"])
def test_device_time_is_that_of_the_work_alone(clock: str) -> None:
    device = FakeDevice()
    call = launch_bound(device.simulator)
    if clock == "graph":
        call = device.capture(call)
    window = time_window(device, call, Timing(clock, launch_seconds=120 * LAUNCH_S))
    assert window.seconds == pytest.approx(0.3e-3, rel=0.05)
    assert window.host_seconds >= window.seconds - 1e-12


@pytest.mark.parametrize("clock", ["host", "graph", "queue_ahead"])
def test_many_calls_in_a_window_are_told_as_one(clock: str) -> None:
    device = FakeDevice()
    call = gpu_bound(device.simulator)
    one, ten = (time_window(device, call, Timing(clock, calls=calls)) for calls in (1, 10))
    assert ten.calls == 10
    assert ten.seconds == pytest.approx(one.seconds, rel=0.02)
    assert ten.host_seconds == pytest.approx(one.host_seconds, rel=0.02)


@pytest.mark.parametrize("clock", ["host", "graph"])
def test_a_cold_window_pays_for_cold_caches_and_not_for_cooling_them(clock: str) -> None:
    device = FakeDevice()
    call = gpu_bound(device.simulator, cold_penalty=1e-3)
    warm, cold = (time_window(device, call, Timing(clock, cache)).seconds for cache in ("warm", "cold"))
    assert warm == pytest.approx(5e-3, rel=0.01)
    assert cold == pytest.approx(warm + 1e-3, rel=0.01)
    assert 0.05 * warm < FLUSH_S  # it would be seen


@pytest.mark.parametrize(("seconds", "windows"), [(0.001, 200), (0.015, 20), (0.04, 20), (0.3, 7), (5.0, 1)])
def test_a_warm_up_is_long_enough_and_not_longer(seconds: float, windows: int) -> None:
    # at least two runs of ten and 0.2 s, unless 2 s are spent before that
    device = FakeDevice()
    taken = list(warmed(device, device.simulator.network(1, seconds), 2.0))
    assert abs(len(taken) - windows) <= 1


def test_a_warm_up_goes_on_while_calls_get_faster() -> None:
    simulator = Simulator(speed=lambda now: min(1.0, 0.5 + now))
    device = FakeDevice(simulator)
    taken = list(warmed(device, simulator.network(1, 5e-3), 5.0))
    assert sum(window.host_seconds for window in taken) > 0.45  # full speed is reached at 0.5 s
    assert taken[-1].seconds == pytest.approx(5e-3, rel=0.05)


def test_a_warm_up_that_never_agrees_ends() -> None:
    simulator = Simulator(speed=lambda now: 1 / (1 + now))  # 5 % slower from ten calls to the next
    device = FakeDevice(simulator)
    spent = sum(window.host_seconds for window in warmed(device, simulator.network(1, 5e-3), 1.0))
    assert spent == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    ("seconds", "shortest", "calls"), [(1e-4, 5e-4, 5), (3e-4, 5e-4, 2), (1e-3, 5e-4, 1), (1e-3, 0.0, 1)]
)
def test_a_window_holds_as_many_calls_as_it_needs(seconds: float, shortest: float, calls: int) -> None:
    assert calls_per_window(seconds, shortest) == calls
