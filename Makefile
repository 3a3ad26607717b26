# make demo: set up and run the main job. make test: set up and run all checks and tests.
# make calibrate: fit the ensemble to its anchors (calibrate-early: early disease; calibrate-tumours: other tumours). make trials: all published trials, docs/trials.md.
# make early: the figures and the numbers of docs/early.md.
# make web: the page, in a browser. make docs: the documentation as a site, docs/_build/html.
# make labels: the rows of the labels, docs/labels.md. make figures: the figures of the docs.
# make parts: what each part of the model earns on trials that are left out, docs/calibration-parts.md.

PYTHON ?= python3
VENV := .venv
BENCH := .venv-bench
RUN := $(VENV)/bin

.PHONY: demo test web docs slow bench calibrate calibrate-early calibrate-tumours trials parts early labels validation figures format clean

demo: $(VENV)/.demo-ready
	$(RUN)/her2sim demo

test: $(VENV)/.test-ready
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/lint-imports --no-cache
	$(RUN)/python -m pytest -n 2 -m "not slow and not gpu"

web: $(VENV)/.web-ready
	$(RUN)/her2sim web

docs: $(VENV)/.docs-ready
	$(RUN)/python -m sphinx -W -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

slow: $(VENV)/.test-ready
	$(RUN)/python -m pytest -m slow

bench: $(BENCH)/.ready
	cd benchmarks && ../$(BENCH)/bin/python compare.py
	cd benchmarks && ../$(BENCH)/bin/python scaling.py
	cd benchmarks && ../$(BENCH)/bin/python together.py
	cd benchmarks && ../$(BENCH)/bin/python protocol.py
	cd benchmarks && ../$(BENCH)/bin/python whole_patient.py
	cd benchmarks && ../$(BENCH)/bin/python trials.py

calibrate: $(VENV)/.test-ready
	$(RUN)/python tools/calibrate.py

calibrate-early: $(VENV)/.test-ready
	$(RUN)/python tools/calibrate.py --setting early

calibrate-tumours: $(VENV)/.test-ready
	for type in gastric biliary colorectal lung; do $(RUN)/python tools/calibrate.py --tumour $$type || exit 1; done

trials: $(VENV)/.test-ready
	$(RUN)/python tools/trials.py

parts: $(VENV)/.test-ready
	$(RUN)/python tools/parts.py parts

early: $(VENV)/.test-ready
	$(RUN)/python tools/early.py

labels: $(VENV)/.demo-ready
	$(RUN)/python tools/labels.py

validation: $(VENV)/.demo-ready
	$(RUN)/her2sim validate --markdown docs/validation.md

figures: $(VENV)/.demo-ready
	$(RUN)/python tools/figures.py

format: $(VENV)/.test-ready
	$(RUN)/ruff check --fix .
	$(RUN)/ruff format .

clean:
	rm -rf $(VENV) $(BENCH) demo dist build

$(VENV)/.demo-ready: pyproject.toml constraints.txt tools/environment.sh
	sh tools/environment.sh $(PYTHON) $(VENV) -c constraints.txt -e .
	touch $@

$(VENV)/.test-ready: pyproject.toml constraints.txt tools/environment.sh
	sh tools/environment.sh $(PYTHON) $(VENV) -c constraints.txt -e '.[test]'
	touch $@ $(VENV)/.demo-ready $(VENV)/.web-ready $(VENV)/.docs-ready

$(VENV)/.web-ready: pyproject.toml constraints.txt tools/environment.sh
	sh tools/environment.sh $(PYTHON) $(VENV) -c constraints.txt -e '.[web]'
	touch $@ $(VENV)/.demo-ready

$(VENV)/.docs-ready: pyproject.toml constraints.txt tools/environment.sh
	sh tools/environment.sh $(PYTHON) $(VENV) -c constraints.txt -e '.[docs,web]'
	touch $@ $(VENV)/.demo-ready

$(BENCH)/.ready: pyproject.toml constraints.txt benchmarks/requirements.txt tools/environment.sh
	sh tools/environment.sh $(PYTHON) $(BENCH) -c constraints.txt -e .
	for peer in $$(grep -v '^#' benchmarks/requirements.txt); do \
	    sh tools/environment.sh $(PYTHON) $(BENCH) -c constraints.txt "$$peer" \
	    || echo "left out: $$peer"; done
	touch $@
