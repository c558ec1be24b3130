# Copyright (c) 2026 fife.managed_tokens contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Thin on purpose: what is done stands in lab/ and tests/checks/.

CACHE := $(or $(MANAGED_TOKENS_CACHE),/var/cache/managed-tokens-lab)
PYTEST := $(CACHE)/venv/bin/python -m pytest
# What looks at the whole machine runs alone; a playbook keeps one core busy, so of the rest two files go at once.
ALONE := tests/integration/test_laboratory.py
TOGETHER := -n 2 --dist loadfile tests/integration --ignore $(ALONE)
LINK := .collections/ansible_collections/fife/managed_tokens

.DEFAULT_GOAL := help
.PHONY: help setup demo lint unit sanity units checks integration-light integration test test-faults bench release-check clean

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(LINK) ## Install everything needed for demo and tests (as root; quick when nothing is missing)
	lab/install all

$(LINK):
	mkdir -p $(@D)
	ln -s ../../.. $@

demo: setup ## Show a whole run in a laboratory on this machine
	lab/demo

lint: ## Check the sources: style, types, licences, metadata, documentation
	@tests/checks/lint

unit: ## Run the unit tests
	@$(PYTEST) tests/unit

sanity: ## Run ansible-test's sanity tests
	@tests/checks/sanity

units: ## Run the unit tests as ansible-test runs them
	@tests/checks/units

checks: ## Run all that needs no laboratory, two at a time, as each keeps one core busy (units are the unit tests)
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target sanity lint units

integration-light: ## Run the integration tests that need no HTCondor
	@$(PYTEST) $(ALONE) -m "not condor and not long"
	@$(PYTEST) $(TOGETHER) -m "not condor and not long"

integration: ## Run the integration tests but for the long ones
	@$(PYTEST) $(ALONE) -m "not long"
	@$(PYTEST) $(TOGETHER) -m "not long"

test: ## Run everything, quick checks first
	@tests/checks/steps setup checks integration

test-faults: ## Run the long form of the tests: 5,000 old configurations, forty storer runs at once five times in a row, all integration tests
	@MANAGED_TOKENS_EXAMPLES=5000 $(PYTEST) tests/unit/plugins/inventory
	@MANAGED_TOKENS_LONG=1 $(PYTEST) $(ALONE)
	@MANAGED_TOKENS_LONG=1 $(PYTEST) $(TOGETHER)

bench: ## Measure: a small set in some minutes, or one bench at its full size (ARGS="against-baseline --size 10,2,5"; ARGS=help)
	@$(CACHE)/venv/bin/python tests/bench $(ARGS)

release-check: ## Run what must hold before a release, on top of test
	@tests/checks/lint --release
	@tests/checks/newest-core

clean: ## Remove what checks leave in the checkout (the cache outside of it stays)
	rm -rf .ansible .collections .hypothesis .mypy_cache .pytest_cache .ruff_cache tests/output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
