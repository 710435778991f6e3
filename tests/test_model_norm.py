import pytest
import torch
from torch import nn

from msanet_bench.model.norm import BatchNorm2d


def test_one_value_a_channel_is_normalised_with_the_running_statistics() -> None:
    norm = BatchNorm2d(2, eps=0.0).train()
    norm.running_mean = torch.tensor([1.0, 2.0])
    norm.running_var = torch.tensor([4.0, 16.0])
    norm.weight.data = torch.tensor([1.0, 3.0])
    norm.bias.data = torch.tensor([0.0, 0.5])
    output = norm(torch.tensor([5.0, 10.0]).view(1, 2, 1, 1))
    # 5 lies two deviations above its mean; 10 too, which the weight makes six and the bias six and a half
    assert output.flatten().tolist() == [2.0, 6.5]


def test_one_value_a_channel_leaves_the_running_statistics() -> None:
    norm = BatchNorm2d(3).train()
    norm(torch.randn(4, 3, 2, 2))
    before = {name: buffer.clone() for name, buffer in norm.named_buffers()}
    norm(torch.randn(1, 3, 1, 1))
    assert all(torch.equal(buffer, before[name]) for name, buffer in norm.named_buffers())


def test_one_value_a_channel_passes_gradients() -> None:
    norm = BatchNorm2d(3).train()
    x = torch.randn(1, 3, 1, 1, requires_grad=True)
    norm(x).sum().backward()
    assert x.grad is not None
    assert norm.weight.grad is not None
    assert x.grad.abs().min() > 0


def test_stock_torch_refuses_one_value_a_channel() -> None:
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        nn.BatchNorm2d(3).train()(torch.randn(1, 3, 1, 1))


@pytest.mark.parametrize("shape", [(2, 3, 1, 1), (1, 3, 1, 2), (4, 3, 5, 7)])
@pytest.mark.parametrize("training", [True, False])
def test_every_other_batch_is_normalised_as_in_torch(shape: tuple[int, ...], training: bool) -> None:  # noqa: FBT001
    x = torch.randn(shape)
    ours, stock = BatchNorm2d(3).train(training), nn.BatchNorm2d(3).train(training)
    assert torch.equal(ours(x), stock(x))
    assert torch.equal(ours.running_mean, stock.running_mean)
    assert torch.equal(ours.running_var, stock.running_var)
