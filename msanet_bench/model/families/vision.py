"""Networks of torchvision, untrained; for images of other than 3 channels the first layer is another."""

from typing import Annotated

from pydantic import Field
from torch import nn

from msanet_bench.model.slots import MODELS

Share = Annotated[float, Field(ge=0, lt=1)]
Size = tuple[int, int]

_RGB = 3


@MODELS.register("resnet18")
def resnet18(in_channels: int, num_classes: int) -> nn.Module:
    """ResNet-18 (He et al. 2016, arXiv:1512.03385, table 1)."""
    from torchvision.models import resnet18 as make  # noqa: PLC0415 - 1 s

    return _for_channels(make(num_classes=num_classes), in_channels)


@MODELS.register("mobilenet_v3_small")
def mobilenet_v3_small(in_channels: int, num_classes: int, *, dropout: Share = 0.2) -> nn.Module:
    """MobileNetV3-Small (Howard et al. 2019, arXiv:1905.02244, table 2)."""
    from torchvision.models import mobilenet_v3_small as make  # noqa: PLC0415 - 1 s

    return _for_channels(make(num_classes=num_classes, dropout=dropout), in_channels)


@MODELS.register("efficientnet_b0")
def efficientnet_b0(
    in_channels: int, num_classes: int, *, dropout: Share = 0.2, stochastic_depth: Share = 0.2
) -> nn.Module:
    """EfficientNet-B0 (Tan & Le 2019, arXiv:1905.11946, table 1)."""
    from torchvision.models import efficientnet_b0 as make  # noqa: PLC0415 - 1 s

    model = make(num_classes=num_classes, dropout=dropout, stochastic_depth_prob=stochastic_depth)
    return _for_channels(model, in_channels)


@MODELS.register("convnext_tiny")
def convnext_tiny(in_channels: int, num_classes: int, *, stochastic_depth: Share = 0.1) -> nn.Module:
    """ConvNeXt-T (Liu et al. 2022, arXiv:2201.03545, section 3)."""
    from torchvision.models import convnext_tiny as make  # noqa: PLC0415 - 1 s

    model = make(num_classes=num_classes, stochastic_depth_prob=stochastic_depth)
    return _for_channels(model, in_channels)


@MODELS.register("vit_b_16")
def vit_b_16(
    in_channels: int,
    num_classes: int,
    size: Size,
    *,
    patch: Annotated[int, Field(ge=1)] = 16,
    dropout: Share = 0.0,
) -> nn.Module:
    """ViT-B/16 (Dosovitskiy et al. 2021, arXiv:2010.11929, table 1), its positions for the data's size."""
    from torchvision.models import VisionTransformer  # noqa: PLC0415 - 1 s

    height, width = size
    if height != width or height % patch:
        raise ValueError(f"images must be squares of patches, but got ({size=}, {patch=})")
    model = VisionTransformer(
        image_size=height,
        patch_size=patch,
        num_layers=12,
        num_heads=12,
        hidden_dim=768,
        mlp_dim=3072,
        num_classes=num_classes,
        dropout=dropout,
    )
    return _for_channels(model, in_channels)


def _for_channels(model: nn.Module, in_channels: int) -> nn.Module:
    """The network with a first convolution that takes as many channels as the images have."""
    if in_channels == _RGB:
        return model
    path, first = next((p, m) for p, m in model.named_modules() if isinstance(m, nn.Conv2d))
    parent, _, name = path.rpartition(".")
    replacement = nn.Conv2d(
        in_channels,
        first.out_channels,
        (first.kernel_size[0], first.kernel_size[1]),
        (first.stride[0], first.stride[1]),
        padding=first.padding if isinstance(first.padding, str) else (first.padding[0], first.padding[1]),
        bias=first.bias is not None,
    )
    # the spread that torchvision gave the first layer, for as many inputs as it has now
    spread = first.weight.std() * (_RGB / in_channels) ** 0.5
    nn.init.normal_(replacement.weight, std=spread.item() if not spread.is_meta else 1.0)
    if replacement.bias is not None:
        nn.init.zeros_(replacement.bias)
    setattr(model.get_submodule(parent), name, replacement)
    return model
