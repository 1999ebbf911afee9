#!/usr/bin/env bash
# constnet beside its peers: `benches/peers/run.sh [--csv FILE] [--picture FILE] [--rounds N] [--filter TEXT]`, on a machine with nothing
# else to do. Builds everything three ways: plain (`cargo build --release`, how constnet is meant to be used), and, for whom it helps,
# for AVX2 and for this very processor, both with link-time optimisation over all crates. Then times the builds in turn, so that noise
# hits all alike, and prints the tables. The first build takes some ten minutes on two cores; measuring takes about two.
set -euo pipefail
cd "$(dirname "$0")"

csv= picture= rounds=7 filter=
while (($#)); do
    case $1 in
    --csv) csv=$(realpath -m "$2") ;;
    --picture) picture=$(realpath -m "$2") ;;
    --rounds) rounds=$2 ;;
    --filter) filter=$2 ;;
    *) sed -n '2,5s/^# //p' "$0" >&2 && exit 2 ;;
    esac
    shift 2
done

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
# One thread for everyone: candle and dfdx ask rayon, which asks this.
export RAYON_NUM_THREADS=1
unset RUSTFLAGS

echo "building: plain" >&2
CARGO_TARGET_DIR=$target cargo build --quiet --release
export CARGO_PROFILE_RELEASE_LTO=fat CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1
builds=(plain)
if grep -qw avx2 /proc/cpuinfo; then
    # The frameworks choose their instructions when they run; this build is for those that do not.
    echo "building: for AVX2" >&2
    RUSTFLAGS="-C target-cpu=x86-64-v3" CARGO_TARGET_DIR=$target/avx2 cargo build --quiet --release \
        --no-default-features --features nalgebra-std
    builds+=(avx2)
fi
echo "building: for this processor" >&2
RUSTFLAGS="-C target-cpu=native" CARGO_TARGET_DIR=$target/native cargo build --quiet --release
builds+=(native)

# On one core, where that can be said.
one_core=()
! command -v taskset >/dev/null || one_core=(taskset -c "$(($(nproc) - 1))")
program() {
    local folder=$target
    [[ $1 == plain ]] || folder=$target/$1
    shift
    "${one_core[@]}" "$folder/release/peers" "$@"
}

times=$(mktemp)
trap 'rm -f "$times"' EXIT
for ((round = 1; round <= rounds; round++)); do
    for build in "${builds[@]}"; do
        echo "round $round of $rounds: $build" >&2
        program "$build" measure "$build" 5 "$filter" >>"$times"
    done
done
[[ -z $csv ]] || cp "$times" "$csv"

echo "$(rustc --version); $(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores; $(git describe --always --dirty)"
echo
program plain table "$times" ${picture:+"$picture"}
[[ -n $filter ]] || program plain latency
