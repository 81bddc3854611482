#!/usr/bin/env bash
# Installs the project into a folder and builds samples/embed against it, as a user would.
# Usage: embed_test.sh SOURCE_DIR BUILD_DIR [MODEL]
set -euo pipefail
source=$1 build=$2 model=${3:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/prefix" >/dev/null
cmake -G Ninja -S "$source/samples/embed" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" \
  -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$work/build"
if [ -n "$model" ] && [ -e "$model" ]; then
  "$work/build/embed" "" "$model" && exit 1  # a missing picture is refused
  "$work/prefix/bin/gradcam-live" --version
  "$work/build/embed" "$source/docs/side_by_side.jpg" "$model" | grep -E 'peak at \([0-9]+, [0-9]+\) of 224x224'
fi
