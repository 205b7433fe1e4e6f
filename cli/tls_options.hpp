#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command_line.hpp"
#include "transport/asio_transport.hpp"

namespace tenure::cli {

template <>
struct option_value<transport::spiffe_pattern> {
  static constexpr const char* name = "SPIFFE-ID";
  static constexpr const char* expected = "a SPIFFE id or a pattern of one, such as spiffe://prod/node/*";
  static std::optional<transport::spiffe_pattern> parse(std::string_view text) {
    auto pattern = transport::spiffe_pattern::parse(text);
    if (!pattern) return std::nullopt;
    return std::move(*pattern);
  }
  static std::string text(const transport::spiffe_pattern& value) { return value.to_string(); }
};

/// Certificates, the same for agents and nodes, and who may be at the other end of a link.
struct tls_options {
  std::string certificate;
  std::string key;
  std::string authority;
  std::vector<transport::spiffe_pattern> agents;  ///< by default spiffe://*/tenure/agent/*
  std::vector<transport::spiffe_pattern> nodes;   ///< by default spiffe://*/tenure/node/*
  tls_options();
};

void add_certificate_options(command& c, tls_options& o);
/// --agent-id: who may connect as an agent.
void add_agent_id_option(command& c, tls_options& o);
/// --node-id: who may be a node.
void add_node_id_option(command& c, tls_options& o);

/// Reads the files. @returns nothing when none was given: links are plain; a usage failure when only some
/// were.
outcome<std::shared_ptr<transport::tls_credentials>> load_credentials(const tls_options& o);

/// Transport options whose links carry these credentials to those, and log whom they turn down, one line a
/// second at most.
transport::asio_options secured(std::shared_ptr<transport::tls_credentials> credentials,
                                std::vector<transport::spiffe_pattern> allowed, const std::string& what);

}  // namespace tenure::cli
