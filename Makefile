# Two commands do everything: `make sweep` and `make test`. Each sets up .venv first.

PYTHON ?= python3
WORKERS ?= 2

.PHONY: .venv sweep test test-cluster controls lint types suite clean

.venv: .venv/installed .venv/tools

# Both are installed again only when the declared dependencies change.
.venv/installed: pyproject.toml constraints.txt
	@echo "Setting up .venv. This takes minutes, in which pip prints nothing."
	@$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

# What development and the tests need beyond that.
.venv/tools: .venv/installed
	.venv/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

sweep: .venv/installed
	.venv/bin/msanet-bench sweep experiments/ablation.yaml

test: lint types suite

# Heavy proofs: clusters, databases, full disks and hundreds of kills. They need Debian and root, and minutes.
test-cluster: .venv
	tests/cluster/install
	MSANET_BENCH_CLUSTER_TESTS=1 OMP_NUM_THREADS=1 .venv/bin/pytest -m cluster -rs

# Experiments of which the truth is known; only what was planted may come out as a help.
controls: .venv
	MSANET_BENCH_CLUSTER_TESTS=1 OMP_NUM_THREADS=1 .venv/bin/pytest -m cluster tests/cluster/test_controls.py

lint: .venv
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: .venv
	.venv/bin/mypy

suite: .venv
	OMP_NUM_THREADS=1 .venv/bin/pytest --numprocesses $(WORKERS)

clean:
	rm -rf .venv
