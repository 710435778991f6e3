# N batch, C channels, H height, W width, T taps of the kernel, M movements of all taps
import torch
from torch import Tensor, nn

from msanet_bench.model.branches.taps import reach
from msanet_bench.model.norm import BatchNorm2d
from msanet_bench.model.slots import BRANCHES, Shape


@BRANCHES.register("deformable")
class Deformable(nn.Module):
    """Convolution whose taps move to where the map asks (Dai et al. 2017, arXiv:1703.06211, eq. 2).

    x: (N, in_channels, H, W) -> (N, out_channels, H, W), M = 2 T, or 3 T if modulated

    A second convolution of the same kernel works out how far each tap moves at each position. Between pixels
    the map is taken bilinearly, beyond its edge it is 0. It starts at 0, so the start is that of `conv`.
    Batch norm and ReLU follow. A tap may go anywhere, so the branch says no `reach`. On the CPU it is
    deterministic, and many times as slow as `conv`; on CUDA the map's gradient is added up in no fixed
    order. torch exports it to its own format and not to ONNX.

    Args:
        in_channels: Of the map.
        out_channels: Of the branch.
        kernel: Side of the kernel, odd.
        dilation: Pixels between the taps before they move.
        modulated: Weight each tap at each position too (Zhu et al. 2019, arXiv:1811.11168, eq. 1), by twice a
            sigmoid as in the authors' code: 1 at the start, where the paper's weight is at most 1.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel: int = 3,
        dilation: int = 1,
        modulated: bool = False,
    ) -> None:
        super().__init__()
        self.conv = DeformableConv2d(
            in_channels, out_channels, kernel, reach(kernel, dilation), dilation, modulated=modulated
        )
        self.norm = BatchNorm2d(out_channels)
        self.activation = nn.ReLU()

    def forward(self, x_NCHW: Tensor) -> Tensor:
        output_NCHW: Tensor = self.activation(self.norm(self.conv(x_NCHW)))
        return output_NCHW

    def macs(self, shape: Shape) -> int:
        batch, in_channels, height, width = shape
        taps = self.conv.kernel_size[0] ** 2  # what lies between pixels is free, as all resizing
        filters = self.conv.out_channels + self.conv.moves.out_channels
        return batch * height * width * filters * in_channels * taps


class DeformableConv2d(nn.Conv2d):
    """A convolution that works out how far its taps move, down and then right, and perhaps their weights.

    x: (N, in_channels, H, W) -> (N, out_channels, H, W)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        padding: int,
        dilation: int,
        *,
        modulated: bool,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel, padding=padding, dilation=dilation)
        self.num_taps = kernel**2
        self.moves = StillConv2d(
            in_channels, (3 if modulated else 2) * self.num_taps, kernel, padding=padding, dilation=dilation
        )

    def forward(self, x_NCHW: Tensor) -> Tensor:
        from torchvision.ops import deform_conv2d  # noqa: PLC0415 - 1 s

        # torchvision's kernel wants one type for all, and knows no bfloat16
        precise = torch.promote_types(self.weight.dtype, torch.float32)
        moves_NMHW = self.moves(x_NCHW).to(precise)
        weights_NTHW = 2 * torch.sigmoid(moves_NMHW[:, 2 * self.num_taps :])
        output_NCHW: Tensor = deform_conv2d(
            x_NCHW.to(precise),
            moves_NMHW[:, : 2 * self.num_taps],
            self.weight.to(precise),
            None if self.bias is None else self.bias.to(precise),
            padding=(int(self.padding[0]), int(self.padding[1])),
            dilation=(self.dilation[0], self.dilation[1]),
            mask=weights_NTHW if weights_NTHW.shape[1] else None,
        )
        return output_NCHW.to(x_NCHW.dtype)


class StillConv2d(nn.Conv2d):
    """A convolution that gives 0 until it has learnt something."""

    def reset_parameters(self) -> None:
        for parameter in self.parameters():
            nn.init.zeros_(parameter)
