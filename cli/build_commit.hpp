#pragma once

#include <string_view>

namespace tenure::cli {

/// The commit that this program was built from, with "+" when files had changed since; "unknown" where it was
/// not built in a git repository.
std::string_view build_commit();

}  // namespace tenure::cli
