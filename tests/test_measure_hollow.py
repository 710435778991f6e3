import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode

from msanet_bench.measure.hollow import hollow_copy


class Ties(nn.Module):
    """Two layers with one weight, a buffer, and a tensor that is neither."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 3, 3).to(memory_format=torch.channels_last)
        self.second = nn.Conv2d(3, 3, 3)
        self.second.weight = self.first.weight
        self.first.bias.requires_grad_(requires_grad=False)
        self.register_buffer("scale", torch.ones(3, dtype=torch.float64))
        self.plain = torch.ones(3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x)) * self.plain


def layout(model: nn.Module) -> dict[str, object]:
    state = model.state_dict(keep_vars=True)
    return {name: (x.shape, x.stride(), x.dtype, x.requires_grad) for name, x in state.items()}


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_a_hollow_copy_has_the_shape_of_the_network(device: str) -> None:
    model = Ties()
    hollow = hollow_copy(model, device)
    assert isinstance(hollow, Ties)
    assert layout(hollow) == layout(model)
    assert hollow.second.weight is hollow.first.weight
    assert {x.device.type for x in [*hollow.state_dict().values(), hollow.plain]} == {device}
    assert torch.equal(model.plain, torch.ones(3, 1, 1))


def test_on_meta_it_runs_without_memory() -> None:
    with torch.no_grad():
        output = hollow_copy(Ties(), "meta")(torch.empty(2, 3, 2**20, 2**20, device="meta"))
    assert output.shape == (2, 3, 2**20 - 4, 2**20 - 4)


def test_under_a_fake_mode_every_tensor_is_fake() -> None:
    model = Ties()
    with FakeTensorMode():
        hollow = hollow_copy(model, "cpu")
    assert isinstance(hollow, Ties)
    assert all(isinstance(x, FakeTensor) for x in [*hollow.parameters(), *hollow.buffers(), hollow.plain])
