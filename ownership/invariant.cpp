#include "ownership/invariant.hpp"

#include <cstdio>
#include <cstdlib>

namespace tenure::detail {

void broken_invariant(const char* what, const char* file, int line) {
  std::fprintf(stderr, "tenure: broken invariant: %s (%s:%d)\n", what, file, line);
  std::abort();
}

}  // namespace tenure::detail
