#!/usr/bin/env bash
# Runs tests under Miri, which finds undefined behaviour: the crate has no unsafe code, but the maps and the hashes that
# it stands on have.
#
# tests/miri.sh [ARGUMENTS OF cargo test]    without arguments: the unit tests of the library
#
# Needs a nightly toolchain with Miri: `rustup component add miri rust-src --toolchain nightly`. Miri is some hundred times slower
# than the machine; tests that it could not finish say `ignore` under `cfg(miri)`.
set -euo pipefail
cd "$(dirname "$0")/.."

# Stores read files and ask for the clock and for random numbers; the locks of the maps make pointers from numbers.
export MIRIFLAGS=${MIRIFLAGS:--Zmiri-disable-isolation -Zmiri-permissive-provenance}
(($#)) || set -- --lib
exec cargo +nightly miri test --locked "$@"
