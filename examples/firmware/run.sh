#!/usr/bin/env bash
# Builds the demos for a board, runs them in QEMU, and checks what must hold of them:
#
#     ./run.sh BOARD      one of mps2-an386, mps2-an500, microbit, rv32imac, rv32imafc
#     ./run.sh all        all of them, firmware in C, and what this machine makes of the digits
#
# It needs rustup's stable toolchain, QEMU and binutils, and says what is missing and how to get it. Where rustup cannot install a
# target, Debian's compiler builds `core` from its source; RUST=debian asks for that.
set -euo pipefail
cd "$(dirname "$0")"

export CARGO_TERM_COLOR=never
target_dir=$(realpath -m "${CARGO_TARGET_DIR:-target}")
boards=(mps2-an386 mps2-an500 microbit rv32imac rv32imafc)
demos=(digits learn control count)
tests=(check)
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
failed=()

die() {
    echo "run.sh: $*" >&2
    exit 1
}

fail() {
    echo "FAILED: $*" >&2
    failed+=("$*")
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

# symbols ELF: names and sizes, demangled.
symbols() {
    nm -C -S "$1"
}

# No panic and no allocator. A release build with a panic does not even link: src/panic.rs.
check_symbols() {
    local board=$1 demo=$2 found
    found=$(nm "$(folder_of "$board")/$(target_of "$board")/release/$demo" |
        grep -E 'panic|rust_begin_unwind|unwrap_failed|expect_failed|__rust_(re)?alloc|__r[dg]l_|[^a-z](m|c|re)alloc$' || true)
    [[ -z $found ]] || fail "$board: $demo holds $found"
}

# A panic in the prediction, in the training step or in the interrupt's handler: the firmware must not link.
check_injected() {
    local board=$1 demo
    if with_rust "$board" build --release --bin digits --bin learn --bin control --keep-going --features inject-panic \
        >"$logs/injected" 2>&1; then
        fail "$board: a firmware that can panic links"
        return
    fi
    for demo in digits learn control; do
        grep -q "could not compile .* (bin \"$demo\")" "$logs/injected" || fail "$board: $demo links with a panic in it"
    done
    grep -q a_panic_can_be_reached "$logs/injected" || fail "$board: it is not for the panic that it does not link: $(tail -n 3 "$logs/injected")"
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

# section ELF NAME...: the bytes of sections.
section() {
    local elf=$1
    shift
    size -A "$elf" | awk -v names="$*" 'BEGIN { split(names, a); for (i in a) wanted[a[i]] } $1 in wanted { n += $2 } END { print n + 0 }'
}

# A line of the table of sizes.
sizes() {
    local board=$1 demo=$2 elf stack
    elf=$(folder_of "$board")/$(target_of "$board")/release/$demo
    stack=$(sed -nE 's/.*stack[^:]*: ([0-9]+) bytes.*/\1/p; s/^ +[0-9]+ +([0-9]+) +[0-9]+  .*/\1/p' "$logs/$board-$demo" | sort -n | tail -n 1)
    printf '| %-10s | %-7s | %9d | %9d | %9d | %9d |\n' "$board" "$demo" "$(section "$elf" .vector_table .text .data)" \
        "$(section "$elf" .rodata)" "$(section "$elf" .data .bss .uninit)" "${stack:-0}"
}

run() {
    local board=$1 target elf demo
    target=$(target_of "$board")
    find_rust "$target"
    echo "== $board: $target from $rust"
    # The compiler's own errors are shown.
    with_rust "$board" build --release --bins --quiet $(flags_of "$board")
    for demo in "${demos[@]}" "${tests[@]}"; do
        elf=$(folder_of "$board")/$target/release/$demo
        if timeout 120 ./qemu.sh "$board" "$elf" >"$logs/$board-$demo"; then
            echo "-- $demo"
            grep -vE '^image ' "$logs/$board-$demo"
        else
            cat "$logs/$board-$demo"
            fail "$board: $demo"
        fi
        check_symbols "$board" "$demo"
    done
    for demo in digits count; do
        ./qemu.sh "$board" "$(folder_of "$board")/$target/release/$demo" | cmp -s - "$logs/$board-$demo" ||
            fail "$board: two runs of $demo differ"
    done
    check_memory "$board"
    [[ $board == mps2-an500 ]] || check_injected "$board" # The linker sees the same as for the other Cortex-M.
    for demo in "${demos[@]}"; do
        sizes "$board" "$demo" >>"$logs/sizes"
    done
}

# The answers that the firmware compares its own with are those of this machine.
check_host() {
    local host
    host=$(rustc -vV | sed -n 's/^host: //p')
    echo "== $host"
    CARGO_TARGET_DIR=$(folder_of host) cargo test --quiet --lib --target "$host" || fail "$host: the answers in data/logits.bin"
}

(($# == 1)) || die "which board? ${boards[*]} or all"
need qemu-system-arm qemu-system-arm
need qemu-system-riscv32 qemu-system-misc
need nm binutils
if [[ $1 == all ]]; then
    check_host
    echo "== C"
    CARGO_TARGET_DIR=$target_dir c/run.sh || fail "firmware in C"
else
    target_of "$1" >/dev/null
    boards=("$1")
fi
for board in "${boards[@]}"; do
    run "$board"
done

echo
echo "| board      | demo    |      code | constants |       RAM |     stack |"
echo "|------------|---------|-----------|-----------|-----------|-----------|"
cat "$logs/sizes"
if ((${#failed[@]})); then
    printf 'FAILED: %s\n' "${failed[@]}" >&2
    exit 1
fi
echo "${#boards[@]} boards: no panic and no allocator in any firmware, a panic put in keeps each from linking, memory as stated, two runs alike"
