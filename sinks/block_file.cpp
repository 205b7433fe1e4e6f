#include "sinks/block_file.hpp"

#include <string>

namespace tenure::sinks {

outcome<bool> each_block(std::istream& in, const std::function<outcome<void>(const read_block&)>& take) {
  std::string frame;
  for (std::uint64_t at = 0;; at += sizeof(block_head) + frame.size()) {
    block_head head;
    in.read(reinterpret_cast<char*>(&head), sizeof head);
    if (in.gcount() == 0) return true;
    if (in.gcount() < static_cast<std::streamsize>(sizeof head)) return false;
    if (!head.plausible()) return fail(trouble::usage, "no block begins at byte " + std::to_string(at));
    frame.resize(head.compressed_bytes);
    in.read(frame.data(), static_cast<std::streamsize>(frame.size()));
    if (in.gcount() < static_cast<std::streamsize>(frame.size())) return false;
    auto block = open_block(head, frame);
    if (!block) return fail(trouble::usage, "at byte " + std::to_string(at) + ": " + block.error().text);
    if (auto done = take(**block); !done) return tl::unexpected(done.error());
  }
}

}  // namespace tenure::sinks
