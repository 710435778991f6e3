"""The sweep under Hydra, whose Optuna sweeper asks for one run of this function after the other."""

import hydra
from counted import TRIALS, train
from omegaconf import DictConfig


@hydra.main(version_base="1.3", config_path=".", config_name="hydra_sweep")
def main(config: DictConfig) -> float:
    value = train(config.cell)
    print(TRIALS[config.cell].variant, TRIALS[config.cell].seed, value)
    return value


if __name__ == "__main__":
    main()
