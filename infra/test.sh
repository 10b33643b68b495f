#!/usr/bin/env bash
# Every check and test, in the order in which they fail fastest.
set -euo pipefail
infra/lint.sh
exec pytest
