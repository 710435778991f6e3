"""How far latency sessions can be believed: prints the figures that docs and changelog quote.

    python tests/benchmarks/latency.py replay    # recorded noise, planted truth
    python tests/benchmarks/latency.py looks     # coverage of who is done early, simulated
    python tests/benchmarks/latency.py ranks     # this machine: networks 1 % apart, repeated sessions
    python tests/benchmarks/latency.py twins     # this machine: one network under twelve names
    python tests/benchmarks/latency.py speed     # this machine: seconds a variant
    python tests/benchmarks/latency.py alarms    # this machine: unchanged code through the gate

With `busy` before them, two processes that come and go contend for the cores meanwhile:

    python tests/benchmarks/latency.py busy ranks twins
"""

import multiprocessing
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations, pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import torch
from scipy.special import stdtrit
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[1]))

from msanet_bench.analysis.latency import Level, centre, kendall_tau, ratio
from msanet_bench.checks import check_plan, load_experiment
from msanet_bench.measure.device import CpuDevice
from msanet_bench.measure.samples import Contender
from msanet_bench.measure.window import Timing, time_window
from msanet_bench.model.build import build
from msanet_bench.model.initialise import initialise
from msanet_bench.session.checkout import THIS_CHECKOUT, measure_checkouts
from msanet_bench.session.loop import run_session
from msanet_bench.session.networks import HEAD, Bench, Network, entrants, networks_of
from msanet_bench.session.pairs import pairs_of
from msanet_bench.session.precision import precision_set
from msanet_bench.session.recorder import Entrant, Outcome
from msanet_bench.session.rules import LOOKS, ROUNDS_PER_SUPER_ROUND, RULES, Schedule
from msanet_bench.session.run import measure_latency
from msanet_bench.session.visits import standings
from msanet_bench.spec import BlockSpec, MeasureSpec, ModelSpec
from replay import TRACES, ReplayDevice, contender, ended, planted, replayed

ABLATION = Path(__file__).parents[2] / "experiments" / "ablation.yaml"
NAMES = [f"v{number:02}" for number in range(12)]
VISITS = 176
IMAGE = (1, 16, 16)
SMALL = ModelSpec(stem=BlockSpec(block="small"), width=0.125, depth=(1, 1, 1), same_size_stages=(1,))
# visited to the end, however narrow the intervals are
TO_THE_END = replace(RULES["cpu"], half_width=0.0)
CPU = torch.device("cpu")


def replay(starts: int = 200) -> None:
    """Tau to the planted truth, and coverage, over random starts in the recorded noise."""
    for number, trace in enumerate(TRACES, start=1):
        source = np.random.default_rng(number)
        taus, held, apart = [], [], []
        for seed, start in enumerate(source.integers(len(trace), size=starts)):
            seconds = planted(NAMES, 1.01, seed)
            found = _levels(
                replayed(seconds, ReplayDevice(trace, int(start)), rounds=VISITS, seed=seed, rules=TO_THE_END)
            )
            taus.append(_tau(found, seconds))
            held += [
                interval.low <= seconds[one] / seconds[other] <= interval.high
                for one, other in pairwise(seconds)
                for interval in (ratio(found[one], found[other]),)
            ]
            if seed < starts // 10:
                twins = {contender(name, who.role): 2e-3 for name, who in zip(NAMES, seconds, strict=True)}
                alike = _levels(
                    replayed(
                        twins, ReplayDevice(trace, int(start)), rounds=VISITS, seed=seed, rules=TO_THE_END
                    )
                )
                apart += [ratio(one, other).excludes_one for one, other in combinations(alike.values(), 2)]
        print(
            f"replay of trace {number}, {starts} starts: tau to the truth {np.mean(taus):.3f} (goal 0.85), "
            f"coverage {np.mean(held):.1%} of {len(held)} pairs (goal 93 to 97 %), "
            f"twins told apart {np.mean(apart):.1%} of {len(apart)} (goal 8 %)",
            flush=True,
        )


