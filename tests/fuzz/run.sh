#!/usr/bin/env bash
# Looks for bytes that break the readers of evidence, with clang's libFuzzer and its sanitizers: the lines of `tenure
# attribute`, the frames of agents, and whole sessions of agents. Usage: run.sh [SECONDS], for each of the three. What
# it finds worth keeping goes into tests/fuzz/line_corpus, frame_corpus or session_corpus, which `make test` reads
# again.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-60}
build=build-fuzz
mkdir -p "$build/found_lines" "$build/found_frames" "$build/found_sessions" "$build/generated"
clang=(clang++ -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I.)
limits=("-max_total_time=$seconds" -seed=1 -print_final_stats=1 "-artifact_prefix=$build/")

# libFuzzer sees only what clang compiled: the sources, not our libraries.
"${clang[@]}" tests/fuzz/lines_fuzzer.cpp tests/fuzz/lines.cpp cli/evidence_line.cpp cli/flow_line.cpp \
  ownership/*.cpp -lsimdjson -o "$build/lines_fuzzer"
"$build/lines_fuzzer" "${limits[@]}" -max_len=1024 "$build/found_lines" tests/fuzz/line_corpus

capnp compile "-oc++:$build/generated" --src-prefix=capnp capnp/wire.capnp
"${clang[@]}" -isystem "$build/generated" tests/fuzz/frames_fuzzer.cpp tests/fuzz/frames.cpp capnp/*.cpp \
  "$build/generated/wire.capnp.c++" ownership/*.cpp -lcapnp -lkj -lsimdjson -lzstd -lfmt -o "$build/frames_fuzzer"
"$build/frames_fuzzer" "${limits[@]}" -max_len=4096 "$build/found_frames" tests/fuzz/frame_corpus

"${clang[@]}" -isystem "$build/generated" tests/fuzz/sessions_fuzzer.cpp tests/fuzz/sessions.cpp \
  actors/{session_protocol,batch_placing,agent_credit,agent_share,allow_rules,batch_ledger,flow_ledger,hold_queue,known_clocks,lot_parts,place_in_time}.cpp \
  cluster/{placement,ring}.cpp hold/*.cpp transport/{frame_reader,spiffe_id}.cpp capnp/*.cpp "$build/generated/wire.capnp.c++" ownership/*.cpp \
  -lcaf_core -lcapnp -lkj -lsimdjson -lzstd -lfmt -o "$build/sessions_fuzzer"
"$build/sessions_fuzzer" "${limits[@]}" -max_len=2048 "$build/found_sessions" tests/fuzz/session_corpus
