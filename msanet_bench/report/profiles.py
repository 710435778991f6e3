"""What variants cost without being timed: `profile.json` as frozen values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msanet_bench.errors import ResultsError


@dataclass(frozen=True, slots=True)
class Field:
    """How far a unit of the last map sees, from the sizes of the windows alone.

    Attributes:
        height: With `width` in pixels, through convolutions and pooling.
        whole_map_by: The parts through which it also sees the whole image, by a mean or a product over all
            positions; None where that is not known.
    """

    height: int
    width: int
    whole_map_by: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Profile:
    """What a variant costs without running it; None where a count is not known or an older profile has none.

    Attributes:
        activations: Outputs of convolutions, linear layers and products for one image.
        saved_bytes: What a forward pass in training keeps for the backward pass.
        train_batch: Images of the step of training whose peak is estimated, on an ideal allocator.
    """

    params: int
    params_by_part: Mapping[str, int]
    macs: int | None
    macs_status: str
    activations: int | None
    saved_bytes: int | None
    train_batch: int | None
    inference_peak_bytes: int | None
    training_peak_bytes: int | None
    field: Field | None


def read_profiles(file: Path) -> Mapping[str, Profile]:
    """The profile of each variant; none where there is no file.

    Raises:
        ResultsError: the file is damaged.
    """
    if not file.exists():
        return {}
    try:
        variants = json.loads(file.read_text(encoding="utf-8"))["variants"]
        return {name: _profile(fields) for name, fields in variants.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultsError(f"{file}: not a profile ({type(error).__name__}: {error}).") from error


def _profile(fields: Mapping[str, Any]) -> Profile:
    return Profile(
        params=fields["params"],
        params_by_part=fields["params_by_part"],
        macs=fields["macs"],
        macs_status=fields["macs_status"],
        activations=fields.get("activations"),
        saved_bytes=fields.get("saved_bytes"),
        train_batch=fields.get("train_batch"),
        inference_peak_bytes=_peak(fields, "inference"),
        training_peak_bytes=_peak(fields, "train"),
        field=_field(fields.get("receptive_field") or {}),
    )


def _peak(fields: Mapping[str, Any], kind: str) -> int | None:
    """A peak by a key that names its batch after its kind: `train_batch_32`."""
    peaks = fields.get("peak_est_bytes") or {}
    return next((size for name, size in peaks.items() if name.startswith(kind)), None)


def _field(fields: Mapping[str, Any]) -> Field | None:
    sides, parts = fields.get("theoretical"), fields.get("whole_map_by")
    if sides is None:
        return None
    return Field(sides["height"], sides["width"], None if parts is None else tuple(parts))
