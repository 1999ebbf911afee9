#!/usr/bin/env bash
# Builds the demos for a board, runs them in QEMU, and checks what must hold of them:
#
#     ./run.sh BOARD            one of mps2-an386, mps2-an500, microbit, rv32imac, rv32imafc
#     ./run.sh all              all of them, firmware in C, and what this machine makes of the digits
#     ./run.sh --record all     the same, and writes what was measured into the tables of README.md
#
# Where a table differs by more than 5 % from what was measured, bytes by 10 %, be it more or less, that is a failure: what is better has to be recorded
# too. The tables are those of one version of the compiler, which README.md names; with another they are not compared.
#
# It needs rustup's stable toolchain, QEMU and binutils, and says what is missing and how to get it. Where rustup cannot install a
# target, Debian's compiler builds `core` from its source; RUST=debian asks for that.
set -euo pipefail
set -m # Each job is a group of processes, which can be ended with all that it has started.
cd "$(dirname "$0")"

export CARGO_TERM_COLOR=never
target_dir=$(realpath -m "${CARGO_TARGET_DIR:-target}")
boards=(mps2-an386 mps2-an500 microbit rv32imac rv32imafc)
demos=(digits learn control count)
tests=(check)
tolerance=5
# What the Cortex-M4F may take at most, in instructions.
declare -A most=(
    ["XOR 2-4-1 sigmoid"]=310
    ["POLICY 13-64-64-4 tanh"]=20200
    ["SMALL 64-32-10 relu, softmax"]=4700
    ["MNIST 784-64-64-10"]=80000
    ["AE 640-128x4-8-128x4-640"]=550000
    ["POLICY, one SGD step, batch 1"]=70000
    ["MNIST, one SGD step, batch 1"]=390000
)
logs=$(mktemp -d)
finish() {
    local job
    for job in $(jobs -rp); do
        kill -- "-$job" 2>/dev/null || true
    done
    rm -rf "$logs"
}
trap finish EXIT

die() {
    echo "run.sh: $*" >&2
    exit 1
}

fail() {
    echo "FAILED: $*" | tee -a "$logs/failed" >&2
}

need() {
    command -v "$1" >/dev/null || die "$1 is missing: apt-get install $2"
}

# What differs between the boards.
target_of() {
    case $1 in
        mps2-*) echo thumbv7em-none-eabihf ;;
        microbit) echo thumbv6m-none-eabi ;;
        rv32imac) echo riscv32imac-unknown-none-elf ;;
        rv32imafc) echo riscv32imafc-unknown-none-elf ;;
        *) die "no board is named $1: ${boards[*]} or all" ;;
    esac
}
flags_of() {
    [[ $1 != mps2-an500 ]] || echo --config 'target.thumbv7em-none-eabihf.rustflags=["-C","target-cpu=cortex-m7"]'
}
folder_of() {
    echo "$target_dir/$1"
}
elf_of() {
    echo "$(folder_of "$1")/$(target_of "$1")/$3/$2"
}

# with_rust BOARD ARGUMENT...: cargo with a compiler for the board's target.
with_rust() {
    local board=$1 target folder
    shift
    target=$(target_of "$board")
    folder=$(folder_of "$board")
    if [[ $rust == rustup ]]; then
        CARGO_TARGET_DIR=$folder cargo "$@" --target "$target"
    else
        local linker=CARGO_TARGET_${target^^}_LINKER
        env "${linker//-/_}=ld.lld" PATH="/usr/bin:$PATH" RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$folder" \
            /usr/bin/cargo "$@" --target "$target" -Zbuild-std=core
    fi
}

# Finds a compiler for the target: rustup's, or Debian's.
find_rust() {
    local target=$1
    rust=rustup
    if [[ ${RUST:-} != debian ]] && command -v rustup >/dev/null; then
        rustup target list --installed 2>/dev/null | grep -qx "$target" && return
        rustup target add "$target" >&2 && return
    fi
    rust=debian
    [[ -x /usr/bin/cargo && -d /usr/lib/rustlib/src/rust/library ]] && command -v ld.lld >/dev/null ||
        die "no compiler for $target: 'rustup target add $target', or 'apt-get install rustc-web cargo-web rust-web-src lld'"
}

# code ELF: the bytes of its code, and of what is copied to RAM before it starts.
code() {
    section "$1" .vector_table .text .data
}

# symbols ELF: names and sizes, demangled.
symbols() {
    nm -C -S "$1"
}

# No panic and no allocator. A release build with a panic does not even link: src/panic.rs.
check_symbols() {
    local board=$1 demo=$2 profile=$3 found
    found=$(nm "$(elf_of "$board" "$demo" "$profile")" |
        grep -E 'panic|rust_begin_unwind|unwrap_failed|expect_failed|__rust_(re)?alloc|__r[dg]l_|[^a-z](m|c|re)alloc$' || true)
    [[ -z $found ]] || fail "$board: $demo, profile $profile, holds $found"
}

