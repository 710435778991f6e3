"""Older files in today's form: plain functions from fields to fields, one a step, applied in order.

What stands on the disk is never rewritten: an older line is migrated each time that it is read. A new version
is one more step here and a fixture of it in `tests/data/`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

from msanet_bench.errors import ResultsError

Kind: TypeAlias = Literal["record", "attempt", "manifest"]
Step: TypeAlias = Callable[[Mapping[str, Any]], dict[str, Any]]


def _name_the_version(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Version 1 to 2: `schema` becomes `schema_version`."""
    rest = {name: value for name, value in fields.items() if name != "schema"}
    return {"schema_version": 2, **rest}


# The first step leads from version 1 to 2. The record inside an attempt has a version of its own.
STEPS: Mapping[Kind, tuple[Step, ...]] = {
    "record": (_name_the_version,),
    "attempt": (_name_the_version,),
    "manifest": (_name_the_version,),
}


def newest(kind: Kind) -> int:
    """The version that this program writes."""
    return 1 + len(STEPS[kind])


def migrated(kind: Kind, place: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields as the newest version has them; `place` says where they stand.

    Raises:
        ResultsError: a newer program wrote them.
        ValueError, KeyError, TypeError: they are no such fields.
    """
    version, known = _version(fields), newest(kind)
    if version > known:
        raise ResultsError(
            f"{place}: written by a newer msanet-bench ({kind} of schema version {version}, this one knows "
            f"up to {known}). Upgrade msanet-bench to read it: the file is left as it is."
        )
    for step in STEPS[kind][version - 1 :]:
        fields = step(fields)
    return fields


def _version(fields: Mapping[str, Any]) -> int:
    """The version of a file of any age; files of version 1 call it `schema`."""
    version = fields["schema_version"] if "schema_version" in fields else fields["schema"]
    if not isinstance(version, int) or version < 1:
        raise ValueError(f"no schema version: {version!r}")
    return version
