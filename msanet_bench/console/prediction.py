"""How long a plan will take, in a line."""

from msanet_bench.console.tables import open_console
from msanet_bench.duration.predict import Prediction


def show_prediction(prediction: Prediction) -> None:
    """Who cannot train, then how long the others will take."""
    console = open_console()
    for failure in prediction.failures:
        what = f"{failure.variant}: its first step fails: {failure.status}: {failure.reason}"
        console.print(f"note: {what}", markup=False)
    console.print(prediction_text(prediction), markup=False)


def prediction_text(prediction: Prediction) -> str:
    """`about 6 min with 2 workers (from 5 timed steps a variant)`."""
    workers = "1 worker" if prediction.workers == 1 else f"{prediction.workers} workers"
    sources = []
    if prediction.cells:
        sources.append("1 finished cell" if prediction.cells == 1 else f"{prediction.cells} finished cells")
    if prediction.steps:
        steps = "1 timed step" if prediction.steps == 1 else f"{prediction.steps} timed steps"
        sources.append(f"{steps} a variant")
    return f"about {_rough(prediction.seconds)} with {workers} (from {' and '.join(sources) or 'nothing'})"


def _rough(seconds: float) -> str:
    """Two digits: no more is known beforehand."""
    for limit, unit, length in ((90, "s", 1), (90 * 60, "min", 60), (48 * 3600, "h", 3600)):
        if seconds < limit:
            return f"{max(1, float(f'{seconds / length:.2g}')):g} {unit}"
    return f"{float(f'{seconds / 86400:.2g}'):g} days"
