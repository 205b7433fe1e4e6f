#pragma once

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace tenure::actors {

/// Which node an agent dials next, and when it goes over to one that has fewer agents. Framework-free; one
/// thread.
class node_choice {
 public:
  /// @param names "host:port" each; a host may stand for several addresses @param seed spreads agents
  node_choice(std::vector<std::string> names, std::uint64_t seed);

  const std::vector<std::string>& names() const { return names_; }

  /// What all names stand for now. @returns an address that was never there before, to get to know its node;
  /// empty: none is, or these are the first
  std::string resolved(const std::vector<std::string>& addresses);

  /// The address to dial: any that has not been dialed since all were. @param other what our other link leads
  /// to, which comes last; may be empty. @pre something was resolved
  std::string next(const std::string& other);

  /// Whether to go over from a node with so many agents to one with so many, asked twice a minute or so. Only
  /// when the difference is clear, and then by chance: of all agents that are asked an eighth of the
  /// difference does on average, so that they come to rest before there is balance, and not beyond, though
  /// none knows of the others.
  bool should_move(std::uint32_t here, std::uint32_t there);

  /// Whether to get to know another node in place of the spare one, asked as often: once in ten minutes.
  bool should_look_elsewhere();

 private:
  bool happens(double chance);

  std::vector<std::string> names_;
  std::vector<std::string> addresses_;
  std::set<std::string> dialed_;
  std::minstd_rand draw_;
};

}  // namespace tenure::actors
