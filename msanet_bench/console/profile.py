"""The static costs of variants as tables that fit a terminal."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from msanet_bench.console.tables import open_console, variants_table

_KIBI = 1024

# in lines of their own, since a pipe folds none
_LEGEND = (
    "saved, train, infer: estimated bytes. Saved for the backward pass; most alive",
    "at once in a step of training on `batch` images, and in inference on one.",
    "can see, sees: side in pixels of what a unit of the last map can see through",
    "windows, and of what it does see at the start of training.",
)
_MEASURED_LEGEND = (
    "measured bytes, at most: on CUDA in a step of training on `batch` images and in",
    "inference on one; of a process that runs one image on the CPU (host), and of",
    "one that has only imported the same (empty).",
)


def show_profile(variants: Mapping[str, Mapping[str, Any]], *, parts: bool) -> None:
    """A row a variant of what `profile.json` holds, in tables, with the reasons of what is not known.

    With `parts`, a table a variant beside: its parameters and multiply-accumulates by part, with shares.
    """
    console = open_console()
    has_measured = any("host_peak_rss_bytes" in costs for costs in variants.values())
    console.print(_counts_table(variants))
    _show_reasons(console, variants, _count_reasons)
    console.print()
    console.print(_memory_table(variants))
    _show_reasons(console, variants, _memory_reasons)
    _show_lines(console, _LEGEND)
    if has_measured:
        console.print()
        console.print(_measured_table(variants))
        _show_reasons(console, variants, _measured_reasons)
        _show_lines(console, _MEASURED_LEGEND)
    for name, costs in variants.items() if parts else ():
        console.print()
        console.print(_parts_table(name, costs))


def _show_lines(console: Console, lines: Iterable[str]) -> None:
    for line in lines:
        console.print(line, markup=False, style="dim")


def _show_reasons(
    console: Console,
    variants: Mapping[str, Mapping[str, Any]],
    reasons: Callable[[Mapping[str, Any]], Iterable[str]],
) -> None:
    """A line a reason; one that holds for every variant stands once, without names."""
    found = {name: tuple(reasons(costs)) for name, costs in variants.items()}
    shared = [reason for reason in next(iter(found.values()), ()) if all(reason in r for r in found.values())]
    for reason in shared if len(found) > 1 else ():
        console.print(f"all: {reason}", markup=False)
    for name, lines in found.items():
        for line in lines:
            if line not in shared or len(found) == 1:
                console.print(f"{name} {line}", markup=False)


def _counts_table(variants: Mapping[str, Mapping[str, Any]]) -> Table:
    table = variants_table(("params", "MACs", "FLOPs", "activations", "status"))
    for name, costs in variants.items():
        numbers = (costs[field] for field in ("params", "macs", "flops", "activations"))
        kind = costs["macs_status"].partition(":")[0]
        table.add_row(escape(name), *map(_count, numbers), kind.removeprefix("exact by "))
    return table


def _count_reasons(costs: Mapping[str, Any]) -> Iterator[str]:
    if ":" in costs["macs_status"]:
        yield costs["macs_status"]


def _memory_table(variants: Mapping[str, Mapping[str, Any]]) -> Table:
    table = variants_table(("batch", "saved", "train", "infer", "can see", "sees"))
    table.add_column("whole map by")
    for name, costs in variants.items():
        batch, field = costs["train_batch"], costs["receptive_field"]
        peaks = costs["peak_est_bytes"]
        sizes = (costs["saved_bytes"], peaks[f"train_batch_{batch}"], peaks["inference_batch_1"])
        table.add_row(
            escape(name),
            str(batch),
            *map(_size, sizes),
            _sides(field["theoretical"]),
            "-" if field["effective_side"] is None else f"{field['effective_side']:.1f}",
            _short_names(field["whole_map_by"]),
        )
    return table


def _memory_reasons(costs: Mapping[str, Any]) -> Iterator[str]:
    field = costs["receptive_field"]
    if costs["peak_est_status"] != "estimated":
        yield f"memory: {costs['peak_est_status']}"
    if field["theoretical"] is None:
        yield f"receptive field: {field['theoretical_status']}"
    if field["effective_side"] is None:
        yield f"effective receptive field: {field['effective_status']}"


def _measured_table(variants: Mapping[str, Mapping[str, Any]]) -> Table:
    table = variants_table(("batch", "CUDA train", "CUDA infer", "host", "empty"))
    for name, costs in variants.items():
        batch, peaks = costs["train_batch"], costs["peak_cuda_bytes"] or {}
        cuda = (
            (peaks.get(key) or {}).get("allocated") for key in (f"train_batch_{batch}", "inference_batch_1")
        )
        host = costs["host_peak_rss_bytes"], costs["host_baseline_rss_bytes"]
        table.add_row(escape(name), str(batch), *map(_size, (*cuda, *host)))
    return table


def _measured_reasons(costs: Mapping[str, Any]) -> Iterator[str]:
    if costs["peak_cuda_status"] != "measured":
        yield f"CUDA: {costs['peak_cuda_status']}"


def _sides(field: Mapping[str, int] | None) -> str:
    return "-" if field is None else f"{field['height']}x{field['width']}"


def _short_names(parts: Sequence[str] | None) -> str:
    """`branches.context` is a branch called context; whichever part of attention it is, it is attention."""
    if parts is None:
        return "-"
    short = [part.removeprefix("branches.").partition(".")[0] for part in parts]
    return escape(", ".join(dict.fromkeys(short))) or "none"


def _size(amount: int | None) -> str:
    """Three digits with their unit: `1.46M` are 1.46 x 2^20 bytes."""
    if amount is None:
        return "-"
    size, unit = float(amount), ""
    for larger in "KMGT":
        if size < _KIBI - 0.5:  # which would be rounded to 1024
            break
        size, unit = size / _KIBI, larger
    digits = 0 if not unit else max(0, 2 - (size >= 10) - (size >= 100))  # noqa: PLR2004 - places of a number
    return f"{size:.{digits}f}{unit}"


def _parts_table(variant: str, costs: Mapping[str, Any]) -> Table:
    """Where the parameters and multiply-accumulates of a variant are; the columns add up to the last row."""
    columns = (costs["params_by_part"], costs["params"]), (costs["macs_by_part"], costs["macs"])
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column(f"part of {escape(variant)}", overflow="fold")
    for title in ("params", "%", "MACs", "%"):
        table.add_column(title, justify="right", no_wrap=True)
    for part in _in_groups(dict.fromkeys((*costs["params_by_part"], *costs["macs_by_part"]))):
        shares = (_share(by_part.get(part, 0), whole) for by_part, whole in columns)
        table.add_row(escape(part), *(text for share in shares for text in share))
    table.add_row("total", _count(costs["params"]), "", _count(costs["macs"]), "")
    return table


def _in_groups(parts: Iterable[str]) -> list[str]:
    """Parts of one thing side by side: the core of attention, which has no parameters, beside its query."""
    firsts: dict[str, list[str]] = {}
    for part in parts:
        firsts.setdefault(part.partition(".")[0], []).append(part)
    return [part for group in firsts.values() for part in group]


def _share(amount: int, whole: int | None) -> tuple[str, str]:
    """A part's amount and its share; neither where the whole is not known."""
    return (_count(amount), f"{100 * amount / whole:.1f}") if whole else (_count(whole), _count(None))


def _count(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"
