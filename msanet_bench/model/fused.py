# N batch, C channels, c one branch's channels, H height, W width
"""The network as it is deployed: the same outputs from fewer operations."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from msanet_bench.model.branches.conv import Conv
from msanet_bench.model.fold import fold, replace_modules, watch
from msanet_bench.model.msanet import MultiScaleBlock

# share of the largest output, in float64: rounding stayed below 3e-14 for gains of norms up to 10
TOLERANCE = 1e-12

# half the side of a 5 x 5 window
_LARGEST_REACH = 2


def fuse(model: nn.Module, example: Tensor, *, merge: bool = True) -> nn.Module:
    """A copy for inference alone, with batch norms folded into convolutions and small branches merged.

    A batch norm is folded where it alone takes what one convolution gives. In every multi-scale block, the
    convolutional branches that fit a 5 x 5 window become one convolution: fewer and larger calls, but more
    multiply-accumulates, since the zeros that fill its window are multiplied too.

    All is worked out in float64 and rounded once to the precision of the model.

    Args:
        model: Is not touched.
        example: Images (N, C, H, W). Random ones: zeros hide what a wrong weight does.
        merge: Whether to merge branches; norms are folded in any case.

    Raises:
        ValueError: in float64, for `example`, the outputs of a module that both networks have differ by more
            than 1e-12 of the largest. All are compared, since at a fresh start little of an image arrives at
            the last.
    """
    dtype = next((p.dtype for p in model.parameters() if p.is_floating_point()), example.dtype)
    fused = copy.deepcopy(model).double().eval()
    images = example.detach().double()
    with _outputs(fused) as expected:
        pairs = watch(fused, images)
    fold(fused, pairs)
    if merge:
        blocks = [module for module in fused.modules() if isinstance(module, MultiScaleBlock)]
        replace_modules(fused, {b: MergedMultiScaleBlock(b) for b in blocks if len(mergeable(b)) > 1})
    with torch.no_grad(), _outputs(fused) as outputs:
        fused(images)
    # a convolution gives what its norm gave, which has its name still
    folded = {pair.conv for pair in pairs}
    changed = {name for name, module in fused.named_modules() if module in folded}
    for name in outputs:
        if name in expected and name not in changed:
            _compare(name, outputs[name], expected[name])
    # what was put in is new, and new modules train
    return fused.to(dtype).eval()


class MergedMultiScaleBlock(nn.Module):
    """A multi-scale block in evaluation mode whose small convolutional branches are one convolution.

    x: (N, C, H, W) -> (N, C, H, W)
    """

    def __init__(self, block: MultiScaleBlock) -> None:
        super().__init__()
        convs = mergeable(block)
        self.widths = {name: conv.out_channels for name, conv in convs.items()}
        self.order = tuple(block.branches)
        # the same for all, and without parameters
        self.activation = block.branches[next(iter(convs))].get_submodule("activation")
        self.merged = merge_convolutions(list(convs.values()))
        self.branches = nn.ModuleDict({n: branch for n, branch in block.branches.items() if n not in convs})
        self.fusion = block.fusion

    def forward(self, x_NCHW: Tensor) -> Tensor:
        parts_NcHW = torch.split(self.activation(self.merged(x_NCHW)), list(self.widths.values()), dim=1)
        outputs_NcHW = dict(zip(self.widths, parts_NcHW, strict=True))
        outputs_NcHW.update((name, branch(x_NCHW)) for name, branch in self.branches.items())
        fused_NCHW: Tensor = self.fusion([outputs_NcHW[name] for name in self.order])
        return fused_NCHW


def mergeable(block: MultiScaleBlock) -> Mapping[str, nn.Conv2d]:
    """The convolutions of the branches that fit the window and have no batch norm left."""
    return {
        name: branch.conv
        for name, branch in block.branches.items()
        if isinstance(branch, Conv)
        and branch.reach <= _LARGEST_REACH
        and isinstance(branch.norm, nn.Identity)
        and not any(True for _ in branch.activation.parameters())
    }


def merge_convolutions(convs: Sequence[nn.Conv2d]) -> nn.Conv2d:
    """One convolution whose output channels are those of all, one after the other.

    All of them read one map and keep its size. The window is that of the widest: a smaller kernel stands in
    the middle of it, a dilated one has its taps spread over it, and zeros fill the rest.
    """
    reaches = [conv.dilation[0] * (conv.kernel_size[0] // 2) for conv in convs]
    largest = max(reaches)
    side = 2 * largest + 1
    weights, biases = [], []
    for conv, reach in zip(convs, reaches, strict=True):
        taps = slice(largest - reach, largest + reach + 1, conv.dilation[0])
        weight = conv.weight.new_zeros(conv.out_channels, conv.in_channels, side, side)
        weight[:, :, taps, taps] = conv.weight.detach()
        weights.append(weight)
        biases.append(conv.weight.new_zeros(conv.out_channels) if conv.bias is None else conv.bias.detach())
    with torch.device("meta"):
        merged = nn.Conv2d(convs[0].in_channels, sum(map(len, biases)), side, padding=largest)
    merged.weight, merged.bias = nn.Parameter(torch.cat(weights)), nn.Parameter(torch.cat(biases))
    return merged


@contextmanager
def _outputs(model: nn.Module) -> Iterator[dict[str, list[Tensor]]]:
    """The outputs of every module that returns a tensor, by name and in the order of its calls."""
    outputs: dict[str, list[Tensor]] = {}

    def record(name: str, _: nn.Module, __: object, output: object) -> None:
        if isinstance(output, Tensor):
            outputs.setdefault(name, []).append(output)

    handles = [m.register_forward_hook(partial(record, name)) for name, m in model.named_modules()]
    yield outputs
    for handle in handles:
        handle.remove()


def _compare(name: str, outputs: Sequence[Tensor], expected: Sequence[Tensor]) -> None:
    for output, wanted in zip(outputs, expected, strict=True):
        difference, largest = (output - wanted).abs().max().item(), wanted.abs().max().item()
        if not difference <= TOLERANCE * largest:
            raise ValueError(
                f"{name or 'the network'}: a fused network must give the same outputs to {TOLERANCE:g} of "
                f"the largest ({largest:.3g}), but they differ by {difference:.3g}. A block that uses the "
                "weights of a convolution without calling it cannot be fused."
            )
