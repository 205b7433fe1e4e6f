#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "demo/truth_message.hpp"

namespace tenure::demo {

/// The head of a request or a response of the fleet, which is HTTP/1.1 with one header of its own: who is
/// talking.
struct http_head {
  std::size_t length = 0;          ///< of the head in bytes, the empty line included
  std::size_t content_length = 0;  ///< of what follows
  instance_id from = 0;
};

/// The longest head that is read, in bytes.
inline constexpr std::size_t max_head = 2048;

std::string format_request(std::string_view host, instance_id from);
/// @param content bytes that follow; they are made here too.
std::string format_response(instance_id from, std::size_t content);

enum class head_state { incomplete, complete, malformed };
/// Reads a head off the front of `text`; `head` counts when it is complete.
head_state parse_head(std::string_view text, http_head& head);

}  // namespace tenure::demo
