import gc
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace

import pytest

from msanet_bench.measure.device import Call
from msanet_bench.measure.samples import Condition, Contender, Sample
from msanet_bench.session.local import Local, made_ready
from msanet_bench.session.loop import Progress, run_session
from msanet_bench.session.recorder import Entrant, Outcome, Refused
from msanet_bench.session.rules import RULES, Rules, Schedule
from msanet_bench.session.table import CI_NOT_MET, summarise
from replay import as_session, contender, ended
from simulator import POWER_CAP, FakeDevice, Simulator

CONDITION = Condition("cuda", 1, "fp32_strict", "warm", 1)
ANCHOR = contender("baseline", "anchor")
CPU = RULES["cpu"]
# no interval is narrower, not even where there is no noise
NEVER = -1.0


def kernels(simulator: Simulator, seconds: float) -> Callable[[], Call]:
    return lambda: simulator.network(10, seconds / 10)


def ready(
    device: FakeDevice, call: Call, place: Callable[[], Call] | None = None, rules: Rules = CPU
) -> Local:
    return made_ready(device, call, rules, clock="host", cache="warm", place=place)


def session(
    device: FakeDevice,
    seconds: dict[str, float],
    *,
    rounds: int = 40,
    rules: Rules = CPU,
    seed: int = 0,
    most_seconds: float | None = None,
    others: tuple[Entrant, ...] = (),
) -> Outcome:
    def load(value: float) -> Callable[[], Local]:
        place = kernels(device.simulator, value)
        return lambda: ready(device, place(), place, rules)

    entrants = [
        Entrant(contender(name, "anchor" if name == "baseline" else "variant"), load(value))
        for name, value in seconds.items()
    ]
    return ended(
        run_session(
            [*entrants, *others],
            CONDITION,
            rules,
            Schedule(rounds, most_seconds, seed),
            clock=lambda: device.simulator.host_s,
            pause=lambda pause: setattr(device.simulator, "host_s", device.simulator.host_s + pause),
        )
    )


THREE = {"baseline": 1e-3, "half": 0.5e-3, "double": 2e-3}


def measured(outcome: Outcome) -> list[Sample]:
    return [sample for sample in outcome.samples if sample.visit.phase == "measure"]


def order_of_rounds(outcome: Outcome) -> list[tuple[str, ...]]:
    rounds: dict[tuple[int, int], list[str]] = defaultdict(list)
    for sample in measured(outcome):
        rounds[sample.visit.block, sample.visit.round].append(sample.contender.variant)
    return [tuple(names) for names in rounds.values()]


def test_everybody_is_visited_in_every_round_and_by_what_they_cost() -> None:
    outcome = session(FakeDevice(), THREE)
    rounds = order_of_rounds(outcome)
    assert len(rounds) == 40
    assert all(sorted(names) == sorted(THREE) for names in rounds)
    rows = {row.variant: row for row in summarise(as_session(outcome)) if row.status == "ok"}
    assert rows["half"].ratio_to_anchor == pytest.approx(0.5, rel=0.02)
    assert rows["double"].ratio_to_anchor == pytest.approx(2.0, rel=0.02)
    assert rows["baseline"].latency_s == pytest.approx(1e-3, rel=0.02)


def test_the_order_differs_from_round_to_round_and_favours_no_one() -> None:
    rounds = order_of_rounds(session(FakeDevice(), THREE, rounds=300, rules=replace(CPU, half_width=NEVER)))
    places = Counter((name, place) for names in rounds for place, name in enumerate(names))
    assert len(places) == 9
    assert all(60 < count < 140 for count in places.values())
    assert len(set(rounds)) == 6


def test_the_seed_decides_the_order() -> None:
    one, again, other = (order_of_rounds(session(FakeDevice(), THREE, seed=seed)) for seed in (1, 1, 2))
    assert one == again != other


def test_blocks_are_drawn_anew_and_the_anchor_is_in_all_of_them() -> None:
    names = {"baseline": 1e-3} | {f"v{number}": 1e-3 for number in range(6)}
    outcome = session(FakeDevice(), names, rules=replace(CPU, block=3, half_width=NEVER))
    blocks: dict[tuple[int, int], set[str]] = defaultdict(set)
    for sample in measured(outcome):
        blocks[sample.visit.super_round, sample.visit.block].add(sample.contender.variant)
    assert len(blocks) == 2 * 4
    assert all("baseline" in members and len(members) == 4 for members in blocks.values())
    assert len({frozenset(members) for members in blocks.values()}) > 2


