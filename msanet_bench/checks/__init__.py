"""What can only be known by building: variants that are the same network, taps off the map, constraints.

`load_experiment` reads a file against every block there is; `check_plan` builds each of its variants.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from msanet_bench.checks.fitting import refuse_images
from msanet_bench.checks.lone_image import refuse_lone_image
from msanet_bench.checks.sameness import same_variants
from msanet_bench.checks.shapes import ImageShape, build_variant, image_shape, resized
from msanet_bench.checks.taps import taps_off_the_map
from msanet_bench.constraint import Constraint
from msanet_bench.data import DATASETS, Dataset, cache_bytes, load, num_training_images
from msanet_bench.errors import BenchError, SpecError
from msanet_bench.factories import factory_modules
from msanet_bench.measure.macs import count_macs
from msanet_bench.measure.params import params
from msanet_bench.model.catalogue import SLOTS
from msanet_bench.model.families import MODELS
from msanet_bench.parse import parse_experiment
from msanet_bench.plan import BASELINE, Catalog, Variant, enumerate_variants
from msanet_bench.plugins import PluginError, load_entry_points, load_plugins
from msanet_bench.spec import DataSpec, Experiment, digest
from msanet_bench.yaml_document import read_yaml

__all__ = [
    "CheckedPlan",
    "Exclusion",
    "ImageShape",
    "build_variant",
    "catalog",
    "check_plan",
    "load_experiment",
]


class Exclusion(NamedTuple):
    """A variant that is not trained, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class CheckedPlan:
    """The variants that are trained, which others they stand for, and what a reader should know of them.

    Attributes:
        merged: For each variant, the names of those that are the same network, data and training.
        shapes: The input of each variant.
        data_digests: The digest of each data set, by the name and options that choose it.
        test_labels: The classes of the baseline's test images, in their order.
        found_shapes: Of the images of each data set before they are resized.
    """

    variants: tuple[Variant, ...]
    merged: Mapping[str, tuple[str, ...]]
    excluded: tuple[Exclusion, ...]
    notes: tuple[str, ...]
    shapes: Mapping[str, ImageShape]
    data_digests: Mapping[str, str]
    test_labels: tuple[int, ...]
    found_shapes: Mapping[str, ImageShape] = field(default_factory=dict)

    def data_digest(self, data: DataSpec) -> str:
        return self.data_digests[_dataset_key(data)]

    def shape(self, data: DataSpec) -> ImageShape:
        return resized(self.found_shapes[_dataset_key(data)], data)

    def of(self, variants: Sequence[Variant]) -> "CheckedPlan":
        """The plan of these variants, which a search has asked for."""
        return replace(
            self,
            variants=tuple(variants),
            merged={variant.name: () for variant in variants},
            shapes={variant.name: self.shape(variant.settings.data) for variant in variants},
        )


def catalog() -> Catalog:
    """Everything that an experiment file can name."""
    return {"model": MODELS, **SLOTS, "data": DATASETS}


def load_experiment(file: Path | str) -> Experiment:
    """The experiment of a file, with its plug-ins imported.

    Raises:
        SpecError: the file breaks rules, and every one is named; or a plug-in of it cannot be loaded.
        BenchError: the file cannot be read.
    """
    path = Path(file)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BenchError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start}).") from error
    except OSError as error:
        raise BenchError(f"{path}: cannot be read ({error.strerror}).") from error
    load_entry_points()
    _load_plugins(text, path)
    return parse_experiment(text, source=str(path), name=path.stem, catalog=catalog())


