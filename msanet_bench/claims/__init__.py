"""Claims, each recomputed from raw rows and live networks: confirmed, refuted or undecided.

A second implementation on purpose: nothing here uses the statistics of `analysis`, `report` or `compare`.
"""

from msanet_bench.claims.parse import load_claims
from msanet_bench.claims.verify import verify

__all__ = ["load_claims", "verify"]
