#pragma once

#include <cstdint>
#include <functional>
#include <set>

#include "agent/identity_file.hpp"
#include "ownership/address.hpp"
#include "ownership/outcome.hpp"

namespace tenure::agent {

/// Keeps the tenancies of the host's own addresses in step with its identity and with the addresses that it
/// has. Framework-free; one thread.
class host_naming {
 public:
  /// Assigns an address of the agent's own namespace to a workload. Assigning the same again changes nothing.
  /// `listed`: the identity says that nobody else uses the address; otherwise that holds only as long as no
  /// packets are forwarded.
  using claim = std::function<void(address, const wire::workload&, bool listed)>;

  /// @param exclusive whether the host may claim addresses that its identity does not list: not while it
  /// forwards packets, since others may then be masqueraded under them, nor where it claims ports anyway
  host_naming(host_identity who, bool exclusive, claim assign);

  /// The address is on an interface of the host now.
  void came(address a);
  void gone(address a);
  /// Whether addresses that are not listed may be claimed has changed. What was claimed is not given back
  /// here.
  void exclusive(bool now);
  /// The identity was read again. One that cannot be used is refused whole: the old one stays.
  void renewed(const outcome<host_identity>& who);

  const host_identity& who() const { return who_; }
  std::uint64_t renewals() const { return renewals_; }
  std::uint64_t refused_renewals() const { return refused_renewals_; }

 private:
  bool listed(address a) const;
  bool ours(address a) const;
  void claim_all();

  host_identity who_;
  bool exclusive_;
  claim assign_;
  std::set<address> present_;
  std::uint64_t renewals_ = 0;
  std::uint64_t refused_renewals_ = 0;
};

}  // namespace tenure::agent
