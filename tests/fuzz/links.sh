#!/usr/bin/env bash
# Links each fuzzer from the objects of a build, since the lists in sources.sh are kept by hand and clang reads them
# only when somebody fuzzes. Usage: links.sh BUILD CXX. Nothing runs: libFuzzer's main is not there, an empty one is.
set -eu
cd "$(dirname "$0")/../.."
. tests/fuzz/sources.sh
build=$1
cxx=$2

# links NAME PROGRAM LIBRARIES SOURCES...: PROGRAM is the test program that has the fuzzer's own sources.
links() {
  local name=$1 program=$2 libraries=$3 objects=() source folder
  shift 3
  for source; do
    folder=${source%%/*}
    case $folder in
      tests) objects+=("$build/tests/CMakeFiles/$program.dir/${source#tests/}.o") ;;
      *) objects+=("$build/$folder/CMakeFiles/tenure_$folder.dir/${source#*/}.o") ;;
    esac
  done
  # shellcheck disable=SC2086 # libraries are several words
  echo 'int main() {}' | "$cxx" -x c++ - -x none "${objects[@]}" "$build/capnp/libtenure_wire_schema.a" $libraries \
    -o "$build/tests/$name.linked" || { echo "tests/fuzz/sources.sh: the list of the $name fuzzer does not link"; exit 1; }
  rm "$build/tests/$name.linked"
  echo "$name: ${#objects[@]} objects link"
}

links lines test_cli "${lines_libraries[*]}" "${lines_sources[@]}"
links frames test_capnp "${frames_libraries[*]}" "${frames_sources[@]}"
links sessions test_actors "${sessions_libraries[*]}" "${sessions_sources[@]}"
