#!/usr/bin/env bash
# The same as fuzz/run.sh, for half an hour each, with numbers of its own and in the way of nobody.
#
# fuzz/run_long.sh [SECONDS_PER_TARGET] [TARGET...]
set -euo pipefail
FUZZ_SEED=0 exec nice -n 19 "$(dirname "$0")/run.sh" "${1:-1800}" "${@:2}"
