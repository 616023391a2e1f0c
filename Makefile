# One command each: `make run` starts everything, `make test` checks everything.
# The machine needs Python 3.11 or newer and make; all else is installed into .venv.

VENV := .venv
BIN := $(VENV)/bin
# Modules stay compiled even where the environment would not have it: a run is a dozen processes, a test run fifty.
unexport PYTHONDONTWRITEBYTECODE

# The first of these that is 3.11 to 3.13 and can build a virtual environment; `make run PYTHON=...` chooses another.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	command -v $$name >/dev/null 2>&1 \
	&& $$name -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1 \
	&& { echo $$name; break; }; done)

.DEFAULT_GOAL := help
.PHONY: help run test test-all test-changed check lint lint-types lint-tests lint-rest holes races mutants bench drills baseline guards gauges diagram tree messages pictures clean

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1\t/'

run: $(VENV)/runtime.stamp ## install what is missing, then start the database, the web server and the worker
	@exec $(BIN)/python manage.py run

# Which folders of tests a target runs. Together they are all of tests/: tests/unit/repository/test_tiers.py.
TESTS := tests/unit/adoption tests/unit/governance tests/unit/initiatives tests/app
TESTS_MORE := tests/acceptance
TESTS_LONG := tests/long
TESTS_LINT := tests/unit/repository
# A red test is tried once more, and named as unsteady if it then passes: tests/support/unsteady.py. The slowest tests are
# named, because each of them is paid for in every check.
PYTEST := $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --reruns 1 --durations 40
BENCH := audit_log.capture audit_log.seal audit_log.lag audit_log.verify audit_log.asof company.pages systems.decisions \
	systems.interaction_volume
TRIALS := audit_log.crash audit_log.flips audit_log.signatures audit_log.erasure audit_log.backup company.memory company.told \
	company.thirty_days systems.human_acts operations.two_hosts

test: $(VENV)/development.stamp ## run the tests of rules, models, acts and pages: before every push
	@$(PYTEST) $(TESTS) $(ARGS)

test-all: $(VENV)/development.stamp ## run what `make test` leaves out: browsers, races, attacks, backup, hostile and generated input, the demo
	@$(PYTEST) $(TESTS_MORE) $(ARGS)

test-changed: $(VENV)/development.stamp ## run the tests of what changed since the last green check, for at most two minutes
	@$(BIN)/python -m tests.support.commands.changed_tests $(ARGS)

check: ## do what CI does in a fresh clone of HEAD; if all is green, write its tree to .git/checked-tree
	@bash .ci/check

races: $(VENV)/development.stamp ## run the races between people at full length (500 rounds each)
	@$(BIN)/pytest tests/acceptance/races --rounds 500 $(ARGS)

bench: $(VENV)/development.stamp ## measure speed: cost of capture, sealing, its lag, verification, any day again, pages, decisions, the interaction log
	@for one in $(BENCH); do $(BIN)/python -m tests.drills.$$one || exit; done

drills: $(VENV)/development.stamp ## the long trials: crashes, flipped bits, erasure, backup, every attack, generated input, every page, an hour's memory, thirty days, a year of acts by hand and with machines, a year of who is told, two hosts under faults
	@$(BIN)/pytest $(TESTS_LONG) --rounds 500 $(ARGS)
	@$(BIN)/pytest tests/acceptance/audit_log/test_path_matrix.py tests/acceptance/audit_log/test_audit_log_attacks.py tests/acceptance/attacks/test_shared_rights.py tests/unit/governance/authorization/test_policy_equals_reading.py tests/app/initiatives/lifecycle/evidence/test_subjects.py tests/acceptance/input tests/acceptance/pages tests/acceptance/browser/test_every_page.py --rounds 500
	@for one in $(TRIALS); do $(BIN)/python -m tests.drills.$$one || exit; done

mutants: $(VENV)/development.stamp ## take the defences away one by one: each time a test must go red
	@$(BIN)/python -m tests.drills.mutants $(ARGS)

