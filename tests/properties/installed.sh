#!/usr/bin/env bash
# Installs the property library into a folder of its own and builds docs/examples/properties against it, as a stranger
# would. Usage: installed.sh CMAKE BUILD_DIR SOURCE_DIR CXX
set -eu
cmake=$1 build=$2 source=$3 compiler=$4
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$cmake" --install "$build" --component properties --prefix "$folder/installed" > "$folder/install.log"
# Nothing but what was installed: the example is copied out of the tree.
cp -r "$source/docs/examples/properties" "$folder/example"
"$cmake" -S "$folder/example" -B "$folder/try" -DCMAKE_PREFIX_PATH="$folder/installed" \
  -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Release > "$folder/configure.log" \
  || { cat "$folder/configure.log"; exit 1; }
"$cmake" --build "$folder/try"
"$folder/try/try_laws"
if "$folder/try/try_laws" last-heard > "$folder/broken.log"; then
  echo "a judge that takes whoever was heard of last kept every law"
  exit 1
fi
grep -q 'broken: no answer is ever wrong' "$folder/broken.log"
