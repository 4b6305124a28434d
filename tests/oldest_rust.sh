#!/usr/bin/env bash
# Whether everything builds, and the tests of the library pass, with the oldest Rust that `Cargo.toml` promises.
#
# Needs that toolchain: `rustup toolchain install 1.88`. It builds into a folder of its own, so that the usual one is
# not built anew.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/rust-$version

cargo "+$version" check --quiet --locked --workspace --all-features --all-targets
cargo "+$version" test --quiet --locked --lib --tests
