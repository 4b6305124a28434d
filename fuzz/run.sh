#!/usr/bin/env bash
# Builds the fuzz targets and runs each for some seconds, two at a time; prints what they reached and fails on a finding.
#
# fuzz/run.sh [SECONDS_PER_TARGET] [TARGET...]
#
# Needs a C++ compiler, for libFuzzer, and no nightly toolchain: the library has no unsafe code of its own, so coverage is
# all the instrumentation that is asked for. Corpora, logs and reproducers are kept in $FUZZ_OUT. Each run draws the same
# numbers, so that what one finds the next finds too; FUZZ_SEED=0 draws others.
set -euo pipefail
shopt -s nullglob
cd "$(dirname "$0")/.."

seconds=${1:-20}
targets=("${@:2}")
if ((${#targets[@]} == 0)); then
    for source in fuzz/fuzz_targets/*.rs; do targets+=("$(basename "$source" .rs)"); done
fi
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
out=${FUZZ_OUT:-$CARGO_TARGET_DIR/out}

if ! command -v "${CXX:-c++}" >/dev/null; then
    echo "no C++ compiler: the fuzz targets are checked and not run"
    # To check, libFuzzer need not be there.
    CUSTOM_LIBFUZZER_PATH=none/libnone.a RUSTFLAGS="--cfg fuzzing" \
        cargo check --quiet --locked --manifest-path fuzz/Cargo.toml
    exit
fi

# As cargo-fuzz sets it, without a sanitizer. `--target` keeps it away from build scripts and procedural macros.
instrumented=(
    --cfg fuzzing
    -Cpasses=sancov-module
    -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares
    -Cllvm-args=-simplifycfg-branch-fold-threshold=0
)
host=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS="${instrumented[*]}" cargo build --quiet --locked --release --manifest-path fuzz/Cargo.toml --target "$host" \
    "${targets[@]/#/--bin=}"

# A copy: a later build must not change what runs.
mkdir -p "$out/bin" "$out/log"
for target in "${targets[@]}"; do
    mkdir -p "$out/corpus/$target" "$out/findings/$target"
    cp "$CARGO_TARGET_DIR/$host/release/$target" "$out/bin/"
done

run() {
    local options=(-seed="${FUZZ_SEED:-1}" -max_total_time="$seconds" -timeout=30 -rss_limit_mb=1024 -print_final_stats=1)
    local dictionary=fuzz/dictionaries/$1.dict
    [[ -e $dictionary ]] && options+=(-dict="$dictionary")
    "$out/bin/$1" "${options[@]}" -artifact_prefix="$out/findings/$1/" "$out/corpus/$1" >"$out/log/$1" 2>&1
}

running=0
for target in "${targets[@]}"; do
    if ((running == 2)); then
        wait -n || true
        running=1
    fi
    run "$target" &
    running=$((running + 1))
done
wait

found=0
printf '%-14s %12s %9s %7s %9s %8s %8s %9s\n' target executions exec/s cov: features corpus rss/MiB findings
for target in "${targets[@]}"; do
    log=$out/log/$target
    # `#12 DONE cov: 34 ft: 56 corp: 7/8Kb lim: 9 exec/s: 10 rss: 11Mb`; after a finding, the last line like it.
    number() { grep -aEo "$1 *[0-9]+" "$log" | tail -n 1 | grep -Eo '[0-9]+$' || echo -; }
    findings=("$out/findings/$target"/*)
    printf '%-14s %12s %9s %7s %9s %8s %8s %9s\n' "$target" "$(number '^#')" "$(number exec/s:)" "$(number cov:)" \
        "$(number ft:)" "$(number corp:)" "$(number rss:)" "${#findings[@]}"
    if ((${#findings[@]} > 0)) || ! grep -aq '^Done' "$log"; then
        found=1
        grep -a -m 1 -A 1 'panicked at\|ERROR' "$log" || tail -n 3 "$log"
        for finding in "${findings[@]}"; do echo "reproduce: $out/bin/$target $finding"; done
    fi
done
exit "$found"
