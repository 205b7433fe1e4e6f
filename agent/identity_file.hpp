#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "capnp/messages.hpp"
#include "ownership/address.hpp"
#include "ownership/outcome.hpp"

namespace tenure::agent {

/// Who this host is, as a file says:
///
///     workload = "checkout"
///     addresses = ["10.1.2.3", "2001:db8::3"]  # may be absent
///     labels = { zone = "b" }                  # may be absent
///
/// or as the SPIFFE id of an X.509-SVID in PEM says.
struct host_identity {
  wire::workload workload;
  /// Whole and exclusive: no other workload uses any port of them. Empty: all that the host has.
  std::vector<address> addresses;
};

/// Failures (trouble::usage) name file and line: a syntax error, an unknown or missing key, a value that is
/// not one; of PEM the file, when its first certificate does not name exactly one SPIFFE id of at most 256
/// bytes.
outcome<host_identity> load_identity_file(const std::string& path);
/// @param name stands for the file in failures.
outcome<host_identity> parse_identity(std::string_view text, const std::string& name);

}  // namespace tenure::agent
