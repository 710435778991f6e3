"""Which search a results folder belongs to, and what it has asked for so far."""

from collections.abc import Sequence

from msanet_bench.plan import Catalog, Variant, baseline_settings, make_variant
from msanet_bench.search.space import Space
from msanet_bench.search.trials import Asked
from msanet_bench.search_spec import SearchSpec
from msanet_bench.spec import Experiment, digest


def space_of(experiment: Experiment, catalog: Catalog) -> Space:
    return Space(experiment, catalog, asks_all=experiment.design == "qmc")


def search_id(experiment: Experiment, space: Space) -> str:
    """A digest of what may not change in a study: the space, what is trained, the rules of the search.

    More trials, more seeds or another batch go on with the same one.
    """
    search = (experiment.search or SearchSpec()).model_dump(mode="json", exclude={"trials", "batch"})
    parts = experiment.model_dump(mode="json", include={"baseline", "data", "train", "design", "factors"})
    limits = [str(constraint) for constraint in experiment.constraints]
    return digest({**parts, "search": search, "constraints": limits, "space": space.identity()})


def variants_of(experiment: Experiment, catalog: Catalog, asked: Sequence[Asked]) -> list[Variant]:
    """What today's search of a folder has asked for and is to be trained, each once."""
    space = space_of(experiment, catalog)
    identity = search_id(experiment, space)
    baseline = make_variant(baseline_settings(experiment), experiment.factors, {}, catalog)
    lines = (line for line in asked if line.study == identity and not line.rejected)
    found = (
        baseline if line.params is None or not line.number else space.variant(line.params) for line in lines
    )
    return list({variant.name: variant for variant in found}.values())
