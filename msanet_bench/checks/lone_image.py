"""Whether a network trains on the smallest batch of an epoch, where that is one image."""

import torch

from msanet_bench.checks.shapes import ImageShape, build_variant
from msanet_bench.errors import BenchError
from msanet_bench.plan import Variant

# how torch's batch norm begins when it is given one value a channel
_TOO_FEW = "Expected more than 1 value per channel"
# what anybody's code may raise on a device without memory, which is no answer to what is asked here
_REFUSALS = (RuntimeError, ValueError, TypeError, AssertionError, ArithmeticError, LookupError)


def refuse_lone_image(variant: Variant, shape: ImageShape, num_images: int) -> None:
    """Train on nothing but the shape of one image, if an epoch over so many images has such a batch.

    Raises:
        BenchError: a batch norm that is not ours has one value a channel there.
    """
    batch_size = variant.settings.train.batch_size
    if num_images % batch_size != 1 and batch_size != 1:
        return
    norm = _norm_of_one_value(variant, shape)
    if norm is not None:
        raise BenchError(
            f"variant `{variant.name}`: every batch must hold two images or more, but {num_images} training "
            f"images in batches of {batch_size} leave one alone, and torch's batch norm `{norm}` does not "
            f"train on its one value a channel. Choose another `train.batch_size` or `data.train_images`. "
            "A norm of your own block can be msanet_bench.model.norm.BatchNorm2d, which does."
        )


def _norm_of_one_value(variant: Variant, shape: ImageShape) -> str | None:
    """The name of the norm that refuses one image; None if there is none."""
    running: list[str] = []
    with torch.device("meta"), torch.no_grad():
        model = build_variant(variant, shape).train()
        for name, module in model.named_modules():
            module.register_forward_pre_hook(lambda *_, name=name: running.append(name))
        try:
            model(torch.empty(1, *shape.image))
        except _REFUSALS as error:
            return running[-1] if str(error).startswith(_TOO_FEW) else None
    return None
