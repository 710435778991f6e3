"""What the report says that variants share, by the kinds of networks that are compared."""

from pathlib import Path

import pytest

from planted_results import PARTS, Design, planted, write_results
from report_text import report, section

WITH_MSANET = Design({}, [{"model": "msanet"}, {"model": "resnet18"}])
WITHOUT = Design({}, [{"model": "resnet18"}, {"model": "timm:test_vit"}])
COMMON = "the initial value of every parameter that they have in common"


AMONG_MSANETS = (
    "share the split, the order of images and the augmentation, so they are compared in pairs. Those of "
    f"`msanet` also share {COMMON}; a network of another family has the start that its own constructor draws"
)


@pytest.mark.parametrize(
    ("design", "said", "unsaid"),
    [
        (WITH_MSANET, AMONG_MSANETS, f"augmentation and {COMMON}"),
        (WITHOUT, "the augmentation and the random state from which a constructor draws the start", COMMON),
        (PARTS, f"the order of images, the augmentation and {COMMON}, so they are", "another family"),
    ],
)
def test_starts_are_said_to_be_shared_by_msanets_alone(
    tmp_path: Path, design: Design, said: str, unsaid: str
) -> None:
    results = write_results(tmp_path, design, planted(design, lambda _: 0))
    text = section(report(results), "What was run")
    assert said in text
    assert unsaid not in text


def test_trainings_of_another_family_share_a_random_state(tmp_path: Path) -> None:
    design = Design({"train.lr": [0.1, 0.01]}, [{"train.lr": "0.1"}, {"train.lr": "0.01"}])
    baseline = {"baseline": {"model": {"block": "resnet18", "options": {}}}}
    results = write_results(tmp_path, design, planted(design, lambda _: 0), experiment=baseline)
    text = section(report(results), "What was run")
    assert "a constructor draws the start, except what `train.lr` changes, so they" in text
