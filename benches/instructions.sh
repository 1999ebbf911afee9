#!/usr/bin/env bash
# Instructions of each prediction and training step, by callgrind: the figure that repeats exactly. `benches/instructions.sh` compares
# them with `benches/instructions.txt`, and fails where one differs by more than 2 %, be it more or fewer: what is better has to be recorded
# too, by `benches/instructions.sh --record`. Exits with 3 where it cannot compare: without valgrind, AVX2 or the compiler that the
# file is for.
set -euo pipefail
cd "$(dirname "$0")"
file=instructions.txt tolerance=2

skip() {
    echo "SKIPPED: instruction counts: $*"
    exit 3
}
[[ $(uname -m) == x86_64 ]] || skip "they are those of x86-64"
command -v valgrind >/dev/null || skip "valgrind is missing"
grep -qw avx2 /proc/cpuinfo || skip "this processor does not have AVX2"
compiler=$(rustc --version | cut -d' ' -f1,2)
if [[ ${1:-} != --record ]]; then
    recorded=$(sed -n 's/^# compiled by //p' "$file")
    [[ $recorded == "$compiler" ]] || skip "they are those of $recorded, and this is $compiler"
fi

unset RUSTFLAGS RUSTC_WORKSPACE_WRAPPER
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# Cargo derives the names of functions from the path to the checkout too, and the compiler inlines by their order: MNIST's step of 32 would
# differ by some instructions from folder to folder, and a kernel that it finds hard by some percent. So the crates of this repository have
# one name here, whatever their path is; a folder of their own, since cargo does not see the difference.
cat >"$logs/rustc" <<'WRAPPER'
#!/usr/bin/env bash
arguments=()
for argument in "$@"; do
    [[ " $* " != *" --crate-name "@(constnet|constnet_peers|instructions)" "* ]] || argument=${argument/#metadata=*/metadata=instructions}
    arguments+=("$argument")
done
exec "${arguments[@]}"
WRAPPER
chmod +x "$logs/rustc"
target=$(realpath -m "${CARGO_TARGET_DIR:-peers/target}")/instructions
RUSTC_WRAPPER=$logs/rustc CARGO_TARGET_DIR=$target \
    cargo build --quiet --release --manifest-path peers/Cargo.toml --no-default-features --bin instructions
program=$target/release/instructions

# count SET CASE: instructions of one call.
count() {
    local calls collected
    calls=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='*instructions*counted*' \
        "$program" "$1" "$2" 2>"$logs/valgrind") || { cat "$logs/valgrind" >&2; return 1; }
    collected=$(sed -n 's/^==[0-9]*== Collected : //p' "$logs/valgrind")
    ((collected > 0)) || { echo "nothing was collected of $2" >&2; return 1; }
    echo $(((collected + calls / 2) / calls))
}

mapfile -t cases < <("$program")
((${#cases[@]})) || { echo "no cases" >&2; exit 1; }
{
    echo "# Instructions of one prediction, or of one training step, of the networks of benches/README.md: \`benches/instructions.sh\`."
    echo "# With AVX2, and with what a plain build targets (SSE2). valgrind does not know AVX-512."
    echo "# compiled by $compiler"
    printf '%-28s %12s %12s\n' "" AVX2 SSE2
    for case in "${cases[@]}"; do
        avx2=$(count avx2 "$case")
        sse2=$(count target "$case")
        printf '%-28s %12d %12d\n' "$case" "$avx2" "$sse2"
    done
} | tee "$logs/now"

if [[ ${1:-} == --record ]]; then
    cp "$logs/now" "$file"
    exit
fi
echo
awk -v tolerance=$tolerance '
    { now = FILENAME == ARGV[2] }
    /^#/ || NF < 3 || $NF == "SSE2" { next }
    {
        avx2 = $(NF - 1); sse2 = $NF; name = $0
        sub(/ +[0-9]+ +[0-9]+$/, "", name)
    }
    !now { before["AVX2", name] = avx2; before["SSE2", name] = sse2; known[name] = 1; next }
    { seen[name] = 1; check("AVX2", avx2); check("SSE2", sse2) }
    function check(set, count, old) {
        old = before[set, name]
        if (old == "") { print name ", " set ": not recorded"; failed = 1; return }
        if ((count - old) ^ 2 > (old * tolerance / 100) ^ 2) {
            printf "%s, %s: %d instructions, and %d are recorded (%+.1f %%)\n", name, set, count, old, 100 * (count / old - 1)
            failed = 1
        }
    }
    END {
        for (name in known) if (!(name in seen)) { print name ": recorded, and gone"; failed = 1 }
        if (failed) { print "If that is meant: benches/instructions.sh --record"; exit 1 }
        print "as recorded, within " tolerance " %"
    }
' "$file" "$logs/now"
