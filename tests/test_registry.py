"""Registered names, their options and the messages about both."""

import math
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from msanet_bench.registry import LATER, Option, OptionProblem, Registry


class Gate:
    def __init__(
        self, channels: int, *, gain: float = 1, taps: int = 3, mode: Literal["a", "b"] = "a"
    ) -> None:
        if taps % 2 == 0:
            raise ValueError(f"`taps` must be odd, but got ({taps=}).")
        if taps > channels:
            raise RuntimeError("shapes do not fit\nsecond line")
        self.arguments = (gain, mode)


def images(root: str, *, sizes: tuple[int, ...] = (8, 16), count: Annotated[int, Field(ge=2)] = 2) -> str:
    return f"{root}{sizes}{count}"


def registry() -> Registry[Any]:
    filled: Registry[Any] = Registry("gate", probe=lambda entry, options: entry(8, **options))
    filled.register("gate")(Gate)
    return filled


def problems(options: dict[str, Any], name: str = "gate") -> list[OptionProblem]:
    return list(registry().problems(name, options))


def test_entries_are_found_by_name_and_listed_in_order() -> None:
    named: Registry[Any] = Registry("data")
    assert named.register("zebra")(images) is images
    named.register("ant")(images)
    assert (list(named), len(named), "ant" in named, "bee" in named) == (["ant", "zebra"], 2, True, False)
    assert named["zebra"] is images


def test_keyword_only_arguments_are_the_options() -> None:
    assert registry().options("gate") == {
        "gain": Option(float, 1),
        "taps": Option(int, 3),
        "mode": Option(Literal["a", "b"], "a"),
    }


def test_a_name_that_is_taken_names_both_places() -> None:
    with pytest.raises(ValueError, match="is registered twice") as caught:
        registry().register("gate")(images)
    assert str(caught.value) == (
        "gate `gate` is registered twice: in test_registry.Gate and in test_registry.images."
    )


def test_an_option_without_a_default_is_refused() -> None:
    def broken(root: str, *, size: int) -> str:
        return f"{root}{size}"

    with pytest.raises(TypeError, match=r"^data `broken`: option `size` needs a default\.$"):
        Registry("data").register("broken")(broken)


def test_options_are_resolved_with_their_defaults_by_name() -> None:
    resolved = registry().resolve("gate", {"taps": 5, "gain": 2})
    assert list(resolved.items()) == [("gain", 2.0), ("mode", "a"), ("taps", 5)]
    assert isinstance(resolved["gain"], float)


def test_right_options_have_no_problems() -> None:
    assert problems({"gain": 2, "taps": 5, "mode": "b"}) == []


@pytest.mark.parametrize(
    ("options", "option", "message"),
    [
        ({"gian": 1}, "gian", "unknown option of 'gate'. Did you mean 'gain'? Known: gain, mode, taps."),
        ({"x": 1}, "x", "unknown option of 'gate'. Known: gain, mode, taps."),
        ({"taps": 3.0}, "taps", "must be a whole number, but got 3.0."),
        ({"taps": True}, "taps", "must be a whole number, but got true."),
        ({"gain": "2"}, "gain", "must be a number, but got '2'."),
        ({"gain": None}, "gain", "must be a number, but got nothing."),
        ({"gain": math.inf}, "gain", "must be finite, but got inf."),
        ({"mode": "c"}, "mode", "must be 'a' or 'b', but got 'c'."),
        ({"taps": 4}, "taps", "`taps` must be odd, but got (taps=4)."),
        (
            {"taps": 9},
            None,
            "`gate` cannot be built with {'taps': 9} (RuntimeError: shapes do not fit).",
        ),
    ],
)
def test_a_wrong_option_is_named_with_its_law(
    options: dict[str, Any], option: str | None, message: str
) -> None:
    assert problems(options) == [OptionProblem(option, message)]


def test_every_wrong_option_is_named_and_nothing_is_built_then() -> None:
    assert [problem.option for problem in problems({"taps": "4", "gain": "1", "mood": 1})] == [
        "taps",
        "gain",
        "mood",
    ]


def test_an_unknown_name_is_answered_with_a_suggestion() -> None:
    assert problems({}, name="gat") == [
        OptionProblem(None, "unknown gate entry `gat`. Did you mean 'gate'? Known: gate.")
    ]


def test_functions_bounds_and_tuples_are_checked_as_annotated() -> None:
    named: Registry[Any] = Registry("data")
    named.register("images")(images)
    assert list(named.problems("images", {"sizes": (8,), "count": 2})) == []
    assert list(named.problems("images", {"sizes": (8, "x"), "count": 1})) == [
        OptionProblem("sizes", "must be a whole number, but got 'x'."),
        OptionProblem("count", "must be at least 2, but got 1."),
    ]


def test_an_option_that_came_later_is_resolved_only_where_it_is_set() -> None:
    def gate(_channels: int, *, taps: int = 3, heads: Annotated[int, LATER] = 1) -> str:
        return f"{taps} {heads}"

    gates: Registry[Any] = Registry("gate")
    gates.register("gate")(gate)
    assert gates.resolve("gate", {}) == gates.resolve("gate", {"heads": 1}) == {"taps": 3}
    assert gates.resolve("gate", {"heads": 2}) == {"heads": 2, "taps": 3}
    assert gates.options("gate")["heads"].default == 1


def family() -> Registry[Any]:
    gates = registry()

    @gates.register_family("their:")
    def find(name: str) -> Any:
        if name != "their:gate":
            raise LookupError(f"they have no `{name}`.")
        return Gate

    return gates


def test_a_family_finds_the_entries_of_its_prefix() -> None:
    gates = family()
    assert gates["their:gate"] is Gate
    assert list(gates) == ["gate"]
    assert gates.resolve("their:gate", {"taps": 5})["taps"] == 5
    assert list(gates.problems("their:gate", {"taps": 5})) == []
    assert [p.message for p in gates.problems("their:gat", {})] == ["they have no `their:gat`."]
    assert [p.option for p in gates.problems("their:gate", {"taps": "5"})] == ["taps"]
