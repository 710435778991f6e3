import pytest
import torch

from msanet_bench.model.heads import HEADS
from msanet_bench.model.heads.mlp import MLP
from msanet_bench.registry import OptionProblem


def test_the_head_is_two_linear_layers_on_the_channels_means() -> None:
    head, x = MLP(3, 4, 2).double().eval(), torch.randn(2, 3, 5, 7, dtype=torch.float64)
    means = x.flatten(2).sum(dim=2) / 35
    hidden = (means @ head.hidden.weight.T + head.hidden.bias).clamp(min=0)
    torch.testing.assert_close(head(x), hidden @ head.classifier.weight.T + head.classifier.bias)


def test_dropout_works_on_the_hidden_layer_in_training_only() -> None:
    head = MLP(3, 4000, 2, dropout=0.75).train()
    with torch.no_grad():
        head.hidden.bias.fill_(1)
        head.hidden.weight.zero_()
        head.classifier.weight.fill_(1 / 4000)
        head.classifier.bias.zero_()
    torch.manual_seed(0)
    trained = head(torch.randn(1, 3, 1, 1)).detach()
    # a quarter of the units stays, each times 4: 1 on average, 0.027 of deviation
    assert 0 < abs(float(trained[0, 0]) - 1) < 0.15
    assert head.eval()(torch.randn(1, 3, 1, 1))[0].tolist() == pytest.approx([1, 1], rel=1e-4)


@pytest.mark.parametrize("dropout", [-0.1, 1.0])
def test_dropout_of_everything_is_refused(dropout: float) -> None:
    message = f"`dropout` must be at least 0 and below 1, but got (dropout={dropout})."
    assert list(HEADS.problems("mlp", {"dropout": dropout})) == [OptionProblem("dropout", message)]
