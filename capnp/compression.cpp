#include "capnp/compression.hpp"

#include <optional>
#include <string>
#include <zstd.h>

#include <capnp/message.h>
#include <capnp/serialize.h>

#include "capnp/decode_batch.hpp"
#include "wire.capnp.h"

namespace tenure::wire {
namespace {

/// Packed batches shrink to two thirds, plain ones to less than a third, and higher levels gain next to
/// nothing.
constexpr int level = 1;
constexpr std::size_t smallest = 1024;  // below, there is little to gain

}  // namespace

std::optional<frame> compress(const frame& f) {
  const std::size_t bytes = f.size() * sizeof(f[0]);
  if (bytes < smallest) return std::nullopt;
  compressed out{static_cast<std::uint32_t>(bytes), std::string(ZSTD_compressBound(bytes), '\0')};
  const auto used = ZSTD_compress(out.content.data(), out.content.size(), f.data(), bytes, level);
  if (ZSTD_isError(used) != 0 || used > bytes / 4 * 3) return std::nullopt;
  out.content.resize(used);
  return encode(std::move(out));
}

outcome<frame_ptr> expand(frame_ptr f) {
  // What is no message at all is for whoever reads it next to refuse.
  const auto* bytes = reinterpret_cast<const capnp::word*>(f->data());
  try {
    capnp::FlatArrayMessageReader reader(kj::arrayPtr(bytes, f->size()));
    const auto root = reader.getRoot<schema::Message>();
    if (!root.isCompressed()) return f;
    const auto in = root.getCompressed();
    const auto content = in.getContent();
    const std::size_t size = in.getBytes();
    frame out;
    if (size > max_frame_bytes || size % sizeof(out[0]) != 0)
      return malformed("compressed from what is no frame");
    out.resize(size / sizeof(out[0]));
    if (ZSTD_decompress(out.data(), size, content.begin(), content.size()) != size)
      return malformed("compressed, but not what it says");
    return std::make_shared<const frame>(std::move(out));
  } catch (const kj::Exception&) {
    return f;
  }
}

}  // namespace tenure::wire
