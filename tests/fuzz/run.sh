#!/usr/bin/env bash
# Looks for bytes that break the readers of evidence, with clang's libFuzzer and its sanitizers: the lines of `tenure
# attribute`, the frames of agents, and whole sessions of agents. Usage: run.sh [SECONDS], for each of the three. What
# reached something new stays in build-fuzz/found_*. Of that the rest goes into what `make test` reads again by
#   build-fuzz/lines_fuzzer -merge=1 tests/fuzz/line_corpus build-fuzz/found_lines
# and so on; what broke something is put there by hand, under a name that says what it was.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
build=build-fuzz
mkdir -p "$build/found_lines" "$build/found_frames" "$build/found_sessions" "$build/generated"
clang=(clang++ -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I.)
limits=("-max_total_time=$seconds" -seed=1 -print_final_stats=1 "-artifact_prefix=$build/")

. tests/fuzz/sources.sh
capnp compile "-oc++:$build/generated" --src-prefix=capnp capnp/wire.capnp
schema=("$build/generated/wire.capnp.c++" -isystem "$build/generated")

"${clang[@]}" "${lines_sources[@]}" "${lines_libraries[@]}" -o "$build/lines_fuzzer"
"$build/lines_fuzzer" "${limits[@]}" -max_len=1024 "$build/found_lines" tests/fuzz/line_corpus

"${clang[@]}" "${schema[@]}" "${frames_sources[@]}" "${frames_libraries[@]}" -o "$build/frames_fuzzer"
"$build/frames_fuzzer" "${limits[@]}" -max_len=4096 "$build/found_frames" tests/fuzz/frame_corpus

"${clang[@]}" "${schema[@]}" "${sessions_sources[@]}" "${sessions_libraries[@]}" -o "$build/sessions_fuzzer"
"$build/sessions_fuzzer" "${limits[@]}" -max_len=2048 "$build/found_sessions" tests/fuzz/session_corpus
