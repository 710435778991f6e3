"""From MSANet's specification to its modules: the only place where the two meet."""

from functools import partial

from torch import nn

from msanet_bench.errors import BlockError
from msanet_bench.model.catalogue import SLOTS
from msanet_bench.model.fold import replace_modules
from msanet_bench.model.msanet import Block, MSANet
from msanet_bench.model.norm import BatchNorm2d
from msanet_bench.spec import BlockSpec, BranchSpec, ModelSpec

_DEFAULT = ModelSpec()


def assemble(spec: ModelSpec, *, num_classes: int, in_channels: int = 3) -> MSANet:
    """The MSANet that a specification describes, with torch's own random start (see `initialise`).

    Raises:
        BlockError: a block is unknown, refuses its options, or refuses the sizes that the network has.
    """
    blocks = {
        slot: _block(slot, slot, block)
        for slot, block in {
            "stem": spec.stem,
            "fusion": spec.fusion,
            "attention": spec.attention,
            "head": spec.head,
        }.items()
    }
    norm, activation = (_block(slot, slot, getattr(spec, slot)) for slot in ("norm", "activation"))
    branches = {name: _branch(name, branch) for name, branch in spec.branches.items()}
    try:
        model = MSANet(
            in_channels,
            num_classes,
            **blocks,
            branches=branches,
            attention_stages=spec.attention_stages,
            branch_width=spec.branch_width,
            width=spec.width,
            depth=spec.depth,
            same_size_stages=spec.same_size_stages,
        )
    except ValueError as error:
        # blocks raise BlockError by now: what the network itself refuses is the number of its branches
        raise BlockError("branches", str(error)) from error

    if spec.norm != _DEFAULT.norm:
        replace_modules(model, {module: norm(module.num_features) for module in _exchangeable(model)})
    if spec.activation != _DEFAULT.activation:
        rectifiers = [module for module in model.modules() if isinstance(module, nn.ReLU)]
        replace_modules(model, {module: activation() for module in rectifiers})
    return model


def _exchangeable(model: nn.Module) -> list[nn.BatchNorm2d]:
    """The batch norms of a network, each of which does nothing but normalise."""
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    for module in norms:
        if type(module).forward not in {nn.BatchNorm2d.forward, BatchNorm2d.forward}:
            raise BlockError(
                "norm",
                f"must exchange norms that do nothing else, but a block has a {type(module).__qualname__}, "
                "which may do more. Leave `norm` at 'batch', or take another block.",
            )
    return norms


def _branch(name: str, branch: BranchSpec) -> Block | None:
    """None for a branch that is off."""
    if "." in name or not name or hasattr(nn.ModuleDict(), name):
        raise BlockError(
            f"branches.{name}", f"torch keeps the name {name!r} for itself. Give the branch another one."
        )
    return _block("branches", f"branches.{name}", branch) if branch.on else None


def _block(slot: str, path: str, block: BlockSpec) -> Block:
    for option, message in SLOTS[slot].problems(block.block, block.options):
        raise BlockError(f"{path}.{option}" if option else path, message)
    return partial(_construct, slot, path, block)


def _construct(slot: str, path: str, block: BlockSpec, *sizes: object) -> nn.Module:
    try:
        built: nn.Module = SLOTS[slot][block.block](*sizes, **block.options)
    except ValueError as error:
        raise BlockError(path, str(error)) from error
    return built
