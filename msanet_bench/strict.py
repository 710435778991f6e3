"""Values that are checked once, at the door, and never change: the base of everything that YAML may say."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seed = Annotated[int, Field(ge=0, lt=2**31)]


class Spec(BaseModel):
    """Frozen, strict about types (`"3"` is no number), finite and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
