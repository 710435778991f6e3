# N batch, c one branch's channels, C channels, H height, W width, K branches
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from msanet_bench.model.norm import BatchNorm2d
from msanet_bench.model.slots import FUSION, Shape


@FUSION.register("gated")
class Gated(nn.Module):
    """Branches added up, each position of each weighted by a gate of all (Arevalo et al. 2017).

    outputs: a list of K (N, c, H, W) -> (N, C, H, W)

    arXiv:1702.01992, for K inputs: the sum of z_k * W_k x_k, z_k = sigmoid(G_k [x_1 .. x_K]).
    Here z_k is one number a position where the source has one a channel, which would cost K times `concat`,
    and batch norm and ReLU behind the sum stand in the place of tanh in it.
    """

    def __init__(self, branch_channels: Sequence[int], channels: int) -> None:
        super().__init__()
        self.gate = nn.Conv2d(sum(branch_channels), len(branch_channels), 1)
        self.conv = nn.Conv2d(sum(branch_channels), channels, 1)
        self.norm = BatchNorm2d(channels)

    def forward(self, outputs_NcHW: Sequence[Tensor]) -> Tensor:
        gates_NKHW = torch.sigmoid(self.gate(torch.cat(tuple(outputs_NcHW), dim=1)))
        gates_N1HW = torch.split(gates_NKHW, 1, dim=1)
        gated_NcHW = [gate * x for gate, x in zip(gates_N1HW, outputs_NcHW, strict=True)]
        return torch.relu(self.norm(self.conv(torch.cat(gated_NcHW, dim=1))))

    def macs(self, shapes: Sequence[Shape]) -> int:
        batch, _, height, width = shapes[0]
        taken = batch * height * width * sum(shape[1] for shape in shapes)
        return taken * (len(shapes) + self.conv.out_channels)
