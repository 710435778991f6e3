"""`msanet-bench profile EXPERIMENT`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from msanet_bench.cli.arguments import DataRoot, ExperimentFile
from msanet_bench.cli.cache import announce_cache


def profile(
    experiment: ExperimentFile,
    *,
    variant: Annotated[
        str | None, typer.Option(help="Only this one, by its name in the plan.", metavar="NAME")
    ] = None,
    parts: Annotated[
        bool, typer.Option("--parts", help="Show the parts of each variant too, with their shares.")
    ] = False,
    memory: Annotated[
        bool, typer.Option("--memory", help="Measure memory too: a fresh process a variant, and CUDA if any.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print all of it as JSON, as a sweep writes it to profile.json.")
    ] = False,
    data_root: DataRoot = Path("data"),
) -> None:
    """Count what each variant costs, without training.

    Parameters, multiply-accumulates (MACs) and activations of one image. MACs are exact when three sources
    agree to the last unit: fvcore, torch's counter and the blocks' own formulas; FLOPs are twice the MACs.
    Memory is estimated from sizes alone; --memory measures it beside. A receptive field is what a unit of the
    last map can see through windows, and, by gradients, what it does see at the start of seed 0.
    Nothing is written. Exit code 0: counted; 2: the experiment or the variant is not in order.
    """
    from msanet_bench.checks import check_plan, load_experiment
    from msanet_bench.console.profile import show_profile
    from msanet_bench.profile import only_variant, profile_json, profile_text, profile_variants
    from msanet_bench.profile.measured import measure_memory, with_memory

    loaded = load_experiment(experiment)
    announce_cache(loaded, data_root, stream=sys.stderr if json else None)
    plan = check_plan(loaded, data_root)
    asked = plan if variant is None else only_variant(plan, variant)
    counted = profile_json(profile_variants(asked, plugins=loaded.plugins, plugin_folder=experiment.parent))
    if memory:
        measured = measure_memory(asked, plugins=loaded.plugins, plugin_folder=experiment.parent)
        counted = with_memory(counted, measured)
    if json:
        print(profile_text(counted), end="")
    else:
        show_profile(counted["variants"], parts=parts)