def looks(contenders: int = 200_000) -> None:
    """Coverage where looks pick narrow intervals: of 95 % ones, and of the 99 % ones that are kept."""
    source = np.random.default_rng(0)
    super_rounds = [look // ROUNDS_PER_SUPER_ROUND for look in LOOKS]
    for deviation in (0.005, 0.008, 0.012, 0.02, 0.03):
        shifts = source.normal(0, deviation, (contenders, 16))
        done_at = np.full(contenders, 16)
        held = {confidence: np.zeros(contenders, dtype=bool) for confidence in (0.95, 0.99)}
        for count in (16, *reversed(super_rounds)):
            mean = abs(shifts[:, :count].mean(axis=1))
            error = shifts[:, :count].std(axis=1, ddof=1) / np.sqrt(count)
            reach = {c: stdtrit(count - 1, (1 + c) / 2) * error for c in held}
            here = reach[0.99] <= RULES["cpu"].half_width if count < 16 else np.ones(contenders, dtype=bool)
            done_at[here] = count
            for confidence, kept in held.items():
                within = mean <= reach[confidence if count < 16 else 0.95]
                kept[here] = within[here]
        first = done_at == super_rounds[0]
        print(
            f"looks, deviation {deviation:.1%}: {first.mean():.0%} done at the first; coverage over all "
            + ", ".join(f"{kept.mean():.1%} with {c:.0%} intervals" for c, kept in held.items())
            + "; of the first "
            + ", ".join(f"{kept[first].mean():.1%}" for kept in held.values())
        )


def ranks(sessions: int = 4) -> None:
    """Tau between repeated sessions over networks about 1 % apart, ours and in the usual order."""
    step = _one_per_cent()
    networks = [_network(name, partial(_longer, number, step)) for number, name in enumerate(NAMES)]
    truth = {name: number for number, name in enumerate(NAMES)}
    found, usual = [], []
    for seed in range(sessions):
        outcome, seconds = _session(networks, seed)
        levels = {who.variant: level for who, level in _levels(outcome).items() if who.role != "twin"}
        found.append(levels)
        usual.append(_one_after_the_other(networks))
        tau = kendall_tau(_centres(levels), np.array([float(truth[name]) for name in NAMES]))
        print(f"session {seed}: {seconds:.1f} s, tau to the truth {tau:.2f}", flush=True)
    span = np.ptp(_centres(found[0])) / (len(NAMES) - 1)
    ours = [kendall_tau(_centres(one), _centres(other)) for one, other in combinations(found, 2)]
    theirs = [kendall_tau(one, other) for one, other in combinations(usual, 2)]
    print(
        f"ranks: networks {span:.2%} apart, {VISITS} visits each: tau between {sessions} sessions "
        f"{np.mean(ours):.2f} (lowest {min(ours):.2f}; goal 0.80), one after the other {np.mean(theirs):.2f}"
    )
    print(f"coverage of the planted ratios: {_held_out(found):.1%} (goal 90 %)")


def twins(sessions: int = 4) -> None:
    """How often one network under two names is told apart at 5 % (goal: at most 8 % of those that move)."""
    networks = [_network(name, partial(_longer, 0, 1)) for name in NAMES]
    for name, move in (("twins that move", True), ("twins that stay where they were loaded", False)):
        apart, widths = [], []
        for seed in range(sessions):
            levels = list(_levels(_session(networks, seed, move=move)[0]).values())
            intervals = [ratio(one, other) for one, other in combinations(levels, 2)]
            apart += [interval.excludes_one for interval in intervals]
            widths += [interval.half_width for interval in intervals]
            print(f"session {seed}: {np.mean(apart[-len(intervals) :]):.1%} told apart", flush=True)
        print(
            f"{name}: {np.mean(apart):.1%} of {len(apart)} pairs told apart, "
            f"median half-width {median(widths):.2%}"
        )


def speed() -> None:
    """Seconds a variant of a whole session, 160 visits at most, files included."""
    plan = check_plan(load_experiment(ABLATION), Path("data"))
    networks = networks_of(plan)
    RULES["cpu"] = TO_THE_END
    with TemporaryDirectory() as folder:
        start = time.monotonic()
        session = ended(measure_latency(MeasureSpec(), networks, Path(folder), threads=1, identity=""))
        seconds = time.monotonic() - start
    visits = sum(sample.counts for sample in session.samples)
    each = visits / len(session.contenders)
    print(
        f"speed: {len(networks)} variants and 2 twins, {each:.0f} visits each: {seconds:.1f} s, "
        f"{seconds / len(networks):.2f} s a variant (goal 2)"
    )


def alarms(sessions: int = 8) -> None:
    """How often the gate fails, although both sides are this checkout."""
    limits = (1.0, 1.02, 1.05)
    failed = dict.fromkeys(limits, 0)
    apart = []
    with TemporaryDirectory() as folder:
        experiment = Path(folder) / "alarms.yaml"
        experiment.write_text(_FOUR_VARIANTS, encoding="utf-8")
        for number in range(sessions):
            spec = MeasureSpec(latency_rounds=80)
            steps = measure_checkouts(
                spec, experiment, THIS_CHECKOUT, data_root=Path("data"), threads=1, device="cpu"
            )
            pairs = pairs_of(ended(steps))
            apart += [pair.ratio.excludes_one for pair in pairs]
            for limit in limits:
                failed[limit] += any(pair.is_beyond(limit) for pair in pairs)
            worst = max(pair.ratio.estimate for pair in pairs)
            print(f"session {number}: largest ratio {worst:.3f}", flush=True)
    told = ", ".join(f"+{100 * (limit - 1):.0f} %: {n} of {sessions}" for limit, n in failed.items())
    print(
        f"alarms: sessions of unchanged code that fail a gate of {told}; "
        f"{np.mean(apart):.1%} of {len(apart)} pairs told apart"
    )


_FOUR_VARIANTS = """
question: Does the gate stay silent where nothing has changed?
delta: 1 pp
baseline: {stem: small, same_size_stages: [1], width: 0.125, depth: [1, 1, 1]}
data: {dataset: digits, resize: 16, train_images: 400, validation: 0}
design: one_at_a_time
factors: {attention: [self_attention, none, se, eca]}
seeds: 1
"""


class _Longer(nn.Module):
    """A network, and sines that take as long as asked."""

    def __init__(self, network: nn.Module, times: int, elements: int) -> None:
        super().__init__()
        self.network, self.times = network, times
        self.register_buffer("values", torch.linspace(0, 1, elements))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.network(images)
        for _ in range(self.times):
            torch.sin(self.values)
        return logits


def _longer(times: int, elements: int) -> nn.Module:
    network = build(SMALL, num_classes=10, in_channels=IMAGE[0])
    initialise(network, 0)
    return _Longer(network, times, elements)


def _one_per_cent() -> int:
    """How many sines take a hundredth of the network's time."""
    whole = _calm_seconds(_longer(0, 1), torch.randn(1, *IMAGE))
    many = torch.linspace(0, 1, 100_000)
    return int(0.01 * whole / (_calm_seconds(torch.sin, many) / len(many)))


def _calm_seconds(call: Callable[[Tensor], object], argument: Tensor) -> float:
    device = CpuDevice()
    with torch.inference_mode():
        return median(time_window(device, lambda: call(argument), Timing()).seconds for _ in range(300))


def _network(name: str, make: Callable[[], nn.Module]) -> Network:
    return Network(HEAD, name, make, IMAGE, channels_last=False)


def _session(networks: Sequence[Network], seed: int, *, move: bool = True) -> tuple[Outcome, float]:
    bench = Bench(CpuDevice(), CPU, TO_THE_END, 1, "fp32_strict", "warm", {})
    start = time.monotonic()
    with precision_set("fp32_strict", CPU):
        entering = entrants(networks, ["eager"], bench)
        if not move:
            entering = [Entrant(who, lambda load=load: replace(load(), place=None)) for who, load in entering]
        outcome = ended(run_session(entering, bench.condition, TO_THE_END, Schedule(VISITS, None, seed)))
    return outcome, time.monotonic() - start


def _one_after_the_other(networks: Sequence[Network]) -> np.ndarray:
    """As timm has it: 10 calls to warm up, the mean of the others, then the next network."""
    device, means = CpuDevice(), []
    for network in networks:
        model, images = network.build().eval(), torch.randn(1, *IMAGE)
        with torch.inference_mode():
            times = [
                time_window(device, lambda model=model, images=images: model(images), Timing()).seconds
                for _ in range(10 + VISITS)
            ]
        means.append(np.mean(times[10:]))
    return np.array(means)


def _levels(outcome: Outcome) -> dict[Contender, Level]:
    return {who: standing.level for who, standing in standings(outcome.samples).items()}


def _tau(levels: Mapping[Contender, Level], truth: Mapping[Contender, float]) -> float:
    found = np.array([centre(levels[who].log_seconds) for who in truth])
    return kendall_tau(found, np.array(list(truth.values())))


def _centres(levels: Mapping[str, Level]) -> np.ndarray:
    return np.array([centre(levels[name].log_seconds) for name in NAMES])


def _held_out(sessions: Sequence[Mapping[str, Level]]) -> float:
    """The share of pairs whose interval holds the planted truth.

    Network k does k times the same work more, and how much that is, the one unknown, the other sessions say.
    """
    held = []
    for place, levels in enumerate(sessions):
        others = [_centres(other) for number, other in enumerate(sessions) if number != place]
        step = np.mean([_step(centres) for centres in others])
        for one, other in combinations(range(len(NAMES)), 2):
            interval = ratio(levels[NAMES[one]], levels[NAMES[other]])
            held.append(interval.low <= (1 + one * step) / (1 + other * step) <= interval.high)
    return float(np.mean(held))


def _step(centres: np.ndarray) -> float:
    """What one step adds to the time of network 0, by least squares."""
    number = np.arange(len(centres))
    slope, intercept = np.polyfit(number, np.exp(centres), 1)
    return float(slope / intercept)


def _come_and_go(seed: int) -> None:
    """Work in bursts, as neighbours on a shared machine do."""
    source = np.random.default_rng(seed)
    matrix = source.normal(size=(300, 300))
    while True:
        until = time.monotonic() + source.exponential(0.15)
        while time.monotonic() < until:
            matrix @ matrix
        time.sleep(source.exponential(0.15))


if __name__ == "__main__":
    torch.set_num_threads(1)
    asked = sys.argv[1:]
    if "busy" in asked:
        asked.remove("busy")
        for seed in (0, 1):
            multiprocessing.Process(target=_come_and_go, args=(seed,), daemon=True).start()
    figures = {f.__name__: f for f in (replay, looks, ranks, twins, speed, alarms)}
    for name in asked or figures:
        figures[name]()