def test_networks_move_in_every_super_round_in_an_order_of_its_own() -> None:
    device, places = FakeDevice(), []

    def place(name: str) -> Call:
        places.append(name)
        return device.simulator.network(10, 1e-4)

    def load(name: str) -> Callable[[], Local]:
        at = lambda: place(name)  # noqa: E731
        return lambda: ready(device, at(), at)

    names = (contender("a", "anchor"), contender("b"), contender("c"))
    entrants = [Entrant(who, load(who.variant)) for who in names]
    ended(run_session(entrants, CONDITION, replace(CPU, half_width=NEVER), Schedule(100, None, 0)))
    assert len(places) == 3 * 10
    firsts = Counter(places[::3])
    assert set(firsts) == {"a", "b", "c"}  # the anchor is not always the first


def test_who_is_known_well_enough_is_not_visited_further() -> None:
    outcome = session(FakeDevice(), THREE, rounds=160)
    assert len(order_of_rounds(outcome)) == 40
    assert max(sample.visit.super_round for sample in measured(outcome)) == 3


def test_who_is_not_is_visited_to_the_end_and_told() -> None:
    moods = Simulator(speed=lambda now: 0.5 if (now * 997) % 1 < 0.5 else 1.0)
    outcome = session(FakeDevice(moods), THREE, rounds=50)
    assert max(sample.visit.super_round for sample in measured(outcome)) == 4
    assert CI_NOT_MET in {row.status for row in summarise(as_session(outcome))}


def test_a_session_ends_when_its_time_is_up() -> None:
    outcome = session(
        FakeDevice(), THREE, rounds=10_000, most_seconds=1.0, rules=replace(CPU, half_width=NEVER)
    )
    last = max(sample.start_ns for sample in outcome.samples) * 1e-9
    assert 1.0 < last < 1.2


def test_the_warm_up_is_kept_and_does_not_count() -> None:
    device = FakeDevice()
    place = lambda: device.simulator.network(10, 1e-4, first_call_s=0.3)  # noqa: E731
    slow_start = Entrant(contender("slow_start"), lambda: ready(device, place()))
    outcome = session(device, THREE, others=(slow_start,))
    phases = Counter(sample.visit.phase for sample in outcome.samples)
    assert phases["warmup"] > 4 * 20
    row = next(row for row in summarise(as_session(outcome)) if row.variant == "slow_start")
    assert row.n == 40
    assert row.ratio_to_anchor == pytest.approx(1.0, rel=0.02)


def test_who_does_not_fit_is_named_and_the_others_are_measured() -> None:
    def refuse() -> Local:
        raise Refused("oom")

    outcome = session(FakeDevice(), THREE, others=(Entrant(contender("huge"), refuse),))
    assert [(row.contender.variant, row.status) for row in outcome.unmeasured] == [("huge", "oom")]
    assert {sample.contender.variant for sample in outcome.samples} == set(THREE)


def test_without_its_anchor_nothing_is_measured() -> None:
    def refuse() -> Local:
        raise Refused("oom")

    entrants = [Entrant(ANCHOR, refuse), Entrant(contender("b"), refuse)]
    outcome = ended(run_session(entrants, CONDITION, CPU, Schedule(40, None, 0)))
    assert outcome.samples == ()
    assert (ANCHOR, "oom") in {(row.contender, row.status) for row in outcome.unmeasured}


def test_a_short_throttle_is_waited_out_and_its_visits_do_not_count() -> None:
    hot = Simulator(
        speed=lambda now: 0.5 if 0.9 < now < 1.0 else 1.0,
        reasons=lambda now: POWER_CAP if 0.9 < now < 1.0 else 0,
    )
    outcome = session(FakeDevice(hot), THREE, rounds=400, rules=replace(CPU, half_width=NEVER))
    rejected = [sample for sample in measured(outcome) if sample.rejected]
    assert rejected
    assert {sample.rejected for sample in rejected} == {"power cap"}
    assert len([sample for sample in measured(outcome) if not sample.rejected]) == 3 * 400
    assert outcome.notes == (f"{len(rejected)} windows do not count; the samples say why.",)


def test_a_low_clock_counts_as_a_cause() -> None:
    slow = Simulator(speed=lambda now: 0.6 if 0.9 < now < 0.95 else 1.0)
    outcome = session(FakeDevice(slow), THREE, rounds=400, rules=replace(CPU, half_width=NEVER))
    assert {sample.rejected for sample in measured(outcome)} == {"", "clock at 60%"}


def test_a_device_that_is_always_capped_is_measured_all_the_same_and_told() -> None:
    capped = Simulator(reasons=lambda _: POWER_CAP)
    outcome = session(FakeDevice(capped), THREE)
    assert len([sample for sample in measured(outcome) if sample.counts]) == 3 * 40
    assert len([sample for sample in measured(outcome) if sample.rejected]) == 3
    assert outcome.notes[-1].startswith("120 visits count although the device was slowed down")


