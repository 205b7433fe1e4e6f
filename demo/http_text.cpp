#include "demo/http_text.hpp"

#include <charconv>

#include <fmt/format.h>

namespace tenure::demo {
namespace {

constexpr std::string_view end_of_head = "\r\n\r\n";
constexpr std::string_view from_header = "\r\nFleet-Instance: ";
constexpr std::string_view length_header = "\r\nContent-Length: ";
constexpr std::size_t max_content = 1U << 20;

/// The number behind a header; nothing when it is not there or not a number.
std::optional<std::size_t> number_after(std::string_view head, std::string_view header) {
  const auto at = head.find(header);
  if (at == std::string_view::npos) return std::nullopt;
  const char* begin = head.data() + at + header.size();
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(begin, head.data() + head.size(), value);
  if (error != std::errc{} || end == begin || *end != '\r') return std::nullopt;
  return value;
}

}  // namespace

std::string format_request(std::string_view host, instance_id from) {
  return fmt::format("GET / HTTP/1.1\r\nHost: {}{}{}{}", host, from_header, from, end_of_head);
}

std::string format_response(instance_id from, std::size_t content) {
  return fmt::format("HTTP/1.1 200 OK{}{}{}{}{}{:.<{}}", from_header, from, length_header, content,
                     end_of_head, "", content);
}

head_state parse_head(std::string_view text, http_head& head) {
  const auto end = text.substr(0, max_head).find(end_of_head);
  if (end == std::string_view::npos)
    return text.size() < max_head ? head_state::incomplete : head_state::malformed;
  head.length = end + end_of_head.size();
  const std::string_view lines = text.substr(0, head.length);
  const auto from = number_after(lines, from_header);
  if (!from || *from == 0 || *from > UINT32_MAX) return head_state::malformed;
  head.from = static_cast<instance_id>(*from);
  head.content_length = number_after(lines, length_header).value_or(0);
  return head.content_length <= max_content ? head_state::complete : head_state::malformed;
}

}  // namespace tenure::demo
