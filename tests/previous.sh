#!/usr/bin/env bash
# Builds the `tenure` of an earlier commit into BUILD_DIR/previous, once for each, and prints where it is: what rolling
# restarts begin with.
# Usage: previous.sh BUILD_DIR JOBS [COMMIT]      COMMIT: the one before this one
set -euo pipefail
build=$(realpath "$1") jobs=$2 commit=${3:-HEAD~1}
cd "$(dirname "$0")/.."
commit=$(git rev-parse --verify --quiet "$commit^{commit}") ||
  { echo "tenure: there is no earlier commit here to build" >&2; exit 1; }
folder=$build/previous/$commit
binary=$folder/build/tenure
if [ ! -x "$binary" ]; then
  rm -rf "$build/previous"
  mkdir -p "$folder"
  git archive "$commit" | tar -x -C "$folder"
  { cd "$folder" && cmake --preset default && cmake --build build -j "$jobs" --target tenure; } > "$build/previous.log" 2>&1 ||
    { tail -n 30 "$build/previous.log" >&2; echo "tenure: $commit does not build" >&2; exit 1; }
fi
echo "$binary"
