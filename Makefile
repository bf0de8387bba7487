# The verbs of the house. Each does all the set-up it needs; stamps keep a second run short.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench docs new-service locks browser

BIN := .venv/bin
DONE := .venv/done
BUILT := src/commonweal/web/static/built/manifest.json
FRONTEND := $(shell find src/commonweal/web/frontend src/commonweal/services/*/static 2>/dev/null)
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check install --progress-bar off

help: ## say what can be done
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 22

setup: $(DONE)/run $(DONE)/package $(BUILT) ## install all that it takes to run

demo: setup ## set up everything, then run with fictional people; Ctrl-C ends it
	@exec $(BIN)/commonweal up --load docs/tutorial/people.ndjson

test: check $(BUILT) browser ## set up everything, run all checks and all tests
	@echo "· tests"
	@$(BIN)/python -m pytest $(ARGS)

check: $(DONE)/dev $(DONE)/package ## lint, types, contracts, sizes, dependencies, fresh reference
	@tools/check.sh

bench: setup ## measure, and print one table
	@$(BIN)/python -m bench $(ARGS)

docs: setup ## write docs/reference anew
	@$(BIN)/commonweal docs

new-service: $(DONE)/dev $(DONE)/package ## NAME=eye-care: add a service by copying the template
	@$(BIN)/python tools/new_service.py "$(NAME)"

locks: $(DONE)/dev ## pin the newest allowed versions of everything
	@tools/lock.sh

browser:
	@$(BIN)/python tools/browser.py

$(DONE)/venv: tools/venv.sh
	@tools/venv.sh
	@mkdir -p $(DONE) && touch $@

$(DONE)/run: requirements/run.lock $(DONE)/venv
	@echo "· installing what Commonweal runs on"
	@$(PIP) --require-hashes -r $<
	@touch $@

$(DONE)/dev: requirements/dev.lock $(DONE)/run
	@echo "· installing what checks and tests need"
	@$(PIP) --require-hashes -r $<
	@touch $@

$(DONE)/package: pyproject.toml $(DONE)/run
	@echo "· installing the command commonweal"
	@$(PIP) --no-deps --no-build-isolation --no-index -e .
	@touch $@

node_modules/.package-lock.json: package-lock.json $(DONE)/venv
	@$(BIN)/python tools/frontend.py install

$(BUILT): node_modules/.package-lock.json tools/frontend.py $(FRONTEND)
	@$(BIN)/python tools/frontend.py build
