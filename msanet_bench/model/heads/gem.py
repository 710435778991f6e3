# N batch, C channels, H height, W width, K classes
import torch
from torch import Tensor, nn

from msanet_bench.model.slots import HEADS, Shape


@HEADS.register("gem")
class GeM(nn.Module):
    """A mean between average and maximum, then a linear layer (Radenovic et al. 2019, arXiv:1711.02512).

    x: (N, C, H, W) -> (N, K)

    (mean of x^p)^(1/p) with a learnable p for all channels; p = 1 is the average. Values below 1e-6 count as
    1e-6, as in the authors' code, so that powers and their gradients exist.
    """

    def __init__(self, channels: int, _hidden: int, num_classes: int, *, p: float = 3.0) -> None:
        super().__init__()
        if p < 1:
            raise ValueError(f"`p` must be at least 1, but got ({p=}).")
        self.p = nn.Parameter(torch.full((1,), p))
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        powers_NCHW = x_NCHW.clamp(min=1e-6).pow(self.p)
        pooled_NC = powers_NCHW.mean(dim=(2, 3)).pow(1 / self.p)
        logits_NK: Tensor = self.classifier(pooled_NC)
        return logits_NK

    def macs(self, shape: Shape) -> int:
        batch, channels, *_ = shape
        return batch * channels * self.classifier.out_features
