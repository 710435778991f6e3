"""Names for figures."""

import pytest

from msanet_bench.report.names import short_name, short_path

PATHS = (
    "branches.conv3",
    "branches.dilated",
    "branches.dilated.dilation",
    "attention",
    "stem.width",
    "width",
)


@pytest.mark.parametrize(
    ("path", "short"),
    [
        ("branches.conv3", "conv3"),
        ("branches.dilated", "dilated"),
        ("branches.dilated.dilation", "dilation"),
        ("attention", "attention"),
        ("stem.width", "stem.width"),
        ("width", "width"),
    ],
)
def test_a_path_keeps_what_tells_it_from_the_others(path: str, short: str) -> None:
    assert short_path(path, PATHS) == short


def test_a_name_is_shortened_change_by_change() -> None:
    name = "branches.conv3=off,branches.dilated.dilation=3,attention=none"
    assert short_name(name, PATHS) == "conv3=off,dilation=3,attention=none"


def test_the_baseline_keeps_its_name() -> None:
    assert short_name("baseline", PATHS) == "baseline"
