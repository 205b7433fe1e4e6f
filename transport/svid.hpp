#pragma once

#include <string>
#include <string_view>

#include "ownership/outcome.hpp"

namespace tenure::transport {

/// Whether a file's text is PEM rather than something else.
bool is_pem(std::string_view text);

/// The SPIFFE id of an X.509-SVID: of the first certificate of a PEM text, whose alternative names hold
/// exactly one URI, a SPIFFE id. Nothing is verified: whoever may write the file says who the host is. Its
/// validity in time is not looked at either. @param name stands for the file in failures (trouble::usage)
outcome<std::string> read_svid(std::string_view text, const std::string& name);

}  // namespace tenure::transport
