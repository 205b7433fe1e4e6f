#include "cli/build_commit.hpp"

#include "cli/commit.hpp"

namespace tenure::cli {

std::string_view build_commit() {
  return TENURE_COMMIT;
}

}  // namespace tenure::cli
