"""The curves of a run as a TensorBoard log."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from msanet_bench.errors import BenchError
from msanet_bench.single.opening import Run
from msanet_bench.train.progress import Epoch


@contextlib.contextmanager
def board(folder: Path | None, run: Run) -> Iterator[Callable[[Epoch], None]]:
    """What is to hear of every epoch; without a folder it writes nothing.

    A run that is resumed goes on in the same folder: what TensorBoard has of later epochs is dropped there.

    Raises:
        BenchError: TensorBoard is not installed.
    """
    if folder is None:
        yield lambda _: None
        return
    try:
        from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 (an extra, which most do without)
    except ImportError as error:
        raise BenchError(
            "--tensorboard: needs TensorBoard. Install it: pip install 'msanet-bench[tensorboard]'"
        ) from error
    writer = SummaryWriter(str(folder), purge_step=run.card.epochs + 1)

    def log(epoch: Epoch) -> None:
        for name, value in _scalars(epoch).items():
            writer.add_scalar(name, value, epoch.epoch)
        writer.flush()

    try:
        yield log
    finally:
        writer.close()


def _scalars(epoch: Epoch) -> dict[str, float]:
    scalars = {
        "loss/train": epoch.train_loss,
        "loss/validation": epoch.validation_loss,
        "accuracy/validation": epoch.validation_accuracy,
        "lr": epoch.lr,
    }
    return {name: value for name, value in scalars.items() if value is not None}
