PYTHON ?= .venv/bin/python

.PHONY: reference site
reference:  ## docs/reference again: hours, or `make reference ARGS=--quick` in under 20 minutes, on a quiet machine
	$(PYTHON) tests/support/reference_runs.py $(ARGS)

site:  ## the documentation, into site/
	$(PYTHON) -m mkdocs build --strict
