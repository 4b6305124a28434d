#!/usr/bin/env bash
# Lints the crate, its tests and its examples under every set of features that differs from the others.
#
# Not part of tests/run.sh, which has each feature alone, all, and none: this takes minutes and seldom finds anything.
set -euo pipefail
cd "$(dirname "$0")/.."

# What implies what: tower and redis async; testkit diagnose. So each list is a choice of one.
declared=$(sed -n '/^\[features\]/,/^\[dep/s/^\([a-z]*\) = .*/\1/p' Cargo.toml | sort | xargs)
if [[ $declared != "async default diagnose redis testkit tower" ]]; then
    echo "tests/features.sh does not know the features of Cargo.toml: $declared" >&2
    exit 1
fi
sets=()
for waits in "" async tower redis tower,redis; do
    for explains in "" diagnose testkit; do
        sets+=("$waits,$explains")
    done
done

for features in "${sets[@]}"; do
    echo "== $features"
    cargo clippy --quiet --locked --all-targets --no-default-features --features "$features" -- -D warnings
done
for features in "" serve redis; do
    echo "== command: $features"
    cargo clippy --quiet --locked -p qcloud-validator-cli --all-targets --no-default-features --features "$features" -- -D warnings
done
echo "${#sets[@]} sets of features of the library, 3 of the command"
