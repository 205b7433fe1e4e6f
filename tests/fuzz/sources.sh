# What each fuzzer is made of, from the top of the tree: read by run.sh, which compiles it with clang, and by links.sh,
# which holds the lists against what g++ has built. libFuzzer sees only what clang compiled: hence sources, not our
# libraries.
lines_sources=(tests/fuzz/{lines_fuzzer,lines}.cpp cli/{evidence_line,flow_line}.cpp ownership/*.cpp)
lines_libraries=(-lsimdjson)

frames_sources=(tests/fuzz/{frames_fuzzer,frames}.cpp capnp/*.cpp hold/*.cpp ownership/*.cpp)
frames_libraries=(-lcapnp -lkj -lsimdjson -lzstd -lfmt)

sessions_sources=(tests/fuzz/{sessions_fuzzer,sessions}.cpp
  actors/{session_protocol,batch_placing,agent_credit,agent_share,allow_rules,batch_ledger,flow_ledger,hold_queue}.cpp
  actors/{known_clocks,lot_parts,place_in_time,session_pings}.cpp cluster/{placement,ring}.cpp hold/*.cpp
  transport/{frame_reader,spiffe_id}.cpp capnp/*.cpp ownership/*.cpp)
sessions_libraries=(-lcaf_core -lcapnp -lkj -lsimdjson -lzstd -lfmt)
