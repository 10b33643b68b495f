#!/usr/bin/env bash
# What is quick enough for each commit: style and types beside units, properties and DAG policy.
set -euo pipefail
infra/lint.sh & lint=$!
pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=5 \
  -m 'not long and not spark' \
  tests/unit tests/property tests/golden tests/dags/test_dags.py || { wait $lint; exit 1; }
wait $lint
