SHELL := /bin/bash
.DEFAULT_GOAL := help
ENV := source infra/bootstrap.sh &&

help: ## list what make can do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: ## set up, then run the whole thread on the shipped sample
	@$(ENV) exec yupana run

check: ## before each commit: style, types, units, properties, DAG policy (about a minute)
	@$(ENV) exec infra/check.sh

test: ## before each merge: set up, then every check and test (about 20 minutes on 2 cores)
	@$(ENV) exec infra/test.sh

test-long: ## before an issue is closed: kills, 10,000 made-up files, a year of releases, cases on Spark (about 30 minutes)
	@$(ENV) exec pytest -m long

setup: ## only set up: the environment from uv.lock
	@$(ENV) echo "ready: source .venv/bin/activate"

up: ## start Airflow with its web page and an engine for all tasks (Ctrl-C stops them)
	@$(ENV) exec yupana up

down: ## stop what `make up` started, from another terminal
	@$(ENV) exec yupana down

serve: ## serve an endpoint, USE_CASE=outbreak (Ctrl-C stops it)
	@$(ENV) exec yupana serve $(or $(USE_CASE),outbreak)

doctor: ## say what is missing on this machine
	@$(ENV) exec yupana doctor

lint: ## ruff, mypy and the import contract
	@$(ENV) infra/lint.sh

bench: ## measure against other ways, at 1 and 10 million rows (about 10 minutes on 2 cores)
	@$(ENV) python -m tests.benchmark.startup && python -m tests.benchmark.ingest

bench-train: ## the training loop against bare PyTorch, and as districts grow (about 1 minute)
	@$(ENV) python -m tests.benchmark.train

bench-skill: ## forecasts against statsforecast, LightGBM and regressions of epidemiology (about 20 minutes)
	@$(ENV) python -m tests.benchmark.skill $(if $(BACKTEST),--backtest $(BACKTEST))

bench-serve: ## the forecast endpoint against bare FastAPI and LitServe (about 5 minutes, needs wrk)
	@$(ENV) python -m tests.benchmark.serve

bench-monitor: ## drift of a million predictions against Evidently's default; ledger and trace (about 10 minutes)
	@$(ENV) python -m tests.benchmark.monitor

bench-texts: ## labels of texts beside fastText and scikit-learn (about a minute on the sample; FILE=… for another)
	@$(ENV) python -m tests.benchmark.texts $(FILE)

bench-stream: ## streams by Kafka, MQTT and files, Spark's own beside them (about 10 minutes)
	@$(ENV) python -m tests.benchmark.stream --spark

docs: ## draw the pictures and tables of docs/ and README again
	@$(ENV) python -m docs.draw && python -m docs.rooms --write && yupana standards model

clean: ## remove everything that yupana wrote (tables, models, reports)
	rm -rf var

.PHONY: help run check test test-long setup up down serve doctor lint bench bench-train bench-skill bench-serve bench-monitor bench-stream docs clean
