# N batch, C channels, H height, W width, K classes
from torch import Tensor, nn

from msanet_bench.model.slots import HEADS, Shape


@HEADS.register("linear")
class Linear(nn.Module):
    """Average over the map, then one linear layer (He et al. 2016, arXiv:1512.03385, section 3.3).

    x: (N, C, H, W) -> (N, K)
    """

    def __init__(self, channels: int, _hidden: int, num_classes: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        logits_NK: Tensor = self.classifier(x_NCHW.mean(dim=(2, 3)))
        return logits_NK

    def macs(self, shape: Shape) -> int:
        batch, channels, *_ = shape
        return batch * channels * self.classifier.out_features
