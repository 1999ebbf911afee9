#!/usr/bin/env bash
# Builds the firmware in miniature for this machine and for a Cortex-M4F, links what its exported functions reach, and
# fails if a panic or an allocator is among it. One function has a panic put in, to show that it would have been seen. The targets are
# built side by side.
#
#     tests/no_std/check.sh
#
# Needs lld and binutils. Without rustup's thumbv7em-none-eabihf it takes Debian's compiler (rustc-web, cargo-web, rust-web-src).
set -euo pipefail
shopt -s inherit_errexit
set -m # Each job is a group of processes, which can be ended with all that it has started.

target_dir=$(realpath -m "${CARGO_TARGET_DIR:-$(dirname "$0")/target}")
cd "$(dirname "$0")"

host=$(rustc -vV | sed -n 's/^host: //p')
thumb=thumbv7em-none-eabihf
scratch=$(mktemp -d)
jobs=()
finish() {
    local job
    for job in "${jobs[@]}"; do
        kill -- "-$job" 2>/dev/null || true
    done
    rm -rf "$scratch"
}
trap finish EXIT

die() {
    echo "no_std check: $*" >&2
    exit 1
}

for tool in ld.lld nm size; do
    command -v "$tool" >/dev/null || die "$tool is missing (Debian packages: lld, binutils)"
done

case $host in
    x86_64-*) host_emulation=elf_x86_64 ;;
    aarch64-*) host_emulation=aarch64linux ;;
    *) die "the linker emulation of $host is not known here" ;;
esac

# Debian's cargo builds `core` for the target from its source.
debian_cargo() {
    PATH=/usr/bin:$PATH RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 /usr/bin/cargo "$@" -Zbuild-std=core
}

# library TARGET PROFILE FEATURES: builds, and prints where the static library lies.
library() {
    local target=$1 profile=$2 features=$3 cargo=cargo where=$target_dir/$1
    if [[ $target == "$thumb" && $thumb_by == debian ]]; then
        cargo=debian_cargo
        where+=-debian
    fi
    CARGO_TARGET_DIR=$where "$cargo" build --quiet --profile "$profile" --target "$target" --features "$features" >&2
    echo "$where/$target/$profile/libconstnet_no_std.a"
}

# link TARGET LIBRARY OUTPUT ROOT...: the program of these functions and of what they reach, nothing else.
# On a machine with an operating system the memory functions are the C library's; they neither panic nor allocate.
link() {
    local target=$1 library=$2 output=$3 emulation=armelf root
    shift 3
    local options=(--gc-sections --fatal-warnings -e "$1")
    for root in "$@"; do
        options+=(-u "$root")
    done
    if [[ $target == "$host" ]]; then
        emulation=$host_emulation
        for root in memcpy memmove memset memcmp bcmp rust_eh_personality; do
            options+=(--defsym "$root=0")
        done
    fi
    ld.lld -m "$emulation" "${options[@]}" "$library" -o "$output"
}

# exported LIBRARY: the names of the functions that the library exports, but for the one with a panic put in.
exported() {
    nm --defined-only "$1" 2>/dev/null | sed -n 's/^[0-9a-f]* T \(constnet_.*\)$/\1/p' | grep -vx constnet_injected | sort
}

# declared FEATURES: the names of the functions that the source exports with these features.
declared() {
    local needs_rand='constnet_(init|init_with|shuffle|augment|dropout_predict|dropout_step)'
    grep -ohE 'constnet_[a-z_]+' src/*.rs | sort -u | grep -vx constnet_injected |
        { [[ $1 == *rand* ]] && cat || grep -vxE "$needs_rand"; }
}

# forbidden PROGRAM: its symbols that belong to panics and allocators, mangled in either way.
forbidden() {
    nm "$1" | grep -E 'panic|rust_begin_unwind|unwrap_failed|expect_failed' || true
    nm "$1" | grep -E '__rust_(re)?alloc|__r[dg]l_|[^a-z](m|c|re)alloc$' || true
}

text_size() {
    size -A "$1" | awk '$1 == ".text" { print $2 }'
}

check() {
    local target=$1 profile=$2 features=$3 lib found root
    local -a roots
    lib=$(library "$target" "$profile" "$features")
    mapfile -t roots < <(exported "$lib")
    diff <(declared "$features") <(printf '%s\n' "${roots[@]}") || die "other functions are exported for $target than the source declares"
    link "$target" "$lib" "$scratch/$target" "${roots[@]}"
    found=$(forbidden "$scratch/$target")
    [[ -z $found ]] || die "reachable for $target, profile $profile, features '$features':"$'\n'"$found"
    echo "$target, profile $profile, features '$features': no panic, no allocator in ${#roots[@]} functions"
    if [[ $features == *inject_panic* ]]; then
        # It must be found, or the check is worth nothing.
        link "$target" "$lib" "$scratch/$target" constnet_injected
        [[ -n $(forbidden "$scratch/$target") ]] || die "the injected panic was not found for $target, profile $profile"
        echo "$target, profile $profile: an injected panic is found"
        return
    fi
    for root in constnet_{xor,digits}_{predict,step}; do
        link "$target" "$lib" "$scratch/$target" "$root"
        echo "    $root: $(text_size "$scratch/$target") bytes of .text"
    done
}

thumb_by=rustup
if ! { rustup target list --installed 2>/dev/null | grep -qx "$thumb" || rustup target add "$thumb" 2>/dev/null; }; then
    thumb_by=debian
    [[ -x /usr/bin/cargo && -d /usr/lib/rustlib/src/rust/library ]] ||
        die "no way to build for $thumb: neither rustup's target nor Debian's rustc-web, cargo-web, rust-web-src"
fi
echo "$thumb comes from $thumb_by"

check_all() {
    local target=$1 profile
    for profile in release size; do
        check "$target" "$profile" ""
        check "$target" "$profile" rand,inject_panic
    done
}
for target in "$host" "$thumb"; do
    check_all "$target" >"$scratch/$target.said" 2>&1 &
    jobs+=($!)
done
failed=0
for target in "$host" "$thumb"; do
    wait "${jobs[0]}" || failed=1
    jobs=("${jobs[@]:1}")
    cat "$scratch/$target.said"
done
exit "$failed"
