#!/usr/bin/env bash
# Runs what takes too long for tests/run.sh, one after the other, and ends with a summary.
#
# tests/thorough.sh             # every check
# tests/thorough.sh NAME...     # these: features oldest_rust miri public_api deny mutants fuzz package
#
# A check whose tool is not installed is skipped, with a line that says what it needs. The exit code is 1 if one failed.
set -uo pipefail
cd "$(dirname "$0")/.."

# What `git diff` compares with, for the mutants.
base=${BASE:-main}
results=()
failed=0

# check NAME "WHAT IT NEEDS" TEST-COMMAND -- COMMAND...
check() {
    local name=$1 needs=$2 test=$3
    shift 4
    [[ ${#wanted[@]} -eq 0 || " ${wanted[*]} " == *" $name "* ]] || return 0
    if ! bash -c "$test" >/dev/null 2>&1; then
        echo "== $name: skipped, it needs $needs"
        results+=("$name: skipped, it needs $needs")
        return 0
    fi
    echo "== $name"
    local began=$SECONDS
    if "$@"; then
        results+=("$name: passed in $((SECONDS - began)) s")
    else
        results+=("$name: FAILED after $((SECONDS - began)) s")
        failed=1
    fi
}

# Of what changed since the base.
mutants() {
    local diff
    diff=$(mktemp)
    git diff "$base" -- src >"$diff"
    cargo mutants --in-diff "$diff"
    local code=$?
    rm -f "$diff"
    return "$code"
}

# Both packages, as they would be published: the command against the library that lies beside it.
packages() {
    cargo package --locked --allow-dirty -p qcloud-validator &&
        cargo package --locked --allow-dirty --list -p qcloud-validator-cli >/dev/null
}

wanted=("$@")
oldest=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
check features "nothing" true -- tests/features.sh
check oldest_rust "\`rustup toolchain install $oldest\`" "cargo +$oldest --version" -- tests/oldest_rust.sh
check miri "\`rustup component add miri rust-src --toolchain nightly\`" "cargo +nightly miri --version" -- tests/miri.sh
check public_api "\`cargo install cargo-public-api --locked\` and a nightly toolchain" \
    "command -v cargo-public-api && cargo +nightly --version" -- tests/public_api.sh
check deny "\`cargo install cargo-deny --locked\`" "command -v cargo-deny" -- cargo deny --all-features check bans licenses sources
check mutants "\`cargo install cargo-mutants --locked\`" "command -v cargo-mutants" -- mutants
check fuzz "a C++ compiler" "command -v ${CXX:-c++}" -- fuzz/run_long.sh "${FUZZ_SECONDS:-1800}"
check package "nothing" true -- packages

printf '\n'
printf '%s\n' "${results[@]}"
exit "$failed"
