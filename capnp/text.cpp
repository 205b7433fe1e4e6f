#include <simdjson.h>

#include "capnp/messages.hpp"

namespace tenure::wire {

namespace {

/// C0 controls and DEL are single bytes; the C1 controls U+0080 to U+009F are 0xc2 and one of 0x80 to 0x9f.
bool has_control(std::string_view text) {
  unsigned char before = 0;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return true;
    if (before == 0xc2 && byte < 0xa0) return true;
    before = byte;
  }
  return false;
}

/// As nearly all names are.
bool is_printable_ascii(std::string_view text) {
  unsigned outside = 0;
  for (char c : text) outside |= static_cast<unsigned char>(c - 0x20) >= 0x7f - 0x20 ? 1U : 0U;
  return outside == 0;
}

}  // namespace

bool valid_text(std::string_view text) {
  if (text.size() > max_name_bytes) return false;
  return is_printable_ascii(text) ||
         (!has_control(text) && simdjson::validate_utf8(text.data(), text.size()));
}

std::string as_text(std::string_view text) {
  std::string out{text.substr(0, max_name_bytes)};
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  while (!valid_text(out)) out.pop_back();
  return out;
}

}  // namespace tenure::wire
