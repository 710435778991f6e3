"""The sweep under Ray Tune, two trials at a time, gone on with where it stopped."""

from pathlib import Path

from counted import TRIALS, train
from ray import tune

PLACE = Path("ray").resolve()


def objective(config: dict[str, int]) -> None:
    tune.report({"accuracy": train(config["cell"])})


if tune.Tuner.can_restore(f"{PLACE}/peer"):
    tuner = tune.Tuner.restore(f"{PLACE}/peer", objective, restart_errored=True)
else:
    tuner = tune.Tuner(
        objective,
        param_space={"cell": tune.grid_search(list(range(len(TRIALS))))},
        tune_config=tune.TuneConfig(max_concurrent_trials=2),
        run_config=tune.RunConfig(name="peer", storage_path=PLACE),
    )
for result in tuner.fit():
    trial = TRIALS[result.config["cell"]]
    print(trial.variant, trial.seed, result.metrics["accuracy"])
