"""One training run, to a checkpoint that is written after every epoch."""

from collections.abc import Callable, Sequence

from msanet_bench.cell import NotFinite, Ready, made_ready, require_finite
from msanet_bench.errors import first_line
from msanet_bench.measure.memory.refused import is_out_of_memory
from msanet_bench.single.card import Card
from msanet_bench.single.checkpoint import Checkpoint, write_checkpoint
from msanet_bench.single.opening import Run
from msanet_bench.single.origin import load_given
from msanet_bench.train.evaluate import Evaluation, evaluate
from msanet_bench.train.fit import Diverged, Fit, fit
from msanet_bench.train.progress import Epoch, Progress
from msanet_bench.train.seed import nondeterministic_kernels


class NoNetwork(Exception):
    """A run came to no network; an outcome, as that of a cell is, and not a defect."""


def run_to_end(run: Run, listeners: Sequence[Callable[[Epoch], None]] = ()) -> Card:
    """Train, evaluate on the test images and write the checkpoint; what is at its end stays as it is.

    The listeners hear of every epoch once it is on the disk. If the run is stopped, the file has
    what was learnt until then.

    Raises:
        NoNetwork: it diverged, or found no memory.
        BenchError: the weights to begin with do not fit, or the disk refuses.
    """
    if run.card.is_finished:
        return run.card
    try:
        return _trained(run, listeners)
    except (Diverged, NotFinite) as error:
        raise NoNetwork(f"diverged: {error}") from error
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise NoNetwork(f"out of memory: {first_line(error)}") from error


def _trained(run: Run, listeners: Sequence[Callable[[Epoch], None]]) -> Card:
    ready = made_ready(run.job)
    card = _begun(run, ready)
    spec, data = run.job.settings.train, ready.data

    def keep(progress: Progress) -> None:
        here = _reached(card, Fit(progress.curve, progress.chosen_epoch))
        write_checkpoint(run.out, Checkpoint(here, progress.best or progress.model, progress))
        for listener in listeners:
            listener(progress.curve[-1])

    with nondeterministic_kernels() as kernels:
        trained = fit(
            ready.model,
            data,
            spec,
            seed=run.job.seed,
            replicate=run.job.settings.replicate,
            augment=ready.augment,
            start=run.progress,
            keep=keep,
        )
        tested = evaluate(ready.model, data.test, spec, data.num_classes)
    finished = _ended(_reached(card, trained), tested, (*ready.notes, *kernels))
    write_checkpoint(run.out, Checkpoint(finished, ready.model.state_dict()))
    return finished


def _begun(run: Run, ready: Ready) -> Card:
    """The card with the origin of the weights, which the model has from here on."""
    if run.given is None:
        return run.card
    origin = load_given(ready.model, run.given, redraw_last_layer=run.redraw_last_layer)
    return run.card.model_copy(update={"init": origin})


def _reached(card: Card, trained: Fit) -> Card:
    curve = tuple(epoch.to_json() for epoch in trained.curve)
    require_finite({}, curve)
    return card.model_copy(update={"curve": curve, "chosen_epoch": trained.chosen_epoch})


def _ended(card: Card, tested: Evaluation, determinism: tuple[str, ...]) -> Card:
    require_finite(tested.measures, [])
    measures = {name: measure.to_json() for name, measure in tested.measures.items()}
    return card.model_copy(update={"measures": measures, "determinism": determinism})
