"""What the specs' own docstrings leave to be said of the keys of an experiment, and examples."""

from collections.abc import Mapping

TITLES: Mapping[str, str] = {
    "": "Top level",
    "baseline": "baseline",
    "data": "data",
    "train": "train",
    "measure": "measure",
    "analysis": "analysis",
    "factors": "factors",
    "search": "search",
    "pruner": "pruner",
    "tune": "tune",
}

NOTES: Mapping[str, str] = {
    "": (
        "A design says which variants there are. `factorial`: all combinations of the levels. "
        "`one_at_a_time`: the baseline, and each other level of one factor. `leave_one_out`: the whole "
        "network of all first levels, and each last level alone. `add_one_in`: the bare network of all last "
        "levels, the whole one, and each first level added to the bare one. `list`: what `variants` names. "
        "`random`, `tpe`, `nsga2` and `qmc` search, and need `search`."
    ),
    "baseline": (
        "The defaults are the network of the design article. A block is a name, or a mapping with `block` "
        "and its options; a mapping without `block` changes options of the default block."
    ),
    "data": "[Data sets and their options](blocks.md#data) stand in the reference of blocks.",
    "train": "The defaults are the training of the design article's usage example.",
    "measure": "[measuring.md](../measuring.md#latency) says what each value means, and what comes of it.",
    "analysis": "Declared before the results are seen: the manifest keeps it.",
    "factors": (
        "Each key is a path. Its value is a list of levels, a range (searches only), or a mapping of these "
        "keys; `levels` and a range exclude each other."
    ),
    "search": (
        "Only with the designs `random`, `tpe`, `nsga2` and `qmc`. [running.md](../running.md#searches) "
        "says what is promised."
    ),
    "pruner": "`startup` and `warmup` belong to `median`; `factor` and `first` to the other two.",
    "tune": (
        "Only with designs that are no search. Every key beside `trials` and `seed` is a path under "
        "`train`, or `data.augment`. [running.md](../running.md#equal-tuning) says more."
    ),
    "paths": "What `factors`, `variants`, `when` and `tune` name. A path that changes nothing is an error.",
}

WORDS: Mapping[str, Mapping[str, str]] = {
    "": {
        "name": "Of the folders under `results/` and `reports/`: letters, digits, `_` and `-`.",
        "question": "Stands at the top of the report.",
        "baseline": "The network that all others are compared with.",
        "data": "Which images.",
        "train": "How a network is trained.",
        "design": "Which variants there are: see above.",
        "factors": "What is varied.",
        "variants": "For the design `list`: what each variant changes.",
        "seeds": "A number n means the seeds 0 to n - 1. All variants share them.",
        "constraints": "Limits on what is trained: `params <= 2M`, `macs >= 100k`, `memory <= 2G`, "
        "`latency <= 2 ms`, `latency <= 0.8x`. Memory and latency: searches only.",
        "measure": "What is timed.",
        "analysis": "What is concluded.",
        "plugins": "Files beside this one, or modules, that register blocks or data sets. They are code, "
        "which runs.",
    },
    "baseline": {
        "stem": "The first layers.",
        "branches": "The branches of the multi-scale block, by names of your own; `~` takes one out with "
        "its channels.",
        "fusion": "What joins the branches.",
        "attention": "What stands behind each multi-scale block.",
        "head": "From the last map to the classes.",
    },
    "data": {},
    "train": {
        "epochs": "Passes over the training images.",
        "batch_size": "Images a step.",
        "optimiser": "AdamW, or SGD with `momentum`.",
        "lr": "The learning rate, at its peak.",
        "weight_decay": "Of that optimiser.",
        "momentum": "Of `sgd`.",
        "schedule": "How the learning rate moves over the steps.",
        "label_smoothing": "Of the cross-entropy.",
        "clip_norm": "The largest norm of all gradients together.",
        "precision": "What torch's autocast computes in; parameters stay in float32.",
        "channels_last": "The memory format of network and images.",
        "deterministic": "Ask torch for kernels that give the same bits each time.",
        "checkpoint": "What is tested: the last epoch, or the one that is best on validation images.",
    },
    "measure": {"latency_batches": "Images a call."},
    "analysis": {},
    "factors": {
        "levels": "At least two; a level is what the path may be set to.",
        "when": "The levels of other factors with which this one means something.",
        "range": "Numbers that a search draws from; whole ones where both ends are. `log`: by their ratio.",
    },
    "search": {
        "seed": "Of the sampler.",
        "pruner": "What stops runs early: `none`, `median`, `successive_halving`, `hyperband`. For "
        "accuracy alone.",
    },
    "pruner": {"name": "Which rule."},
    "tune": {},
}

EXAMPLES: Mapping[str, str] = {
    "": """
name: dilation_or_attention
question: What are dilation and attention worth on digits?
delta: 1 pp
baseline: {stem: small, width: 0.125, depth: [1, 1]}
data: {dataset: digits, resize: 16}
train: {epochs: 12, lr: 3e-3}
design: factorial
factors:
  branches.dilated.dilation: [1, 2]
  attention: [self_attention, none]
seeds: 5
constraints: [params <= 2M]
measure: {latency_rounds: 80}
analysis: {families: [main_effects, interactions]}
""",
    "baseline": """
baseline:
  model: msanet
  stem: small
  branches: {conv3: on, conv5: off, dilated: {dilation: 3}, context: ~, wide: {block: depthwise, kernel: 7}}
  fusion: gated
  attention: {block: self_attention, reduction: 4}
  attention_stages: [2, 3]
  head: {block: mlp, dropout: 0.2}
  norm: {block: group, channels_per_group: 8}
  activation: gelu
  branch_width: shared
  width: 0.25
  depth: [1, 1, 2]
  same_size_stages: [1]
""",
    "data": """
data:
  dataset: fashion_mnist
  options: {download: true}
  resize: 32
  train_images: 20000
  validation: 0.1
  normalise: true
  augment: [flip, shift]
""",
    "train": """
train:
  epochs: 20
  batch_size: 64
  optimiser: sgd
  lr: 0.1
  weight_decay: 5e-4
  momentum: 0.9
  schedule: cosine
  label_smoothing: 0.1
  clip_norm: 1
  precision: bf16
  channels_last: true
  fused_optimiser: false
  fused_attention: false
  compile: false
  auto: []
  deterministic: true
  checkpoint: best_val
""",
    "measure": """
measure:
  latency_rounds: 160
  latency_seconds: 600
  latency_batches: [1, 32]
  latency_modes: [eager, fused]
  latency_precisions: [fp32_strict, amp_bf16]
  latency_caches: [warm, cold]
""",
    "analysis": """
analysis: {alpha: 0.05, families: [main_effects, leave_one_out]}
""",
    "factors": """
factors:
  attention: [self_attention, {block: se, reduction: 4}, none]
  attention.heads: {levels: [1, 2], when: {attention: self_attention}}
  train.lr: [1e-3, 3e-2, log]
  width: {low: 0.0625, high: 0.25, log: true}
""",
    "search": """
design: nsga2
search: {trials: 40, objectives: [accuracy, macs], batch: 4, seed: 1, population: 10, pruner: none}
""",
    "pruner": """
design: random
search: {pruner: {name: median, startup: 5, warmup: 2}}
""",
    "tune": """
tune: {trials: 8, seed: 0, train.lr: [1e-4, 1e-2, log], train.weight_decay: [0, 0.01, 0.1]}
""",
}
