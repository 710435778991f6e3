"""Any network of timm (Wightman 2019, github.com/huggingface/pytorch-image-models), untrained."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import Field
from torch import nn

from msanet_bench.model.slots import MODELS

_PREFIX = "timm:"
Share = Annotated[float, Field(ge=0, lt=1)]


@MODELS.register_family(_PREFIX)
def timm_model(name: str) -> Callable[..., nn.Module]:
    """A network of timm, untrained, by the name that `timm.create_model` knows it by (extra `timm`)."""
    try:
        import timm  # noqa: PLC0415 - optional: the extra `timm`
    except ImportError as error:
        raise LookupError(
            f"models that begin with `{_PREFIX}` need timm, which is not installed. "
            'Install it: pip install "msanet-bench[timm]".'
        ) from error
    architecture = name.removeprefix(_PREFIX)
    # no name of a hub is a model's: nothing is looked up in a network
    if not timm.is_model(architecture):
        close = get_close_matches(architecture, timm.list_models())
        guess = f" Did you mean {' or '.join(close)}?" if close else ""
        raise LookupError(f"timm has no model `{architecture}`.{guess} `timm.list_models()` names all.")
    known = timm.get_pretrained_cfg(architecture)
    is_sized = known is not None and known.fixed_input_size

    def build(
        in_channels: int,
        num_classes: int,
        size: tuple[int, int],
        *,
        drop_rate: Share = 0.0,
        drop_path_rate: Share = 0.0,
    ) -> nn.Module:
        asked: dict[str, Any] = {"drop_rate": drop_rate, "drop_path_rate": drop_path_rate}
        # what is 0 stays unsaid: not every network of timm takes every option
        options = {option: value for option, value in asked.items() if value}
        if is_sized:
            options["img_size"] = size
        model: nn.Module = timm.create_model(
            architecture, pretrained=False, in_chans=in_channels, num_classes=num_classes, **options
        )
        return model

    build.__doc__ = f"timm's own `{architecture}`."
    build.__qualname__ = name
    return build
