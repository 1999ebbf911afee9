#!/usr/bin/env bash
# constnet beside its peers: `benches/peers/run.sh [--csv FILE] [--picture FILE] [--rounds N] [--filter TEXT] [--build-only]
# [--readme] [--quick]`, on a machine with nothing else to do. Builds everything plainly (`cargo build --release`: how constnet is meant to be used),
# and, for whom it helps, for this very processor and for AVX2. Then times the builds in turn, so that noise hits all alike, and prints
# the tables; with `--readme` they go into benches/README.md, and the picture beside it. The first build takes some twenty minutes on
# two cores; `--quick` leaves out the frameworks for this very processor, which is half of it.
set -euo pipefail
cd "$(dirname "$0")"

csv= picture= rounds=7 filter= build_only= readme= quick=
while (($#)); do
    case $1 in
    --csv) csv=$(realpath -m "$2") ;;
    --picture) picture=$(realpath -m "$2") ;;
    --rounds) rounds=$2 ;;
    --filter) filter=$2 ;;
    --quick) quick=yes && shift && continue ;;
    --build-only) build_only=yes && shift && continue ;;
    --readme) readme=$(realpath ../README.md) picture=$(realpath -m ../peers.svg) && shift && continue ;;
    *) sed -n '2,6s/^# //p' "$0" >&2 && exit 2 ;;
    esac
    shift 2
done

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
# One thread for everyone: candle and dfdx ask rayon, which asks this.
export RAYON_NUM_THREADS=1
unset RUSTFLAGS

# build NAME FLAGS ARGUMENTS...: into a target directory of its own.
builds=()
build() {
    echo "building: $1" >&2
    RUSTFLAGS=$2 CARGO_TARGET_DIR=$target/$1 cargo build --quiet --release --bin peers "${@:3}"
    builds+=("$1")
}
build plain ""
[[ -n $quick ]] || build native "-C target-cpu=native"
# Loops and nalgebra once more, with link-time optimisation: they do not choose their instructions at run time, and some are faster
# with the narrower ones.
export CARGO_PROFILE_RELEASE_LTO=fat CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1
without_frameworks=(--no-default-features --features nalgebra-std)
build native-lto "-C target-cpu=native" "${without_frameworks[@]}"
! grep -qw avx2 /proc/cpuinfo || build avx2-lto "-C target-cpu=x86-64-v3" "${without_frameworks[@]}"
unset CARGO_PROFILE_RELEASE_LTO CARGO_PROFILE_RELEASE_CODEGEN_UNITS
[[ -z $build_only ]] || exit 0

# On one core, where that can be said.
one_core=()
! command -v taskset >/dev/null || one_core=(taskset -c "$(($(nproc) - 1))")
program() {
    "${one_core[@]}" "$target/$1/release/peers" "${@:2}"
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

tables=$(mktemp)
trap 'rm -f "$times" "$tables"' EXIT
{
    processor=$(awk -F ': *' '/^model name/ { name = $2 } /^cpu family/ { family = $2 } /^model\t/ { model = $2 }
        END { printf "%s (family %s, model %s)", name, family, model }' /proc/cpuinfo)
    [[ -z $readme ]] || printf '## Results\n\n![A bar for each peer and network, on a logarithmic scale](peers.svg)\n\n'
    echo "At commit $(git rev-parse --short HEAD), $(rustc --version | cut -d' ' -f1,2), $processor, $(nproc) cores. Builds: ${builds[*]}."
    echo
    program plain table "$times" ${picture:+"$picture"}
    [[ -n $filter ]] || program plain latency
} | tee "$tables"
if [[ -n $readme ]]; then
    awk -v tables="$tables" '
        /^<!-- measured -->$/ { print; print ""; while ((getline line < tables) > 0) print line; inside = 1; next }
        /^<!-- until here -->$/ { inside = 0 }
        !inside
    ' "$readme" >"$times"
    cat "$times" >"$readme"
    echo "written into $readme, and $picture" >&2
fi
