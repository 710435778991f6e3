"""The experiments of the repository, and one that takes a moment, for tests of the runner."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]

# claims.yaml beside them is none
COMMITTED = sorted(path for path in (ROOT / "experiments").glob("*.yaml") if path.stem != "claims")

# the page that shows a sweep's report in short, by the sweep
PUBLISHED = {
    name: page
    for page in ("README.md", "docs/results.md")
    for name in re.findall(
        r"^<!-- msanet-bench:begin (\w+) -->$", (ROOT / page).read_text("utf-8"), re.MULTILINE
    )
    if name != "claims"
}

TINY = """
delta: 5 pp
baseline: {stem: small, width: 0.125, depth: [1]}
data:
  dataset: fake
  options: {classes: 3, channels: 1, size: 8, images: 48, test_images: 24}
  validation: 0
train: {epochs: 2, batch_size: 16, lr: 1e-2}
design: one_at_a_time
factors:
  attention: [self_attention, none, se]
seeds: 2
measure: {latency_rounds: 3}
"""


def write_experiment(folder: Path, text: str = TINY, **changes: str) -> Path:
    """Write an experiment with some of its lines replaced: `seeds="seeds: 3"`."""
    lines = text.splitlines()
    for key, line in changes.items():
        lines = [line if old.startswith(f"{key}:") else old for old in lines]
    path = folder / "tiny.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
