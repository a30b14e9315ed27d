# make demo    the main job on embedded data
# make test    the test suite, a file to a process, as many as there are cores
# make check   linters, house rules and tests: what CI runs
# make bench   side-by-side measurements (see benchmarks/README.md)

PYTHON ?= python

.PHONY: demo test lint check bench

demo:
	$(PYTHON) -m bertkit demo --out bertkit-demo

test:
	$(PYTHON) -m pytest -n auto --maxprocesses 8 --dist loadfile

lint:
	$(PYTHON) -m ruff check .

check: lint test

bench:
	$(PYTHON) benchmarks/fine_tuning.py --help