lint: $(VENV)/development.stamp ## check style, types, templates, who imports whom, settings, missing migrations, generated documents, prose, what documents cite, and run the tests that read the repository
	@$(MAKE) --no-print-directory --jobs 2 --keep-going --output-sync lint-types lint-tests lint-rest

lint-types:
	@$(BIN)/mypy --no-error-summary governance initiatives adoption

lint-tests:
	@$(BIN)/pytest -q $(TESTS_LINT) $(ARGS)

lint-rest:
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/djlint --lint --quiet templates
	@$(BIN)/djlint --check templates
	@$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	@$(BIN)/python manage.py check --fail-level WARNING
	@$(BIN)/python -m tests.support.commands.state_diagram --check
	@$(BIN)/python -m tests.support.commands.evidence_table --check
	@$(BIN)/python -m tests.support.commands.package_tree --check
	@$(BIN)/python -m tests.support.commands.prose --check
	@$(BIN)/python -m tests.support.commands.gauges --check
	@$(BIN)/python -m tests.support.commands.citations
	@$(BIN)/python -m tests.support.commands.asvs

holes: $(VENV)/development.stamp ## ask pip's package index whether a hole is known in a library we pin
	@$(BIN)/python -m tests.support.commands.known_holes

baseline: $(VENV)/development.stamp ## write the one migration of each app anew from the models, and print what it changes in a new database
	@$(BIN)/python -m tests.support.commands.baseline
	@$(BIN)/ruff check --quiet --fix */migrations

guards: $(VENV)/development.stamp ## write down what a database just migrated has of functions, triggers and constraints
	@$(BIN)/python -m tests.support.commands.write_guards

gauges: $(VENV)/development.stamp ## count lines and ways to do one act, and write down what fell
	@$(BIN)/python -m tests.support.commands.gauges

diagram: $(VENV)/development.stamp ## draw docs/stages.md from the state machine of the stages, and docs/evidence.md from the rulebook
	@$(BIN)/python -m tests.support.commands.state_diagram
	@$(BIN)/python -m tests.support.commands.evidence_table

tree: $(VENV)/development.stamp ## write the tree of packages in docs/architecture.md from their docstrings
	@$(BIN)/python -m tests.support.commands.package_tree

messages: $(VENV)/development.stamp ## bring what is marked for translation into a language's catalogue: make messages LANGUAGE=fr
	@$(BIN)/python -m tests.support.commands.messages $(LANGUAGE)

pictures: $(VENV)/development.stamp ## make the pictures of README.md from the demo
	@$(BIN)/python -m tests.support.commands.pictures

clean: ## remove the virtual environment; data are kept
	rm -rf $(VENV)

# A virtual environment that was moved, or whose Python was removed, is made anew.
$(shell $(BIN)/python -c '' >/dev/null 2>&1 || rm -f $(VENV)/*.stamp)

$(VENV)/made.stamp:
	@if [ -z "$(PYTHON)" ]; then echo "Plumbline needs Python 3.11, 3.12 or 3.13 with its venv module (Debian, Ubuntu:" \
		"apt-get install python3 python3-venv). Install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 2; fi
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

# The terminal shows the name of each library, and what pip writes to its error output. Python compiles the modules that
# are imported at their first import: compiling all of them takes 10 s and 55 MB more.
PIP_FAILED := $(VENV)/pip-failed
INSTALL = rm -f $(PIP_FAILED); { $(BIN)/python -m pip install --no-compile --disable-pip-version-check --require-hashes -r $(1) || touch $(PIP_FAILED); } \
	| sed -un -e 's/^Collecting \([^= ]*\).*/  \1/p' -e 's/^Installing collected.*/Unpacking the libraries .../p'; test ! -e $(PIP_FAILED)

$(VENV)/runtime.stamp: requirements.lock $(VENV)/made.stamp
	@echo "Installing Plumbline's libraries into $(VENV) (once, about a minute):"
	@$(call INSTALL,requirements.lock)
	@touch $@

$(VENV)/development.stamp: requirements-dev.lock $(VENV)/runtime.stamp
	@echo "Installing the libraries for tests into $(VENV) (once, about a minute):"
	@$(call INSTALL,requirements-dev.lock)
	@touch $@
