"""Results as a pandas DataFrame."""

from pathlib import Path

import pandas as pd

from msanet_bench.records import read_records
from msanet_bench.tabulate import columns, row


def read_results(results: Path | str) -> pd.DataFrame:
    """One row a record of a results folder, with the columns of `results.csv`.

    Levels stay what they are: the level "none" is a string, a factor that does not apply is missing.
    """
    records = read_records(Path(results))
    return pd.DataFrame([row(record) for record in records], columns=columns(records))
