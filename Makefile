# Everything runs in a virtual environment of the project's own; only Python 3.11 or newer and make are needed.
PYTHON ?= python3
BIN := .venv/bin
DEMO := runs/demo
SMALL := examples/movielens-small
# Bytecode is kept, even if the environment says no: otherwise every process that a test starts compiles all of PyTorch.
export PYTHONDONTWRITEBYTECODE :=

# A package registry that fails for a moment is asked once more.
PIP := $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -c constraints.txt
install = $(PIP) $(1) || { sleep 10; $(PIP) $(1); }

.PHONY: help demo test test-slow browser lint docs wheel reference bench clean

help:
	@echo "make demo    train PRISM and its baselines on bundled data; writes $(DEMO)/comparison/report.html"
	@echo "make test    run the fast tests; make test-slow, the others: kills, packages, every combination"
	@echo "make browser install Chromium, with which the tests look at pages; without it they are skipped"
	@echo "make lint    check style, types and layers"
	@echo "make docs    build the documentation into site/"
	@echo "make wheel   build a wheel into dist/, and import all of it in an environment of its own"
	@echo "make reference  write the pages that are made from the code, and the index of the log"
	@echo "make bench   measure the speed of training and ranking"

# Written last, so that an interrupted installation is taken up again.
.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(call install,torch -e '.[dev]')
	touch $@

demo: .venv/ready
	$(BIN)/prism-rec prepare --source movielens --folder $(SMALL) --min-rating 4 --core 5 \
		--features image=$(SMALL)/image.npy --features text=$(SMALL)/text.npy --out $(DEMO)/data
	$(BIN)/prism-rec compare recipes/demo.yaml --data movielens-small=$(DEMO)/data --out $(DEMO)/comparison
	$(BIN)/prism-rec recommend $(DEMO)/comparison/cells/movielens-small/prism/seed-0 --user 1 --k 5
	@echo "the whole report: $(DEMO)/comparison/report.html"
	@echo "look at users, recommendations and reasons:"
	@echo "    $(BIN)/prism-rec explore $(DEMO)/comparison/cells/movielens-small/prism/seed-0"

test: .venv/ready
	$(BIN)/python -m pytest -n auto

# OPTIONS=--ignore=tests/robustness leaves out the kills and full disks, which take most of the time.
test-slow: .venv/ready
	$(BIN)/python -m pytest -n auto -m slow $(OPTIONS)

# As root from the system's packages, otherwise into the user's cache; the tests find both.
browser: .venv/ready
	@if command -v chromium || command -v chromium-browser || command -v google-chrome; then true; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -q && apt-get install -q -y --no-install-recommends chromium; \
	else $(BIN)/python -m playwright install chromium; fi

lint: .venv/ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/ready
	$(call install,-e '.[docs]')
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

wheel: .venv/ready
	rm -rf build dist
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	$(PYTHON) -m venv build/clean
	build/clean/bin/python -m pip install --quiet --no-compile --disable-pip-version-check -c constraints.txt dist/*.whl
	build/clean/bin/python -I tests/import_all.py
	build/clean/bin/prism-rec --version

reference: .venv/ready
	$(BIN)/python docs/make_reference.py
	$(BIN)/python log/make_index.py

bench: .venv/ready
	$(BIN)/python benchmarks/train.py --json

clean:
	rm -rf .venv site .pytest_cache .mypy_cache .ruff_cache
