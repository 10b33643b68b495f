#!/usr/bin/env bash
# Every check and test but those marked `long`; what is long goes first, in two processes.
set -euo pipefail
infra/lint.sh
exec pytest -n 2 --dist loadfile --no-loadscope-reorder "$@"
