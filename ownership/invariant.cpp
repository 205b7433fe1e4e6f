#include "ownership/invariant.hpp"

#include <cstdio>
#include <cstdlib>

namespace tenure::detail {

void broken_invariant(const char* what, const std::source_location& where) {
  std::fprintf(stderr, "tenure: broken invariant: %s (%s:%u)\n", what, where.file_name(),
               static_cast<unsigned>(where.line()));
  std::abort();
}

}  // namespace tenure::detail
