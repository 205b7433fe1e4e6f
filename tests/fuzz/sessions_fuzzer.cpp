#include "tests/fuzz/sessions.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tenure::fuzz::play_session(data, size);
  return 0;
}
