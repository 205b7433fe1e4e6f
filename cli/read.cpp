#include "cli/read.hpp"

#include <fstream>
#include <memory>
#include <ostream>

#include "sinks/block_file.hpp"
#include "sinks/sinks.hpp"

namespace tenure::cli {

namespace {

outcome<void> read(const std::filesystem::path& path, console& io) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(trouble::usage, path.string() + ": cannot be read");
  auto out = sinks::open_file("-");
  if (!out) return tl::unexpected(out.error());
  const auto lines = sinks::make_ndjson_sink(std::move(*out));
  const auto whole = sinks::each_block(in, [&](const sinks::read_block& b) -> outcome<void> {
    if (auto done = lines->append(b.records, {b.workloads, b.region, b.to_utc}); !done) return done;
    if (auto done = lines->make_durable(); !done) return done;
    if (lines->full()) return fail(trouble::refused, "there is no room for what is in it");
    return {};
  });
  if (!whole) return fail(whole.error().trouble, path.string() + ": " + whole.error().text);
  if (!*whole) io.err << path.string() << ": the last block is not whole; a node that appends cuts it off\n";
  return {};
}

}  // namespace

void add_read(command_line& line) {
  auto path = std::make_shared<std::filesystem::path>();
  auto& c = line.add("read", "print a file of compressed blocks (--output FILE.tnr) as NDJSON");
  c.positional("file", *path, "what a node wrote to --output FILE.tnr");
  c.run([path](console& io) { return read(*path, io); });
}

}  // namespace tenure::cli