# A panic in the prediction, in the training step or in the interrupt's handler: the firmware must not link.
check_injected() {
    local board=$1 demo
    if with_rust "$board" build --release --bin digits --bin learn --bin control --keep-going --features inject-panic \
        >"$logs/$board-injected" 2>&1; then
        fail "$board: a firmware that can panic links"
        return
    fi
    for demo in digits learn control; do
        grep -q "could not compile .* (bin \"$demo\")" "$logs/$board-injected" || fail "$board: $demo links with a panic in it"
    done
    grep -q a_panic_can_be_reached "$logs/$board-injected" || fail "$board: it is not for the panic that it does not link: $(tail -n 3 "$logs/$board-injected")"
}

# What `learn` says of its statics is what the linker has laid out: in .bss, and of that size but for the flag of `Once`.
check_memory() {
    local board=$1 elf name bytes address size type said=0
    elf=$(folder_of "$board")/$(target_of "$board")/release/learn
    while read -r name bytes; do
        said=$((said + 1))
        read -r address size type _ < <(symbols "$elf" | grep -E "learn::$name\$") || true
        [[ ${type:-} == [bB] ]] || fail "$board: learn's $name does not lie in .bss"
        size=$((16#${size:-0}))
        ((size >= bytes && size <= bytes + 8)) || fail "$board: learn's $name takes $size bytes, and says $bytes"
    done < <(sed -nE 's/^static ([A-Z_0-9]+): ([0-9]+) bytes.*/\1 \2/p' "$logs/$board-learn")
    ((said == 6)) || fail "$board: learn tells of $said statics"
    (($(section "$elf" .data) <= 64)) || fail "$board: learn fills $(section "$elf" .data) bytes of RAM from flash"
}

# measured TABLE ROW COLUMN NUMBER: a cell of README.md.
measured() {
    printf '%s\t%s\t%s\t%s\n' "$@" >>"$logs/measured"
}

# The board's name in the heads of the tables.
column_of() {
    case $1 in
        mps2-an386) echo M4F ;;
        mps2-an500) echo M7 ;;
        microbit) echo M0 ;;
        *) echo "$1" ;;
    esac
}

# section ELF NAME...: the bytes of sections.
section() {
    local elf=$1
    shift
    size -A "$elf" | awk -v names="$*" 'BEGIN { split(names, a); for (i in a) wanted[a[i]] } $1 in wanted { n += $2 } END { print n + 0 }'
}

