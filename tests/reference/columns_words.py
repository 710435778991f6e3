"""What the code's own docstrings leave to be said of the files of a results folder."""

from collections.abc import Mapping

NOTES: Mapping[str, str] = {
    "page": (
        "The files of a results folder that hold numbers. Units are SI: seconds, bytes, fractions of 1; "
        "the unit is in the name where it is another. An empty field is a value that is not known, and "
        "never 0."
    ),
    "results.csv": "One row a cell, in the order of the plan: `records.jsonl` without curves and bits.",
    "timings.csv": "One row a cell. Times differ from run to run, so they stand in no record.",
    "latency.csv": (
        "One row a contender and condition, made from `samples.parquet` by `msanet-bench summarize`. "
        "[measuring.md](../measuring.md#latency) says how."
    ),
    "latency_sessions.csv": "One row a condition that was measured, made from `samples.parquet` too.",
    "samples.parquet": "One row a timed window: who, under what, when, how long, and the machine's state.",
    "profile.json": (
        "An object with the schema's number, of a sweep the digest of the code that counted, and under "
        "`variants` one object a variant with these keys. `msanet-bench profile --memory` adds what it "
        "measures."
    ),
    "records.jsonl": (
        "One JSON object a line and cell. `msanet-bench check --record-schema` prints the same as JSON "
        "Schema."
    ),
}

MEASURES: Mapping[str, str] = {
    "accuracy": "share of the test images that are classified correctly",
    "balanced_accuracy": "mean of the classes' recalls on the test images",
    "loss": "mean cross-entropy on the test images, without label smoothing",
    "params": "parameters of the network",
    "macs": "multiply-accumulates of one image; missing where they are incomplete",
    "validation_accuracy": "the same share of the validation images, of cells that only choose (searches, "
    "`tune`)",
}

_CELL: Mapping[str, str] = {
    "seed": "which seed",
    "replicate": "which of several runs with streams of their own; 0 unless asked for",
}
_TIMED: Mapping[str, str] = {
    "device": "`cpu` or `cuda`",
    "batch": "Images a call.",
    "precision": "What convolutions and products compute in.",
}
_NETWORK: Mapping[str, str] = {
    "variant": "Which variant.",
    "role": "`anchor`: whom all are compared with; `twin`: a network once more under another name.",
    "memory_format": "`contiguous` or `channels_last`.",
}

WORDS: Mapping[str, Mapping[str, str]] = {
    "results.csv": {
        "status": "`ok`, `failed`, `oom`, `diverged` or `pruned`; only `ok` has measures",
        "variant": "the difference to the baseline, which is its name",
        **_CELL,
        "reason": "why the status is not `ok`",
        "key": "the cell's identity: a digest of model, data, training, seed and replicate",
    },
    "timings.csv": {
        "variant": "Which variant.",
        "seed": "Which seed.",
        "replicate": "Which replicate.",
        "status": "As in results.csv.",
        "train_s": "Seconds of training alone.",
        "evaluate_s": "Seconds of the test.",
        "cell_s": "Seconds of the whole attempt, building included.",
        "device": "What it ran on.",
    },
    "latency.csv": {
        **_NETWORK,
        **_TIMED,
        "clock": "What was read: the host's clock, or events of the device.",
        "p50_s": "The median.",
        "p90_s": "Nine in ten visits were faster.",
        "ratio_high": "The upper end.",
        "rank_high": "The last of them.",
        "anchor": "Which variant the ratio is to.",
    },
    "latency_sessions.csv": {
        **_TIMED,
        "contenders": "Networks and modes that took turns, the twins among them.",
        "super_rounds": "How many there were; each draws places and blocks anew.",
    },
    "Contender": _NETWORK,
    "Condition": _TIMED,
    "Visit": {
        "phase": "`warmup` and `discard` do not count; `stream`: many calls in a row, for the throughput.",
        "super_round": "From 0.",
    },
    "Sample": {},
    "Telemetry": {
        "sm_mhz": "Clock of the GPU's processors.",
        "memory_mhz": "Clock of its memory.",
        "temperature_c": "Of the GPU.",
        "power_w": "Of the GPU.",
    },
    "profile.json": {
        "input": "Channels, height and width of an image.",
        "params": "Parameters, shared ones once.",
        "trainable_params": "Those that training changes.",
        "frozen_params": "Those that it does not.",
        "buffers": "Elements of buffers, such as running means.",
        "state_bytes": "Bytes of parameters and buffers.",
        "params_by_part": "Parameters of each part; they add up to `params`.",
        "inventory_by_part": "The four numbers above for each part.",
        "macs": "Multiply-accumulates of one image, or null.",
        "flops": "Twice that.",
        "macs_status": "`exact`, `exact by two counters: ...`, or `incomplete: ...`.",
        "macs_sources": "Who counted the whole network.",
        "macs_by_part": "They add up to `macs`.",
        "fvcore_flops_stock": "What fvcore says as it comes, to compare with papers that print it.",
        "activations": "Elements of the outputs of convolutions, linear layers and products.",
        "activations_fvcore_stock": "What fvcore says as it comes.",
        "train_batch": "Images a step of training, in the two below.",
        "saved_bytes": "Kept for the backward pass of a step; an estimate from sizes.",
        "peak_est_bytes": "Most alive at once, estimated: `inference_batch_1` and `train_batch_N`.",
        "peak_est_status": "`estimated`, or why not.",
        "receptive_field": "What a unit of the last map can see through windows (`theoretical`), through "
        "which parts it sees all (`whole_map_by`), and what it does see at the start of seed 0 "
        "(`effective_side`, in pixels).",
    },
    "records.jsonl": {
        "schema_version": "Of this format; older lines are migrated when they are read.",
        "seed": "Which seed.",
        "replicate": "Which of several runs with streams of their own.",
        "reason": "Why the status is not `ok`.",
    },
}
