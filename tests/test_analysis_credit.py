"""Who earned what: published games and factorials, and the axioms that a fair share obeys."""

import itertools
import math
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from golden_cases import coalitions_of, filtration, pilot_plant
from msanet_bench.analysis.contrasts import contrast
from msanet_bench.analysis.credit import Attribution, Coalition, attributions, whole
from msanet_bench.analysis.weights import Weights

Game = Mapping[Coalition, float]


def play(weights: Weights | None, game: Game) -> float:
    """What weights of coalitions are worth in a game; each variant is named by its players."""
    assert weights is not None
    return sum(weight * game[frozenset(name)] for name, weight in weights.items())


def coalitions(players: str) -> list[Coalition]:
    sizes = range(len(players) + 1)
    return [frozenset(some) for size in sizes for some in itertools.combinations(players, size)]


def shapley(players: str, game: Game) -> dict[str, float]:
    names = {coalition: "".join(sorted(coalition)) for coalition in game}
    return {found.component: play(found.shapley, game) for found in attributions(players, names)}


def test_the_glove_game_has_its_textbook_shares() -> None:
    """Two left gloves, 1 and 2, and one right glove, 3: a pair is worth 1."""
    game = {players: float("3" in players and len(players) > 1) for players in coalitions("123")}
    assert shapley("123", game) == pytest.approx({"1": 1 / 6, "2": 1 / 6, "3": 2 / 3})


def test_the_airport_game_has_its_textbook_shares() -> None:
    """A runway as long as the largest plane of a coalition needs (Littlechild and Owen 1973)."""
    costs = {"1": 10.0, "2": 20.0, "3": 30.0}
    game = {players: max((costs[p] for p in players), default=0.0) for players in coalitions("123")}
    assert shapley("123", game) == pytest.approx({"1": 10 / 3, "2": 25 / 3, "3": 55 / 3})


@pytest.mark.parametrize(
    ("component", "removed", "added", "main", "share"),
    [("T", 35, 12, 23.0, 23.1667), ("C", -3, -6, -5.0, -4.8333), ("K", 12, -8, 1.5, 1.6667)],
)
def test_the_credit_of_the_pilot_plant_is_the_published_one(
    component: str, removed: float, added: float, main: float, share: float
) -> None:
    fit = pilot_plant()
    found = next(a for a in attributions("TCK", coalitions_of("TCK")) if a.component == component)
    estimates = [contrast(fit, weights) for weights in _all(found)]
    assert [e.estimate for e in estimates] == pytest.approx([removed, added, main, share], abs=5e-5)
    assert estimates[3].se == pytest.approx(1.4907, abs=5e-5)
    # of a difference of two means of two runs each: sqrt(8 / 2 + 8 / 2)
    assert [e.se for e in estimates[:3]] == pytest.approx([math.sqrt(8), math.sqrt(8), math.sqrt(2)])


def test_the_shares_of_the_filtration_rate_are_the_published_ones() -> None:
    fit = filtration()
    found = attributions("ABCD", coalitions_of("ABCD"))
    shares = [contrast(fit, a.shapley).estimate for a in found if a.shapley is not None]
    assert shares == pytest.approx([23.0833, 4.25, 9.0833, 14.5833], abs=5e-5)
    assert sum(shares) == pytest.approx(51, abs=1e-9)


def test_the_whole_is_everything_against_nothing() -> None:
    assert whole("TCK", coalitions_of("TCK")) == {"TCK": 1.0, "-": -1.0}


def test_a_missing_end_leaves_no_whole_and_no_share() -> None:
    names = {players: name for players, name in coalitions_of("TCK").items() if players}
    found = attributions("TCK", names)
    assert whole("TCK", names) is None
    assert [(a.shapley, a.added) for a in found] == [(None, None)] * 3
    assert all(a.removed and a.main for a in found)


def test_a_missing_middle_leaves_the_pairs_that_are_there() -> None:
    names = {players: name for players, name in coalitions_of("TCK").items() if name != "TK"}
    temperature = attributions("TCK", names)[0]
    assert temperature.shapley is None
    assert temperature.removed == {"TCK": 1.0, "CK": -1.0}
    # three of the four pairs: K alone has lost its partner
    assert temperature.main == pytest.approx(
        {"T": 1 / 3, "-": -1 / 3, "TC": 1 / 3, "C": -1 / 3, "TCK": 1 / 3, "CK": -1 / 3}
    )


def test_one_component_alone_earns_everything_by_every_rule() -> None:
    found = attributions("A", {frozenset(): "empty", frozenset("A"): "full"})[0]
    assert list(_all(found)) == [{"full": 1.0, "empty": -1.0}] * 4


def _all(found: Attribution) -> list[Weights]:
    weights = (found.removed, found.added, found.main, found.shapley)
    assert None not in weights
    return [one for one in weights if one is not None]


def by_orders(players: str, game: Game) -> dict[str, float]:
    """Shapley's definition: what a player adds when it joins, averaged over all orders of joining."""
    orders = list(itertools.permutations(players))
    joined = {p: [frozenset(order[: order.index(p)]) for order in orders] for p in players}
    return {p: sum(game[s | {p}] - game[s] for s in before) / len(orders) for p, before in joined.items()}


PLAYERS = "abcd"
worths: st.SearchStrategy[Sequence[float]] = st.lists(st.floats(-100, 100), min_size=16, max_size=16)
games = worths.map(lambda values: dict(zip(coalitions(PLAYERS), values, strict=True)))


@given(games)
def test_shares_are_the_mean_over_all_orders_of_joining(game: Game) -> None:
    assert shapley(PLAYERS, game) == pytest.approx(by_orders(PLAYERS, game), abs=1e-9)


@given(games)
def test_shares_add_up_to_the_whole(game: Game) -> None:
    total = game[frozenset(PLAYERS)] - game[frozenset()]
    assert sum(shapley(PLAYERS, game).values()) == pytest.approx(total, abs=1e-9)


@given(games)
def test_players_that_can_stand_for_each_other_get_the_same(game: Game) -> None:
    swap = str.maketrans("ab", "ba")
    even = {s: game[s] + game[frozenset("".join(s).translate(swap))] for s in game}
    shares = shapley(PLAYERS, even)
    assert shares["a"] == pytest.approx(shares["b"], abs=1e-9)


@given(games, st.floats(-10, 10))
def test_who_adds_the_same_to_everybody_gets_just_that(game: Game, worth: float) -> None:
    dummy = {s: game[s - {"a"}] + worth * ("a" in s) for s in game}
    assert shapley(PLAYERS, dummy)["a"] == pytest.approx(worth, abs=1e-9)


@given(games, games)
def test_shares_of_a_sum_are_sums_of_shares(first: Game, second: Game) -> None:
    both = shapley(PLAYERS, {s: first[s] + second[s] for s in first})
    one, other = shapley(PLAYERS, first), shapley(PLAYERS, second)
    assert both == pytest.approx({p: one[p] + other[p] for p in PLAYERS}, abs=1e-9)
