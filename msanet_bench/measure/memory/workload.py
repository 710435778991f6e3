"""The two things that memory is counted for: a classification, and a step of training."""

import torch
from torch import Tensor, nn
from torch.nn import functional


def classify(model: nn.Module, images: Tensor) -> None:
    """One forward pass in evaluation mode; nothing of it is kept."""
    model.eval()
    with torch.no_grad():
        model(images)


def make_optimiser(model: nn.Module) -> torch.optim.Optimizer:
    """AdamW in the implementation that trains on CUDA; the plain one takes a little more in its update."""
    return torch.optim.AdamW(model.parameters(), fused=True)


def train_step(model: nn.Module, optimiser: torch.optim.Optimizer, images: Tensor, labels: Tensor) -> None:
    """Forward, cross entropy, backward, update; the gradients are dropped at the end."""
    differentiate(model, images, labels)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)


def differentiate(model: nn.Module, images: Tensor, labels: Tensor) -> None:
    """A step of training up to its gradients."""
    model.train()
    torch.autograd.backward(functional.cross_entropy(model(images), labels))
