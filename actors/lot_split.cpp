#include "actors/lot_split.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "ownership/invariant.hpp"

namespace tenure::actors {

namespace {

/// A lot that is put together from rows of another.
class lot_writer {
 public:
  /// @param like what it is split from
  explicit lot_writer(const due_lot& like) : lot_(std::make_shared<due_lot>()) {
    lot_->arrived = like.arrived;
    lot_->last = like.last;
  }

  void begin_part(const hold::row_base& base) { rows_.restart(base); }
  void add(const hold::row_cursor::row& r) { rows_.add_copy(r); }
  void end_part(const lot_part& of) {
    if (rows_.empty()) return;
    const auto bytes = rows_.bytes();
    const std::size_t before = bytes_.size();
    bytes_.resize(before + bytes.size());
    std::memcpy(bytes_.data() + before, bytes.data(), bytes.size());
    lot_->parts.add({of.origin, of.base, of.ticket, rows_.count(), static_cast<std::uint32_t>(bytes.size())});
    lot_->flows += rows_.count();
  }
  /// Null when it is empty.
  std::shared_ptr<due_lot> finish() {
    if (lot_->flows == 0) return nullptr;
    bytes_.resize(bytes_.size() + hold::row_slack);
    lot_->memory = hold::block_of(std::move(bytes_));
    lot_->rows = lot_->memory->data;
    return std::move(lot_);
  }

 private:
  std::shared_ptr<due_lot> lot_;
  hold::packed_rows rows_;
  raw_vector<std::byte> bytes_;
};

}  // namespace

split_lot split(const due_lot_ptr& lot, std::vector<verdict> verdicts, const std::vector<bool>& stays) {
  invariant(verdicts.size() == lot->flows && stays.size() == lot->flows, "an answer for each flow");
  split_lot out;
  if (std::find(stays.begin(), stays.end(), true) == stays.end()) {
    out.goes = std::make_shared<resolved_lot>(resolved_lot{lot, std::move(verdicts)});
    return out;
  }
  lot_writer going(*lot);
  lot_writer staying(*lot);
  const std::byte* at = lot->rows;
  std::size_t i = 0;
  std::size_t gone = 0;
  for (const auto& part : lot->parts) {
    hold::row_cursor rows(part.base, at);
    at += part.bytes;
    going.begin_part(part.base);
    staying.begin_part(part.base);
    for (std::uint32_t n = 0; n < part.flows; ++n, ++i) {
      const auto row = rows.next_row();
      if (stays[i]) {
        staying.add(row);
      } else {
        going.add(row);
        verdicts[gone++] = verdicts[i];
      }
    }
    going.end_part(part);
    staying.end_part(part);
  }
  verdicts.resize(gone);
  out.stays = staying.finish();
  if (gone > 0) out.goes = std::make_shared<resolved_lot>(resolved_lot{going.finish(), std::move(verdicts)});
  return out;
}

}  // namespace tenure::actors
