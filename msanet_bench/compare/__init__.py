"""Result tables side by side: differences, ratios, and gates on them. Loads no torch and no pandas."""

from msanet_bench.compare.build import compare
from msanet_bench.compare.document import Comparison
from msanet_bench.compare.formats import render
from msanet_bench.compare.gates import exit_code, parse_gate, rule
from msanet_bench.compare.sides import parse_delta, parse_sides

__all__ = ["Comparison", "compare", "exit_code", "parse_delta", "parse_gate", "parse_sides", "render", "rule"]
