#include "cli/line_reader.hpp"

#include <utility>

namespace tenure::cli {

outcome<line_reader> line_reader::open(const std::string& file) {
  auto source = block_source::open(file);
  if (!source) return tl::unexpected(source.error());
  return line_reader(std::move(*source));
}

outcome<std::optional<std::string_view>> line_reader::next() {
  for (;;) {
    const auto line = block_.next();
    if (!line) return fail(line.error().trouble, place() + ": " + line.error().text);
    if (*line) return line;
    lines_before_ += block_.number();
    const auto any = source_.fill(block_);
    if (!any) return tl::unexpected(any.error());
    if (!*any) return std::nullopt;
  }
}

}  // namespace tenure::cli
