#!/usr/bin/env bash
# Runs everything that must hold before a change lands: format, lints, documentation, feature sets, tests.
# On a fresh clone this fetches crates from the package registry and nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

# One target folder and one profile for every step, so that nothing is built twice.
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
export RUSTDOCFLAGS="-D warnings"

step "format"
cargo fmt --all --check

step "lints, all features and none"
cargo clippy --quiet --locked --all-targets --all-features -- -D warnings
cargo clippy --quiet --locked --all-targets -- -D warnings

step "documentation, private items too"
cargo doc --quiet --locked --no-deps --all-features --document-private-items

step "each feature alone"
for feature in async tower diagnose testkit cli gateway; do
    cargo check --quiet --locked --no-default-features --features "$feature"
done

step "fuzz targets, 20 s each"
fuzz/run.sh 20

step "documentation examples"
cargo test --quiet --locked --all-features --doc

step "tests"
cargo test --locked --all-features --lib --tests