# What the tables hold of a board.
measure() {
    local board=$1 column demo elf stack instructions bound name rows=0
    column=$(column_of "$board")
    for demo in "${demos[@]}"; do
        elf=$(elf_of "$board" "$demo" release)
        stack=$(sed -nE 's/.*stack[^:]*: ([0-9]+) bytes.*/\1/p; s/^ +[0-9]+ +([0-9]+) +[0-9]+  .*/\1/p' "$logs/$board-$demo" | sort -n | tail -n 1)
        measured bytes "$board, $demo" code "$(code "$elf")"
        measured bytes "$board, $demo" constants "$(section "$elf" .rodata)"
        measured bytes "$board, $demo" RAM "$(section "$elf" .data .bss .uninit)"
        measured bytes "$board, $demo" stack "${stack:-0}"
        elf=$(elf_of "$board" "$demo" size)
        [[ ! -e $elf ]] || measured bytes "$board, $demo" 'code at "s"' "$(code "$elf")"
    done
    while read -r instructions stack bound name; do
        measured instructions "$name" "$column" "$instructions"
        measured 'bytes of the stack' "$name" "$column" "$stack"
        ((bound == 0)) || measured 'bytes of the stack' "$name" FORWARD_BYTES "$bound"
        rows=$((rows + 1))
        [[ $board != mps2-an386 ]] || ((instructions <= ${most["$name"]:-0})) ||
            fail "$board: $name takes $instructions instructions, and may take ${most["$name"]:-0}"
    done < <(grep -E '^ +[0-9]+ +[0-9]+ +[0-9]+  ' "$logs/$board-count")
    [[ $board == microbit ]] || ((rows == ${#most[@]})) || fail "$board: count tells of $rows networks, not of ${#most[@]}"
    measured control instructions "$column" "$(sed -nE 's/.* ([0-9]+) at worst/\1/p' "$logs/$board-control")"
}

# Estimated cycles, where the plugin can be built; the plugin is for one version of QEMU.
measure_cycles() {
    local cycles name
    if ! qemu-system-arm --version | grep -q 'version 7\.2' || ! command -v gcc >/dev/null; then
        echo "SKIPPED: estimated cycles need QEMU 7.2 and gcc"
        return 0
    fi
    CARGO_TARGET_DIR=$target_dir ./cycles.sh | tee "$logs/cycles"
    while read -r cycles _ _ _ name; do
        measured instructions "$name" 'estimated cycles' "$cycles"
    done < <(tail -n +2 "$logs/cycles")
}

# Holds the tables of README.md to what was measured, or writes them.
check_tables() {
    local compiler
    compiler=$(sed -nE 's/.*(rustc [0-9]+\.[0-9]+),.*/\1/p' README.md | head -n 1)
    if [[ $rust != rustup || $(rustc --version) != "$compiler."* ]]; then
        echo "SKIPPED: the tables of README.md are those of $compiler"
    elif [[ $record ]]; then
        awk -v record=1 -f tables.awk "$logs/measured" README.md >"$logs/README.md" || fail "README.md lacks a row or a column"
        cp "$logs/README.md" README.md
    elif ! awk -v tolerance="$tolerance" -f tables.awk "$logs/measured" README.md; then
        fail "README.md does not say what was measured; './run.sh --record all' writes it"
    fi
}

run() {
    local board=$1 target demo
    target=$(target_of "$board")
    find_rust "$target"
    echo "== $board: $target from $rust"
    # The compiler's own errors are shown.
    with_rust "$board" build --release --bins --quiet $(flags_of "$board")
    for demo in "${demos[@]}" "${tests[@]}"; do
        if timeout 120 ./qemu.sh "$board" "$(elf_of "$board" "$demo" release)" >"$logs/$board-$demo"; then
            echo "-- $demo"
            grep -vE '^image ' "$logs/$board-$demo"
        else
            cat "$logs/$board-$demo"
            fail "$board: $demo"
        fi
        check_symbols "$board" "$demo" release
    done
    for demo in digits count; do
        timeout 120 ./qemu.sh "$board" "$(elf_of "$board" "$demo" release)" | cmp -s - "$logs/$board-$demo" ||
            fail "$board: two runs of $demo differ"
    done
    check_memory "$board"
    # The linker sees the same of the other Cortex-M.
    if [[ $board != mps2-an500 ]]; then
        check_injected "$board"
        check_small "$board"
    fi
    measure "$board"
    [[ $board != mps2-an386 ]] || measure_cycles
}

# At `opt-level = "s"` no panic can be reached either, and the digits come out the same.
check_small() {
    local board=$1 demo
    with_rust "$board" build --profile size --bin digits --bin learn --bin control --quiet
    for demo in digits learn control; do
        check_symbols "$board" "$demo" size
    done
    timeout 120 ./qemu.sh "$board" "$(elf_of "$board" digits size)" >"$logs/$board-small" || {
        cat "$logs/$board-small"
        fail "$board: digits, profile size"
    }
}

# The answers that the firmware compares its own with are those of this machine.
check_host() {
    local host
    host=$(rustc -vV | sed -n 's/^host: //p')
    echo "== $host"
    CARGO_TARGET_DIR=$(folder_of host) cargo test --quiet --lib --target "$host" || fail "$host: the answers in data/logits.bin"
}

record=
if [[ ${1:-} == --record ]]; then
    record=yes
    shift
fi
(($# == 1)) || die "which board? ${boards[*]} or all"
need qemu-system-arm qemu-system-arm
need qemu-system-riscv32 qemu-system-misc
need nm binutils
if [[ $1 != all ]]; then
    target_of "$1" >/dev/null
    boards=("$1")
fi
# Before anything is built: the firmware in C needs one of the targets, and a target may be installed by one at a time only.
for board in "${boards[@]}"; do
    find_rust "$(target_of "$board")"
done
if [[ $1 == all ]]; then
    check_host
    echo "== C"
    CARGO_TARGET_DIR=$target_dir c/run.sh | tee "$logs/c" || fail "firmware in C"
    while read -r profile bytes; do
        measured 'bytes of code' 'a prediction of the digits, without weights' "$profile" "$bytes"
    done < <(sed -nE 's/^code of a prediction, opt-level = ([^:]+): ([0-9]+) bytes$/\1 \2/p' "$logs/c")
fi
# As many boards at a time as there are processors, since most of it is one linker or one QEMU; what they say comes in their order.
declare -A runs
for board in "${boards[@]}"; do
    while (($(jobs -rp | wc -l) >= $(nproc))); do
        wait -n || true
    done
    run "$board" >"$logs/$board.said" 2>&1 &
    runs[$board]=$!
done
for board in "${boards[@]}"; do
    wait "${runs[$board]}" || fail "$board"
    cat "$logs/$board.said"
done

echo
column -t -s $'\t' "$logs/measured"
check_tables
if [[ -e $logs/failed ]]; then
    cat "$logs/failed" >&2
    exit 1
fi
echo "${#boards[@]} boards: no panic and no allocator in any firmware, none that links with a panic put in, memory as stated, two runs alike"
