"""The files of a merged folder: the journal first, since all others can be made again."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msanet_bench.finished import export_finished
from msanet_bench.journal import Attempt
from msanet_bench.merge.sources import Source, line_of
from msanet_bench.records import replace_bytes, replace_text
from msanet_bench.session.files import ABOUT, CONDITIONS, LATENCY, SAMPLES, forget_latency
from msanet_bench.shard import planned_seeds
from msanet_bench.spec import canonical_json


def write_merged(out: Path, sources: Sequence[Source], attempts: Sequence[Attempt]) -> None:
    """Write what a sweep would have left, the manifest last.

    Raises:
        ResultsError: the disk refuses; the same merge again goes on.
    """
    journal = "".join(map(line_of, attempts))
    replace_bytes(out / "journal.jsonl", journal.encode("utf-8"), durable=True)
    export_finished(out, sources[0].cells, attempts)
    _copy_first(out, sources, "profile.json")
    _copy_latency(out, sources)
    text = json.dumps(merged_manifest(sources), indent=1, ensure_ascii=False, allow_nan=False)
    replace_text(out / "manifest.json", f"{text}\n", durable=True)


def merged_manifest(sources: Sequence[Source]) -> dict[str, Any]:
    """The plan that all have, with what they do not have in common added up.

    The environment is that of the first, whose latencies are kept; those of other machines stand beside it.
    """
    manifests = [source.manifest for source in sources]
    content = {name: value for name, value in manifests[0].items() if name != "shard"}
    if any("looks" in manifest for manifest in manifests):
        content["looks"] = _looks(sources)
    if any("amendments" in manifest for manifest in manifests):
        content["amendments"] = _amendments(manifests)
    if any("accepted_code" in manifest for manifest in manifests):
        accepted = {code for manifest in manifests for code in manifest.get("accepted_code", [])}
        content["accepted_code"] = sorted(accepted)
    content["notes"] = list(dict.fromkeys(note for manifest in manifests for note in manifest["notes"]))
    others = {canonical_json(each): each for manifest in manifests for each in _environments(manifest)}
    del others[canonical_json(content["environment"])]
    if others:
        content["other_environments"] = [others[text] for text in sorted(others)]
    return content


def _environments(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [manifest["environment"], *manifest.get("other_environments", [])]


def _looks(sources: Sequence[Source]) -> list[list[int]]:
    """Every look that somebody had, the narrowest first and today's last."""
    seeds = planned_seeds(sources[0].cells)
    histories = [source.manifest.get("looks") or [seeds] for source in sources]
    earlier = _once_each([history[:-1] for history in histories], key=lambda look: (len(look), look))
    return [*earlier, seeds]


def _amendments(manifests: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Every change of a plan that somebody made; which of several folders' came first is not known."""
    return _once_each([manifest.get("amendments", []) for manifest in manifests], key=canonical_json)


def _once_each(histories: Sequence[list[Any]], key: Callable[[Any], Any]) -> list[Any]:
    """Histories that are one history, or else all that they hold, each as often as where it is most often."""
    if all(history == histories[0] for history in histories):
        return histories[0]
    most: Counter[str] = Counter()
    for history in histories:
        most |= Counter(map(json.dumps, history))
    return sorted(map(json.loads, most.elements()), key=key)


def _copy_first(out: Path, sources: Sequence[Source], name: str) -> None:
    first = next((path for s in sources if (path := s.folder / name).exists()), None)
    if first is not None:
        _copy(first, out / name)


def _copy_latency(out: Path, sources: Sequence[Source]) -> None:
    """The latencies of the first that has some, tables last: a session counts as taken once it has them."""
    first = next((source.folder for source in sources if source.has_latency), out)
    if first != out:
        forget_latency(out)
        for name in (ABOUT, SAMPLES, CONDITIONS, LATENCY):
            if (first / name).exists():
                _copy(first / name, out / name)


def _copy(path: Path, to: Path) -> None:
    if path != to:
        replace_bytes(to, path.read_bytes())
