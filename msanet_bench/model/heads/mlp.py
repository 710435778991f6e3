# N batch, C channels, H height, W width, D hidden width, K classes
from torch import Tensor, nn

from msanet_bench.model.slots import HEADS, Shape


@HEADS.register("mlp")
class MLP(nn.Module):
    """Average over the map, then two linear layers with dropout between (the design article).

    x: (N, C, H, W) -> (N, K)

    The average is a plain mean: unlike adaptive pooling its gradient is deterministic on CUDA.
    """

    def __init__(self, channels: int, hidden: int, num_classes: int, *, dropout: float = 0.5) -> None:
        super().__init__()
        if not 0 <= dropout < 1:
            raise ValueError(f"`dropout` must be at least 0 and below 1, but got ({dropout=}).")
        self.hidden = nn.Linear(channels, hidden)
        self.activation = nn.ReLU()
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(hidden, num_classes)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        hidden_ND = self.activation(self.hidden(x_NCHW.mean(dim=(2, 3))))
        logits_NK: Tensor = self.classifier(self.dropout(hidden_ND))
        return logits_NK

    def macs(self, shape: Shape) -> int:
        batch, channels, *_ = shape
        return batch * self.hidden.out_features * (channels + self.classifier.out_features)
