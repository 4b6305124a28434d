#!/usr/bin/env bash
# Compares the public API with its snapshot, so that each change of it is seen in review.
#
# tests/public_api.sh              # fails, and shows what differs
# tests/public_api.sh --update     # writes the snapshot
#
# The snapshot is tests/public_api/default.txt for the library without features and tests/public_api/all.txt with all.
#
# Not part of tests/run.sh: it needs `cargo install cargo-public-api --locked` and a nightly toolchain, whose rustdoc
# writes down what is public.
set -euo pipefail
cd "$(dirname "$0")/.."
snapshot=tests/public_api

if ! command -v cargo-public-api >/dev/null || ! rustc +nightly --version >/dev/null 2>&1; then
    echo "tests/public_api.sh needs cargo-public-api and the toolchain nightly: see its first lines" >&2
    exit 2
fi

# Left out: what every type gets from blanket implementations, and two traits that only the compiler knows.
listed() {
    cargo +nightly public-api --omit blanket-impls "$@" | grep -vE 'core::marker::(Freeze|UnsafeUnpin) for'
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
listed >"$scratch/default.txt"
listed --all-features >"$scratch/all.txt"

# Features only add.
if grep -vxFf "$scratch/all.txt" "$scratch/default.txt"; then
    echo "the lines above are public without features, and not with all of them" >&2
    exit 1
fi
if [[ ${1-} == --update ]]; then
    mkdir -p "$snapshot"
    mv "$scratch"/*.txt "$snapshot"
elif ! diff -ru "$snapshot" "$scratch"; then
    echo "the public API is not that of the snapshot; if it is meant to change: tests/public_api.sh --update" >&2
    exit 1
fi
