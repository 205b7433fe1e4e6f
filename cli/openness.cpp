#include "cli/openness.hpp"

#include "transport/chosen_transport.hpp"

namespace tenure::cli {

/// UDP is neither encrypted nor does it show who speaks: beyond this host, or beside certificates, somebody
/// has to have said that this is meant.
outcome<void> check_openness(const std::vector<std::string>& addresses, bool meant, bool certificates) {
  for (const auto& a : addresses)
    if (!meant && (transport::speaks_openly(a) || (certificates && transport::udp_address(a))))
      return fail(trouble::usage, a + ": UDP is neither encrypted nor authenticated; --udp-in-the-clear says "
                                      "that this is meant");
  return {};
}

outcome<void> check_openness(const node_options& o, bool certificates) {
  auto all = o.listen_also;
  all.push_back(o.listen);
  return check_openness(all, o.udp_in_the_clear, certificates);
}

}  // namespace tenure::cli