def test_a_cap_that_ends_is_watched_for_again() -> None:
    spells = Simulator(reasons=lambda now: POWER_CAP if 0.9 < now < 1.4 or 2.0 < now < 2.05 else 0)
    outcome = session(FakeDevice(spells), THREE, rounds=600, rules=replace(CPU, half_width=NEVER))
    late = [s.rejected for s in measured(outcome) if s.start_ns > 1.9e9 and s.rejected]
    assert late  # the long spell did not switch the guard off for good
    assert len([s for s in measured(outcome) if s.counts]) == 3 * 600


def test_who_runs_out_of_memory_later_is_named_and_the_others_go_on() -> None:
    device, calls = FakeDevice(), 0

    def fails_later() -> None:
        nonlocal calls
        calls += 1
        if calls > 220:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 8 GB")
        device.simulator.launch(1e-3)

    outcome = session(device, THREE, others=(Entrant(contender("huge"), lambda: ready(device, fails_later)),))
    assert [(row.contender.variant, row.status) for row in outcome.unmeasured] == [("huge", "oom")]
    rows = {row.variant: row for row in summarise(as_session(outcome))}
    assert (rows["huge"].status, rows["huge"].latency_s) == ("oom", None)
    assert rows["double"].n == 40


def test_any_other_failure_of_a_call_is_a_defect() -> None:
    device = FakeDevice()

    def broken() -> None:
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        session(device, THREE, others=(Entrant(contender("b"), lambda: ready(device, broken)),))


def test_a_block_on_another_machine_is_taken_once_more() -> None:
    slow = Simulator(speed=lambda now: 0.9 if 0.95 < now < 1.0 else 1.0)
    outcome = session(
        FakeDevice(slow), THREE, rounds=200, rules=replace(CPU, half_width=NEVER, anchor_drift=0.05)
    )
    again = {sample.visit.block for sample in measured(outcome) if sample.rejected.startswith("anchor")}
    assert 1 <= len(again) <= 3
    assert len([sample for sample in measured(outcome) if sample.counts]) == 3 * 200


def test_a_visit_on_cuda_discards_measures_and_streams() -> None:
    outcome = session(FakeDevice(), {"baseline": 1e-4, "b": 2e-4}, rules=RULES["cuda"])
    of_anchor = [s for s in outcome.samples if s.contender == ANCHOR and s.visit.phase != "warmup"]
    one_visit = of_anchor[:5]
    phases = [sample.visit.phase for sample in one_visit]
    assert phases == ["discard", "measure", "measure", "measure", "stream"]
    assert one_visit[1].calls >= 5  # windows of half a millisecond
    assert one_visit[-1].calls == 10 * one_visit[1].calls
    assert {row.n for row in summarise(as_session(outcome)) if row.status == "ok"} == {40}


def test_nothing_is_collected_while_calls_are_timed_and_it_starts_again() -> None:
    collecting: set[bool] = set()
    device = FakeDevice()

    def call() -> None:
        collecting.add(gc.isenabled())
        device.simulator.launch(1e-3)

    entrant = Entrant(ANCHOR, lambda: ready(device, call))
    assert gc.isenabled()
    ended(run_session([entrant], CONDITION, CPU, Schedule(2, None, 0)))
    assert collecting == {False}
    assert gc.isenabled()


def test_collection_starts_again_when_a_call_fails() -> None:
    def fail() -> Local:
        raise RuntimeError("out of order")

    with pytest.raises(RuntimeError, match="out of order"):
        ended(run_session([Entrant(ANCHOR, fail)], CONDITION, CPU, Schedule(2, None, 0)))
    assert gc.isenabled()


def test_progress_says_how_far_and_for_how_many() -> None:
    device = FakeDevice()
    entrant = Entrant(ANCHOR, lambda: ready(device, device.simulator.network(1, 1e-3)))
    other = Entrant(contender("b"), entrant.load)
    progress = list(run_session([entrant, other], CONDITION, CPU, Schedule(20, None, 0)))
    assert progress == [Progress(CONDITION, 10, 20, 2, 1), Progress(CONDITION, 20, 20, 2, 1)]


def test_contenders_that_are_few_enough_stay_and_others_make_room() -> None:
    loaded: Counter[Contender] = Counter()
    device = FakeDevice()

    def load(who: Contender) -> Callable[[], Local]:
        def made() -> Local:
            loaded[who] += 1
            return ready(device, device.simulator.network(1, 1e-3))

        return made

    names = [ANCHOR, *(contender(f"v{number}") for number in range(6))]
    for resident, most in ((7, 1), (4, 8)):
        loaded.clear()
        rules = replace(CPU, resident=resident, block=3, half_width=NEVER)
        ended(
            run_session([Entrant(who, load(who)) for who in names], CONDITION, rules, Schedule(40, None, 0))
        )
        assert loaded[ANCHOR] == 1
        assert max(loaded.values()) <= most
        assert (max(loaded.values()) > 1) == (most > 1)
