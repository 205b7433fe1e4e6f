#include "transport/spiffe_id.hpp"

#include <algorithm>

namespace tenure::transport {

namespace {

constexpr std::string_view scheme = "spiffe://";

/// What stands between the slashes after the scheme; empty when the scheme is another.
std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> parts;
  if (!text.starts_with(scheme)) return parts;
  text.remove_prefix(scheme.size());
  for (;;) {
    const auto slash = text.find('/');
    parts.emplace_back(text.substr(0, slash));
    if (slash == std::string_view::npos) return parts;
    text.remove_prefix(slash + 1);
  }
}

bool digit_or_mark(char c) {
  return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool is_trust_domain(const std::string& part) {
  return !part.empty() && std::all_of(part.begin(), part.end(),
                                      [](char c) { return digit_or_mark(c) || (c >= 'a' && c <= 'z'); });
}

bool is_segment(const std::string& part) {
  return !part.empty() && part != "." && part != ".." && std::all_of(part.begin(), part.end(), [](char c) {
    return digit_or_mark(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

}  // namespace

bool is_spiffe_id(std::string_view text) {
  if (text.size() > max_spiffe_id_bytes) return false;
  const auto parts = parts_of(text);
  return !parts.empty() && is_trust_domain(parts[0]) &&
         std::all_of(parts.begin() + 1, parts.end(), is_segment);
}

outcome<spiffe_pattern> spiffe_pattern::parse(std::string_view text) {
  spiffe_pattern out;
  out.parts_ = parts_of(text.size() > max_spiffe_id_bytes ? std::string_view{} : text);
  bool good = !out.parts_.empty() && (out.parts_[0] == "*" || is_trust_domain(out.parts_[0]));
  for (std::size_t i = 1; good && i < out.parts_.size(); ++i) {
    const auto& part = out.parts_[i];
    good = part == "*" || (part == "**" && i + 1 == out.parts_.size()) || is_segment(part);
  }
  if (good) return out;
  return fail(trouble::usage,
              "'" + std::string(text) + "' is no SPIFFE id or pattern of one (spiffe://prod/node/*)");
}

bool spiffe_pattern::matches(std::string_view id) const {
  const auto parts = parts_of(id);
  const bool open_end = parts_.back() == "**";
  if (open_end ? parts.size() < parts_.size() : parts.size() != parts_.size()) return false;
  for (std::size_t i = 0; i < parts_.size() - (open_end ? 1 : 0); ++i)
    if (parts_[i] != "*" && parts_[i] != parts[i]) return false;
  return true;
}

std::string spiffe_pattern::to_string() const {
  std::string text(scheme);
  for (std::size_t i = 0; i < parts_.size(); ++i) text += (i > 0 ? "/" : "") + parts_[i];
  return text;
}

}  // namespace tenure::transport
