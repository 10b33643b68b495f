SHELL := /bin/bash
.DEFAULT_GOAL := help
ENV := source infra/bootstrap.sh &&

help: ## list what make can do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: ## set up, then run the whole thread on the shipped sample
	@$(ENV) exec yupana run

test: ## set up, then run every check and test (under 15 minutes on 2 cores)
	@$(ENV) exec infra/test.sh

setup: ## only set up: environment from uv.lock, Delta JARs
	@$(ENV) echo "ready: source .venv/bin/activate"

up: ## start Airflow with its web page (Ctrl-C stops it)
	@$(ENV) exec yupana up

serve: ## serve the outbreak endpoint (Ctrl-C stops it)
	@$(ENV) exec yupana serve outbreak

doctor: ## say what is missing on this machine
	@$(ENV) exec yupana doctor

lint: ## ruff, mypy and the import contract
	@$(ENV) infra/lint.sh

bench: ## measure and compare; writes JSON under var/bench
	@$(ENV) python tests/benchmark/startup.py

docs: ## draw the pictures and tables of docs/ and README again
	@$(ENV) python -m docs.draw

clean: ## remove everything that yupana wrote (tables, models, reports)
	rm -rf var

.PHONY: help run test setup up serve doctor lint bench docs clean
