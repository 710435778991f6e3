import pytest
import torch
from torch import Tensor, nn

from msanet_bench.model.branches import BRANCHES
from msanet_bench.model.branches.conv import Conv
from msanet_bench.model.branches.depthwise import Depthwise
from msanet_bench.model.branches.global_context import GlobalContext
from msanet_bench.model.branches.max_pool import MaxPool
from msanet_bench.registry import OptionProblem


def _image(height: int, width: int) -> Tensor:
    return torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("size", [(7, 9), (2, 5), (1, 1)])
def test_a_broadcast_of_one_pixel_equals_its_bilinear_resize(size: tuple[int, int]) -> None:
    branch, x = GlobalContext(3, 4).double().eval(), _image(*size)
    pooled = nn.functional.adaptive_avg_pool2d(x, 1)
    context = torch.relu(branch.norm(branch.conv(pooled)))
    resized = nn.functional.interpolate(context, size=size, mode="bilinear", align_corners=False)
    torch.testing.assert_close(branch(x), resized, rtol=1e-14, atol=0)


def test_a_dilated_kernel_sees_taps_of_its_reach_and_no_others() -> None:
    branch = Conv(1, 1, kernel=5, dilation=3).double().eval()
    assert branch.reach == 6
    impulse = torch.zeros(1, 1, 15, 15, dtype=torch.float64)
    impulse[0, 0, 7, 7] = 1
    touched = branch.conv(impulse)[0, 0] != branch.conv.bias
    rows = touched.any(dim=1).nonzero().flatten().tolist()
    assert rows == [1, 4, 7, 10, 13]


@pytest.mark.parametrize(("kernel", "dilation", "reach"), [(1, 1, 0), (3, 1, 1), (5, 1, 2), (3, 4, 4)])
@pytest.mark.parametrize("branch", [Conv, Depthwise])
def test_a_branch_knows_its_outermost_tap(branch: type, kernel: int, dilation: int, reach: int) -> None:
    assert branch(4, 4, kernel=kernel, dilation=dilation).reach == reach


def test_max_pool_takes_the_largest_neighbour() -> None:
    branch = MaxPool(1, 1).double().eval()
    with torch.no_grad():
        branch.conv.weight.fill_(1)
        branch.conv.bias.zero_()
    branch.norm.eps = 0.0
    x = torch.arange(12, dtype=torch.float64).view(1, 1, 3, 4)
    expected = [[5, 6, 7, 7], [9, 10, 11, 11], [9, 10, 11, 11]]
    assert branch(x)[0, 0].tolist() == expected
    assert branch.reach == 1


def test_depthwise_mixes_channels_first_and_then_filters_each_alone() -> None:
    branch, x = Depthwise(3, 2, kernel=3).double().eval(), _image(5, 6)
    mixed = torch.einsum("oc,nchw->nohw", branch.pointwise.weight[:, :, 0, 0], x)
    mixed = mixed + branch.pointwise.bias[:, None, None]
    filtered = torch.cat(
        [
            nn.functional.conv2d(
                mixed[:, [c]], branch.depthwise.weight[[c]], branch.depthwise.bias[[c]], padding=1
            )
            for c in range(2)
        ],
        dim=1,
    )
    torch.testing.assert_close(branch(x), torch.relu(branch.norm(filtered)))


def test_depthwise_has_the_parameters_of_its_two_parts() -> None:
    # 1 x 1: 16 * 4 + 4; 5 x 5 on each of 4: 25 * 4 + 4; norm: 2 * 4
    assert sum(p.numel() for p in Depthwise(16, 4, kernel=5).parameters()) == 68 + 104 + 8


@pytest.mark.parametrize(
    ("name", "options", "option", "message"),
    [
        ("conv", {"kernel": 4}, "kernel", "`kernel` must be odd and positive, but got (kernel=4)."),
        ("depthwise", {"kernel": -3}, "kernel", "`kernel` must be odd and positive, but got (kernel=-3)."),
        ("max_pool", {"kernel": 2}, "kernel", "`kernel` must be odd and positive, but got (kernel=2)."),
        ("deformable", {"kernel": 2}, "kernel", "`kernel` must be odd and positive, but got (kernel=2)."),
        ("conv", {"dilation": 0}, "dilation", "`dilation` must be positive, but got (dilation=0)."),
    ],
)
def test_values_that_make_no_branch_are_refused_by_name(
    name: str, options: dict[str, int], option: str, message: str
) -> None:
    assert list(BRANCHES.problems(name, options)) == [OptionProblem(option, message)]
