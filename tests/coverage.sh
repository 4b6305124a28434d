#!/usr/bin/env bash
# Which lines the fast tests run, folder by folder. Prints a table; a line of it names folder, lines, lines run, percent.
#
# tests/coverage.sh [FOLDER...]
#
# Needs `llvm-profdata` and `llvm-cov` of the LLVM that the compiler was built with (`rustc -vV`): in $LLVM_BIN, or on
# the path. Only this crate is instrumented, so dependencies are not built anew.
set -euo pipefail
cd "$(dirname "$0")/.."

folders=("$@")
((${#folders[@]})) || folders=(src/check src/signature src/stage src/memory src/dialect src/form)
tests=(library features)
PATH=${LLVM_BIN:+$LLVM_BIN:}$PATH

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
printf '#!/bin/sh\nexec "$@" -C instrument-coverage\n' >"$scratch/rustc"
chmod +x "$scratch/rustc"
export RUSTC_WORKSPACE_WRAPPER=$scratch/rustc
# %m: one file for each program, into which its runs are merged.
export LLVM_PROFILE_FILE=$scratch/%m.profraw

run=(cargo test --locked --features "async,tower,diagnose" --lib "${tests[@]/#/--test=}")
"${run[@]}" --no-run --message-format=json 2>"$scratch/build" >"$scratch/messages" || { cat "$scratch/build" >&2; exit 1; }
mapfile -t programs < <(grep -o '"executable":"[^"]*"' "$scratch/messages" | cut -d'"' -f4)
"${run[@]}" --quiet >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }

llvm-profdata merge --sparse "$scratch"/*.profraw -o "$scratch/profile"
printf '%-20s %6s %6s %6s\n' folder lines run '%'
for folder in "${folders[@]}"; do
    llvm-cov export --format=lcov --instr-profile="$scratch/profile" "${programs[@]/#/--object=}" \
        --sources "$folder" >"$scratch/lcov"
    awk -F: -v folder="$folder" '/^LF:/ { all += $2 } /^LH:/ { run += $2 }
        END { printf "%-20s %6d %6d %6.1f\n", folder, all, run, 100 * run / all }' "$scratch/lcov"
    # The lines that no test runs.
    awk -F: '/^SF:/ { file = $2 } /^DA:/ { split($2, line, ","); if (line[2] == 0) print "    " file ":" line[1] }' \
        "$scratch/lcov" | sed "s|$PWD/||"
done
