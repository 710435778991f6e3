"""The sweep as a study of Optuna on SQLite, gone on with where it stopped."""

import optuna
from counted import TRIALS, train

CELLS = list(range(len(TRIALS)))

study = optuna.create_study(
    storage="sqlite:///study.db",
    study_name="peer",
    sampler=optuna.samplers.GridSampler({"cell": CELLS}, seed=0),
    direction="maximize",
    load_if_exists=True,
)
study.optimize(lambda trial: train(trial.suggest_categorical("cell", CELLS)))
for trial in study.trials:
    print(TRIALS[trial.params["cell"]].variant, TRIALS[trial.params["cell"]].seed, trial.value)
