#include "tests/fuzz/lines.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tenure::fuzz::read_as_lines(data, size);
  return 0;
}