def check_plan(experiment: Experiment, data_root: Path) -> CheckedPlan:
    """Build every variant and settle which are trained; of a search, the baseline, as all else is unknown.

    Raises:
        BenchError: a variant cannot be built, does not train on a batch that it will meet, or changes nothing
            although it is listed on purpose; or a constraint excludes the baseline.
        DataError: a data set is missing.
    """
    variants = enumerate_variants(experiment, catalog())
    datasets = _datasets(variants, data_root)
    found = {key: image_shape(dataset) for key, dataset in datasets.items()}
    shapes = {v.name: resized(found[_dataset_key(v.settings.data)], v.settings.data) for v in variants}
    for variant in variants:
        data = variant.settings.data
        refuse_images(variant, shapes[variant.name])
        refuse_lone_image(
            variant, shapes[variant.name], num_training_images(datasets[_dataset_key(data)], data)
        )
    if experiment.search is not None:
        for variant in variants:
            build_variant(variant, shapes[variant.name])
        variants = variants[:1]
    merged = {group[0].name: tuple(v.name for v in group[1:]) for group in same_variants(variants, shapes)}
    if experiment.design != "factorial" and merged[BASELINE]:
        raise BenchError(_changes_nothing(experiment.name, merged[BASELINE]))
    kept = [variant for variant in variants if variant.name in merged]
    limits = () if experiment.search is not None else experiment.constraints
    excluded = tuple(_exclusions(kept, shapes, limits))
    unwanted = {exclusion.name: exclusion.reason for exclusion in excluded}
    if BASELINE in unwanted:
        raise BenchError(f"{experiment.name}: the baseline itself is excluded: {unwanted[BASELINE]}.")
    trained = tuple(variant for variant in kept if variant.name not in unwanted)
    return CheckedPlan(
        variants=trained,
        merged={variant.name: merged[variant.name] for variant in trained},
        excluded=excluded,
        notes=tuple(_notes(trained, merged, excluded, shapes)),
        shapes={variant.name: shapes[variant.name] for variant in trained},
        data_digests={key: dataset.digest for key, dataset in datasets.items()},
        test_labels=tuple(datasets[_dataset_key(experiment.data)].test_labels.tolist()),
        found_shapes=found,
    )


def cache_bytes_needed(experiment: Experiment, data_root: Path) -> int:
    """How many bytes the data sets of an experiment write below the data folder when they are first read.

    Raises:
        DataError: a data set is missing.
    """
    variants = enumerate_variants(experiment, catalog())
    specs = {_dataset_key(variant.settings.data): variant.settings.data for variant in variants}
    return sum(cache_bytes(spec, data_root) for spec in specs.values())


def _load_plugins(text: str, path: Path) -> None:
    """Load what the file names, so that the rest of it can be judged; what is no name is left to `parse`."""
    document = read_yaml(text)
    tree = document.tree if isinstance(document.tree, dict) else {}
    named = tree.get("plugins")
    listed = [(name, ("plugins", i)) for i, name in enumerate(named if isinstance(named, list) else [])]
    problems = []
    for name, place in (*listed, *factory_modules(tree).items()):
        try:
            load_plugins([name] if isinstance(name, str) else [], path.parent)
        except PluginError as error:
            problems.append(document.problem(place, str(error)))
    if problems:
        raise SpecError(str(path), [*document.problems, *problems])


def _datasets(variants: Sequence[Variant], root: Path) -> dict[str, Dataset]:
    specs = {_dataset_key(variant.settings.data): variant.settings.data for variant in variants}
    return {key: load(spec, root) for key, spec in specs.items()}


def _dataset_key(data: DataSpec) -> str:
    return digest({"dataset": data.dataset, "options": dict(data.options)})


def _changes_nothing(experiment: str, names: Sequence[str]) -> str:
    return (
        f"{experiment}: {_quoted(names)} changes nothing: same modules, parameters, output, data and "
        "training as the baseline. Remove it, or say `replicate: 1` if a twin is meant."
    )


def _exclusions(
    variants: Sequence[Variant], shapes: Mapping[str, ImageShape], constraints: Sequence[Constraint]
) -> Iterator[Exclusion]:
    for variant in variants:
        for constraint in constraints:
            value = _cost(variant, shapes[variant.name], constraint)
            if not constraint.allows(value):
                yield Exclusion(
                    variant.name, f"{constraint.measure} is {value}, but {constraint} is asked for"
                )
                break


def _cost(variant: Variant, shape: ImageShape, constraint: Constraint) -> int:
    model = build_variant(variant, shape)
    if constraint.measure == "params":
        return params(model)
    macs = count_macs(model, shape.image)
    if not macs.is_exact:
        raise BenchError(
            f"variant `{variant.name}`: `{constraint}` needs an exact count, but the count is {macs.status}. "
            "Constrain `params` instead, or leave the variant out."
        )
    return macs.total


def _notes(
    variants: Sequence[Variant],
    merged: Mapping[str, tuple[str, ...]],
    excluded: Sequence[Exclusion],
    shapes: Mapping[str, ImageShape],
) -> Iterator[str]:
    for variant in variants:
        if merged[variant.name]:
            yield f"`{variant.name}` is the same as {_quoted(merged[variant.name])}: trained once."
    for name, reason in excluded:
        yield f"`{name}` is not trained: {reason}."
    met = (note for variant in variants for note in taps_off_the_map(variant, shapes[variant.name]))
    yield from dict.fromkeys(met)


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
