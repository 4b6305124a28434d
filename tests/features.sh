#!/usr/bin/env bash
# Lints the crate, its tests and its examples under every set of features that differs from the others.
#
# Not part of tests/run.sh, which has each feature alone, all, and none: this takes minutes and seldom finds anything.
set -euo pipefail
cd "$(dirname "$0")/.."

# What implies what: tower and redis async; cli testkit diagnose; gateway cli and tower. So each list is a choice of one.
declared=$(sed -n '/^\[features\]/,/^\[dep/s/^\([a-z]*\) = .*/\1/p' Cargo.toml | sort | xargs)
if [[ $declared != "async cli default diagnose gateway redis testkit tower" ]]; then
    echo "tests/features.sh does not know the features of Cargo.toml: $declared" >&2
    exit 1
fi
sets=(gateway gateway,redis)
for waits in "" async tower redis tower,redis; do
    for explains in "" diagnose testkit cli; do
        sets+=("$waits,$explains")
    done
done

for features in "${sets[@]}"; do
    echo "== $features"
    cargo clippy --quiet --locked --all-targets --no-default-features --features "$features" -- -D warnings
done
echo "${#sets[@]} sets of features"
