#!/usr/bin/env bash
# Looks for lines that break the readers of `tenure attribute`, with clang's libFuzzer and its sanitizers.
# Usage: run.sh [SECONDS]; what it finds worth keeping goes into tests/fuzz/corpus, which `make test` reads again.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
build=build-fuzz
mkdir -p "$build/found"
# libFuzzer sees only what clang compiled: the sources, not our libraries.
clang++ -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I. \
  tests/fuzz/lines_fuzzer.cpp tests/fuzz/lines.cpp cli/evidence_line.cpp cli/flow_line.cpp ownership/*.cpp \
  -lsimdjson -o "$build/lines_fuzzer"
"$build/lines_fuzzer" -max_total_time="$seconds" -max_len=1024 -seed=1 -print_final_stats=1 \
  -artifact_prefix="$build/" "$build/found" tests/fuzz/corpus
