# make demo      the main job on data that comes along
# make test      the tests
# Both make the environment first: the active virtual environment, or .venv, with bertkit installed in it.
# make quick     the quick part of the tests, which .ci/run gives to every Python that it finds
# make slow      the tests that take minutes or make environments, which `make test` leaves out
# make lint      the linters
# make types     the type checker
# make check     linters, types, house rules and tests
# make wheel     build the wheel, install it alone in an empty environment, and use it there
# make release   build, check and describe what would be published; uploads nothing
# make docs      the documentation site, in site/ (needs the extra docs; GENERATOR=mkdocs takes the other generator)
# make bench     side-by-side measurements (see benchmarks/README.md)
#
# Another Python for .venv: make demo PYTHON=python3.12

ENVIRONMENT = $(or $(VIRTUAL_ENV),.venv)
RUN = $(ENVIRONMENT)/bin/python
GENERATOR = zensical
QUICK = tests/text tests/data tests/metrics tests/tasks tests/layers/test_attention.py tests/test_import.py tests/test_cli.py

.PHONY: demo test quick slow lint types check wheel release docs bench environment

demo: environment
	$(RUN) -m bertkit demo --out bertkit-demo

# a file to a process, as many as there are cores
test: environment
	$(RUN) -m pytest -n auto --maxprocesses 8 --dist loadfile

quick: environment
	$(RUN) -m pytest -n auto --maxprocesses 8 --dist loadfile $(QUICK)

slow: environment
	$(RUN) -m pytest -m slow -n auto --maxprocesses 8 --dist loadfile

lint: environment
	$(RUN) -m ruff check .

types: environment
	$(RUN) -m mypy

check: lint types test

wheel: environment
	PYTHON=$(RUN) sh .ci/wheel

release: environment
	PYTHON=$(RUN) sh scripts/release.sh

docs: environment
	$(RUN) docs/make_site.py $(GENERATOR)

bench: environment
	$(RUN) benchmarks/fine_tuning.py --help

environment:
	@PYTHON="$(PYTHON)" sh scripts/environment.sh
