"""Variants that cannot differ in any number: the same modules, start, output, data and training."""

import hashlib
from collections.abc import Mapping, Sequence

import torch

from msanet_bench.checks.shapes import ImageShape, build_variant, start_variant
from msanet_bench.plan import Variant
from msanet_bench.spec import TrainSpec, digest
from msanet_bench.streams import derive_seed


def same_variants(variants: Sequence[Variant], shapes: Mapping[str, ImageShape]) -> list[list[Variant]]:
    """The variants in groups of the same; groups and members in the order of the plan."""
    groups: dict[str, list[Variant]] = {}
    for variant in variants:
        groups.setdefault(structure_digest(variant, shapes[variant.name]), []).append(variant)
    same = [part for group in groups.values() for part in _split_by_output(group, shapes)]
    place = {variant.name: number for number, variant in enumerate(variants)}
    return sorted(same, key=lambda group: place[group[0].name])


def structure_digest(variant: Variant, shape: ImageShape) -> str:
    """Modules, parameters, data, training and replicate; equal for variants that may be the same."""
    with torch.device("meta"):
        model = build_variant(variant, shape)
    settings = variant.settings
    return digest(
        {
            "modules": repr(model),
            "parameters": [(name, list(value.shape)) for name, value in model.state_dict().items()],
            # the size that a resize leads to, since one to the images' own size does nothing
            "image": shape.image,
            "data": settings.data.model_dump(mode="json", exclude={"resize"}),
            "train": settings.train.model_dump(mode="json", exclude=_idle(settings.train)),
            "replicate": settings.replicate,
        }
    )


def _idle(train: TrainSpec) -> set[str]:
    """The settings that the optimiser does not take."""
    return {"momentum"} if train.optimiser == "adamw" else set()


def _split_by_output(group: Sequence[Variant], shapes: Mapping[str, ImageShape]) -> list[list[Variant]]:
    """A group of equal structure by start and output, since an option need not show in a module's text."""
    if len(group) == 1:
        return [list(group)]
    by_output: dict[str, list[Variant]] = {}
    for variant in group:
        by_output.setdefault(_behaviour_digest(variant, shapes[variant.name]), []).append(variant)
    return list(by_output.values())


def _behaviour_digest(variant: Variant, shape: ImageShape) -> str:
    """The start of one seed, and the outputs for parameters that are nowhere zero: no part is silent there.

    In training too, from one random state, since dropout and its kin need not name their rates.
    """
    model = start_variant(variant, shape, seed=0)
    sha = hashlib.sha256()
    for value in model.state_dict().values():
        sha.update(value.numpy().tobytes())
    model.double().eval()
    generator = torch.Generator()
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        for name, parameter in model.named_parameters():
            generator.manual_seed(derive_seed("fingerprint", name))
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.copy_(0.1 + 0.1 * noise)
        generator.manual_seed(0)
        images = torch.randn((2, *shape.image), generator=generator, dtype=torch.float64)
        sha.update(model(images).numpy().tobytes())
        torch.default_generator.manual_seed(0)
        sha.update(model.train()(images).numpy().tobytes())
    return sha.hexdigest()
