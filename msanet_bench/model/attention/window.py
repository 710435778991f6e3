# N batch, C channels, H height, W width, D query width, B batch and windows, P positions of a window
import torch
from torch import Tensor, nn

from msanet_bench.model.attention.dot_product import DotProductAttention
from msanet_bench.model.slots import ATTENTION, Shape


@ATTENTION.register("window")
class WindowAttention(nn.Module):
    """Every position looks at those of its own window (Liu et al. 2021, arXiv:2103.14030, eq. 4).

    x: (N, C, H, W) -> (N, C, H, W)

    With a bias that is learnt for each offset between two positions; it starts at 0, where the source draws
    it. A side that is no multiple of the window's is filled up at its end, and nobody looks at what was
    filled in. On a map that is smaller than the window, the window is the map. Projections and `gamma`, which
    starts at 0, are those of `self_attention`; windows are not shifted, as each block stands alone here.

    Args:
        channels: C.
        window: Side of a window; the source has 7.
        reduction: D = C / reduction, at least 1.
    """

    def __init__(self, channels: int, *, window: int = 7, reduction: int = 8) -> None:
        super().__init__()
        if window < 1:
            raise ValueError(f"`window` must be positive, but got ({window=}).")
        if reduction < 1:
            raise ValueError(f"`reduction` must be positive, but got ({reduction=}).")
        width = max(1, channels // reduction)
        self.window = window
        self.query = nn.Conv2d(channels, width, 1)
        self.key = nn.Conv2d(channels, width, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.core = DotProductAttention(scale=width**-0.5)
        self.offset_bias = nn.Parameter(torch.empty(2 * window - 1, 2 * window - 1))
        self.gamma = nn.Parameter(torch.empty(1))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.offset_bias)
        nn.init.zeros_(self.gamma)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        batch, channels, height, width = x_NCHW.shape
        rows, columns = min(self.window, height), min(self.window, width)
        query_BDP, key_BDP, value_BCP = (
            _cut(layer(x_NCHW), rows, columns) for layer in (self.query, self.key, self.value)
        )
        is_filled_BP = _cut(_filled(x_NCHW, rows, columns), rows, columns)[:, 0].repeat(batch, 1)
        bias_BPP = self._bias(rows, columns).masked_fill(is_filled_BP[:, None, :] > 0, -torch.inf)
        mixed_BCP: Tensor = self.core(query_BDP, key_BDP, value_BCP, bias_BPP)
        down, across = -(-height // rows), -(-width // columns)
        mixed_NCHW = (
            mixed_BCP.reshape(batch, down, across, channels, rows, columns)
            .permute(0, 3, 1, 4, 2, 5)
            .reshape(batch, channels, down * rows, across * columns)
        )
        return x_NCHW + self.gamma * mixed_NCHW[:, :, :height, :width]

    def _bias(self, rows: int, columns: int) -> Tensor:
        """For each two positions of a window, that of the offset between them: (P, P)."""
        row, column = (torch.arange(side, device=self.offset_bias.device) for side in (rows, columns))
        down = (row[:, None] - row + self.window - 1)[:, None, :, None]
        across = (column[:, None] - column + self.window - 1)[None, :, None, :]
        return self.offset_bias[down, across].reshape(rows * columns, rows * columns)

    def macs(self, shape: Shape) -> dict[str, int]:
        batch, channels, height, width = shape
        positions, narrow = height * width, self.query.out_channels
        rows, columns = min(self.window, height), min(self.window, width)
        windows = -(-height // rows) * -(-width // columns)
        pairs = batch * windows * (rows * columns) ** 2  # those that were filled in cost as much
        return {
            "query": batch * positions * channels * narrow,
            "key": batch * positions * channels * narrow,
            "value": batch * positions * channels * channels,
            "core": pairs * (self.core.query_width(narrow, channels) + channels),
        }


def _cut(x_NCHW: Tensor, rows: int, columns: int) -> Tensor:
    """The windows of all maps, with zeros at the ends: (N * windows, C, rows * columns)."""
    batch, channels, height, width = x_NCHW.shape
    padded_NCHW = nn.functional.pad(x_NCHW, (0, -width % columns, 0, -height % rows))
    down, across = padded_NCHW.shape[2] // rows, padded_NCHW.shape[3] // columns
    parts = padded_NCHW.reshape(batch, channels, down, rows, across, columns).permute(0, 2, 4, 1, 3, 5)
    return parts.reshape(batch * down * across, channels, rows * columns)


def _filled(x_NCHW: Tensor, rows: int, columns: int) -> Tensor:
    """1 where `_cut` fills up, 0 on the map, with the ends in place: (1, 1, H', W')."""
    height, width = x_NCHW.shape[2:]
    on_map = x_NCHW.new_zeros(1, 1, height, width)
    return nn.functional.pad(on_map, (0, -width % columns, 0, -height % rows), value=1.0)
