# N batch, c one branch's channels, C channels, H height, W width, R reduced channels, K branches
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from msanet_bench.model.norm import BatchNorm2d
from msanet_bench.model.slots import FUSION, Shape


@FUSION.register("selective_kernel")
class SelectiveKernel(nn.Module):
    """Branches added up, each channel weighted by a softmax over them (Li et al. 2019, arXiv:1903.06586).

    outputs: a list of K (N, c, H, W) -> (N, C, H, W), R = C / reduction, at least `least` (eq. 4)

    Eq. 1-6. The branches of the source have C channels; ours are narrower and may differ, so each is
    projected to C first, by a 1 x 1 convolution, batch norm and ReLU, for the cost of `concat`.
    """

    def __init__(
        self, branch_channels: Sequence[int], channels: int, *, reduction: int = 16, least: int = 32
    ) -> None:
        super().__init__()
        if reduction < 1:
            raise ValueError(f"`reduction` must be positive, but got ({reduction=}).")
        if least < 1:
            raise ValueError(f"`least` must be positive, but got ({least=}).")
        reduced = max(channels // reduction, least)
        self.project = nn.ModuleList(nn.Conv2d(narrow, channels, 1) for narrow in branch_channels)
        self.project_norm = nn.ModuleList(BatchNorm2d(channels) for _ in branch_channels)
        self.squeeze = nn.Conv2d(channels, reduced, 1)
        self.norm = BatchNorm2d(reduced)
        self.select = nn.ModuleList(nn.Conv2d(reduced, channels, 1) for _ in branch_channels)

    def forward(self, outputs_NcHW: Sequence[Tensor]) -> Tensor:
        layers = zip(self.project, self.project_norm, outputs_NcHW, strict=True)
        wide_KNCHW = torch.stack([torch.relu(norm(conv(x))) for conv, norm, x in layers])
        pooled_NC11 = wide_KNCHW.sum(dim=0).mean(dim=(2, 3), keepdim=True)
        hidden_NR11 = torch.relu(self.norm(self.squeeze(pooled_NC11)))
        share_KNC11 = torch.stack([layer(hidden_NR11) for layer in self.select]).softmax(dim=0)
        return (share_KNC11 * wide_KNCHW).sum(dim=0)

    def macs(self, shapes: Sequence[Shape]) -> int:
        batch, _, height, width = shapes[0]
        channels, reduced = self.squeeze.in_channels, self.squeeze.out_channels
        projected = height * width * sum(shape[1] for shape in shapes) * channels
        return batch * (projected + (1 + len(shapes)) * channels * reduced)
