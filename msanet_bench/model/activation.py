"""What may take the place of the ReLUs of a network: torch's own modules."""

from typing import Literal

from torch import nn

from msanet_bench.model.slots import ACTIVATIONS


@ACTIVATIONS.register("relu")
def _relu() -> nn.Module:
    """max(0, x): what blocks build themselves, left as it is."""
    return nn.ReLU()


@ACTIVATIONS.register("gelu")
def _gelu(*, approximate: Literal["none", "tanh"] = "none") -> nn.Module:
    """X times the normal distribution's probability up to x (Hendrycks & Gimpel 2016, arXiv:1606.08415)."""
    return nn.GELU(approximate)


@ACTIVATIONS.register("silu")
def _silu() -> nn.Module:
    """X times its sigmoid (Elfwing et al. 2018, arXiv:1702.03118)."""
    return nn.SiLU()


@ACTIVATIONS.register("hardswish")
def _hardswish() -> nn.Module:
    """X times relu6(x + 3) / 6 (Howard et al. 2019, arXiv:1905.02244, section 5.2)."""
    return nn.Hardswish()


@ACTIVATIONS.register("leaky_relu")
def _leaky_relu(*, negative_slope: float = 0.01) -> nn.Module:
    """max(0, x) + negative_slope min(0, x) (Maas et al. 2013)."""
    return nn.LeakyReLU(negative_slope)


@ACTIVATIONS.register("elu")
def _elu(*, alpha: float = 1.0) -> nn.Module:
    """x, or alpha (exp(x) - 1) below 0 (Clevert et al. 2016, arXiv:1511.07289)."""
    return nn.ELU(alpha)


@ACTIVATIONS.register("none")
def _none() -> nn.Module:
    """No activation: what is left of the network is linear but for attention and pooling."""
    return nn.Identity()
