"""Batch normalisation with a rule for the one case that torch leaves open."""

from torch import Tensor, nn


class BatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation (Ioffe & Szegedy 2015, arXiv:1502.03167) that also trains on a single value.

    x: (N, C, H, W) -> (N, C, H, W)

    One value a channel (one image, 1 x 1 map) has no variance, and stock torch raises. Here that batch is
    normalised with the running statistics, as in evaluation, and leaves them as they are. It happens in the
    global-context branch and wherever a map shrinks to one pixel.
    """

    def forward(self, x_NCHW: Tensor) -> Tensor:
        if self.training and x_NCHW.numel() == self.num_features:
            return nn.functional.batch_norm(
                x_NCHW, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        return super().forward(x_NCHW)
