"""The JSON Schema of claims files, for editors."""

from typing import Any

from msanet_bench.claims.spec import ClaimsFile


def claims_schema() -> dict[str, Any]:
    """What `parse_claims` accepts, as far as JSON Schema can say it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ClaimsFile.model_json_schema(),
        "title": "msanet_bench claims",
    }
