# make demo and make test need Python 3.11 or newer, pip and make; everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO := build/demo
# One thread per process is faster than several on networks this small.
export OMP_NUM_THREADS ?= 1

.PHONY: demo test check matrix lock bench fuzz audit-deps clean

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --no-deps -r requirements.lock
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

demo: $(READY)
	rm -rf $(DEMO) && mkdir -p $(DEMO)
	cd fixtures/submissions/careful && ../../../$(BIN)/python -m zipfile -c ../../../$(DEMO)/facial_results.zip id001 id002
	$(BIN)/ipvg-eval validate $(DEMO)/facial_results.zip --testset fixtures/testset
	$(BIN)/ipvg-eval generate fixtures/testset --system tiny --out $(DEMO)/tiny
	$(BIN)/ipvg-eval validate $(DEMO)/tiny --testset fixtures/testset
	$(BIN)/ipvg-eval score fixtures/submissions/careful fixtures/submissions/careless $(DEMO)/tiny --testset fixtures/testset --protocol lite --out $(DEMO)/runs
	$(BIN)/ipvg-eval report $(DEMO)/runs/careful
	$(BIN)/ipvg-eval report $(DEMO)/runs/careless
	$(BIN)/ipvg-eval validate fixtures/sequential/submissions/disordered --testset fixtures/sequential/testset
	$(BIN)/ipvg-eval score fixtures/sequential/submissions/ordered fixtures/sequential/submissions/disordered --testset fixtures/sequential/testset --protocol lite --out $(DEMO)/sequential
	$(BIN)/ipvg-eval report $(DEMO)/sequential/disordered
	$(BIN)/ipvg-eval leaderboard $(DEMO)/runs/careful $(DEMO)/runs/careless $(DEMO)/runs/tiny --config fixtures/challenge.yaml --votes fixtures/votes.csv --unofficial --out $(DEMO)/site

test: $(READY)
	.ci/browser
	$(BIN)/pytest -n 2 --cov --cov-report=term

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The wheel as users install it, on every Python of 3.11 to 3.13 that is here; `make matrix WHAT=lite` scores, too.
matrix: $(READY)
	.ci/matrix $(or $(WHAT),base)

lock: $(READY)
	.ci/lock $(BIN)/uv

# Seconds here are this machine's; the tables give ratios within one run.
bench: $(READY)
	$(BIN)/python benchmarks/faces.py --videos 2 --frames 4
	$(BIN)/python benchmarks/vbench_metrics.py --frames 5
	$(BIN)/python benchmarks/ratings.py
	$(BIN)/python benchmarks/site.py
	$(BIN)/python benchmarks/validation.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/workers.py

fuzz: $(READY)
	$(BIN)/python tests/hostile/fuzz.py

# Known vulnerabilities of the pinned packages; skipped with a message where the data cannot be reached.
audit-deps: $(READY)
	$(BIN)/python .ci/audit_deps.py requirements.lock

clean:
	rm -rf $(VENV) build
