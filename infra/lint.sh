#!/usr/bin/env bash
# Style, types and the import contract.
set -euo pipefail
ruff check .
mypy
lint-imports --no-cache
