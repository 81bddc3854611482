#!/usr/bin/env bash
# Installs the project into a folder and uses it from there, as a project of its own would:
# each public header compiles alone, no other header is there, and samples/embed builds and runs.
# Usage: embed_test.sh SOURCE_DIR BUILD_DIR [MODEL]
set -euo pipefail
source=$1 build=$2 model=${3:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build_against_prefix() {
  cmake -G Ninja -S "$1" -B "$2" -DCMAKE_PREFIX_PATH="$work/prefix" \
    -DCMAKE_BUILD_TYPE="${3:-Release}" >/dev/null
  cmake --build "$2"
}

cmake --install "$build" --prefix "$work/prefix" >/dev/null
listed=$(grep -oE '[a-z_/]+\.h\b' "$source/cmake/GradcamPublicHeaders.cmake" | sort)
installed=$(cd "$work/prefix/include/gradcam_live" && find . -name '*.h' -printf '%P\n' | sort)
diff <(echo "$listed") <(echo "$installed")
build_against_prefix "$source/tests/package" "$work/headers" Debug
build_against_prefix "$source/samples/embed" "$work/build"

if [ -n "$model" ] && [ -e "$model" ]; then
  embed=$work/build/embed
  "$embed" "$work/none.jpg" "$work/out.jpg" "$model" && exit 1  # a missing picture is refused
  "$work/prefix/bin/gradcam-live" --version
  "$embed" "$source/docs/side_by_side.jpg" "$work/out.jpg" "$model" |
    grep -E 'peak at \([0-9]+, [0-9]+\) of [0-9]+x[0-9]+'
  [ -s "$work/out.jpg" ]
fi
