#include <cstring>
#include <variant>
#include <vector>

#include "capnp/encode_batch.hpp"
#include "hold/packed_flow.hpp"
#include "ownership/invariant.hpp"

namespace tenure::wire {

namespace {

constexpr std::size_t packed_words(std::size_t bytes) {
  return capnp::sizeInWords<schema::Packed>() + (bytes + sizeof(capnp::word) - 1) / sizeof(capnp::word);
}

/// The tenancies that evidence names, in the order of the table.
std::vector<tenancy_entry> told_of(const batch& b, const tenancy_places& places) {
  std::vector<bool> named(b.tenancies.size(), false);
  for (const auto& e : b.evidence) named[places.at(e.tenancy)] = true;
  std::vector<tenancy_entry> out;
  for (std::size_t i = 0; i < named.size(); ++i)
    if (named[i]) out.push_back(b.tenancies[i]);
  return out;
}

struct packing {
  const batch& tables;
  const std::vector<tenancy_entry>& told;
  const hold::packed_rows& rows;
};

void put_packed(schema::Packed::Builder out, const packing& p) {
  put_tables(out.initBatch(), p.tables, p.told, tenancy_places(p.told));
  out.setForm(packed_form);
  out.setFlows(p.rows.count());
  out.setTime(p.rows.base().time);
  out.setNearHigh(p.rows.base().near_high);
  const auto bytes = p.rows.bytes();
  // What is behind the rows is zero already.
  auto to = out.initRows(static_cast<unsigned>(bytes.size() + hold::row_slack));
  if (!bytes.empty()) std::memcpy(to.begin(), bytes.data(), bytes.size());
}

}  // namespace

frame pack_made(const batch& tables, const std::vector<tenancy_entry>& told, std::uint32_t flows,
                flow_maker make, void* context) {
  hold::packed_rows rows;
  flow f;
  for (std::uint32_t i = 0; i < flows; ++i) {
    make(context, i, f);
    invariant(f.near_tenancy.none() || f.near_workload != workload_id::none, "a tenancy has a workload");
    if (i == 0) rows = hold::packed_rows({0, tables.number, f.times.closed, f.near_address.high()}, flows);
    f.id.index = i;
    rows.add_movable(f);
  }
  const packing p{tables, told, rows};
  return build_frame(
      table_words(tables) + packed_words(rows.bytes().size() + hold::row_slack),
      [](const void* what, schema::Message::Builder root) {
        put_packed(root.initPacked(), *static_cast<const packing*>(what));
      },
      &p);
}

frame encode_packed(const batch& b) {
  const tenancy_places places(b.tenancies);
  auto make = [&](std::uint32_t index, flow& out) {
    out = b.flows[index];
    if (!out.near_tenancy.none()) out.near_workload = b.tenancies[places.at(out.near_tenancy)].workload;
  };
  return pack_made(
      b, told_of(b, places), static_cast<std::uint32_t>(b.flows.size()),
      [](void* to, std::uint32_t index, flow& out) { (*static_cast<decltype(make)*>(to))(index, out); },
      &make);
}

outcome<frame> unpacked(const frame& f, std::uint64_t incarnation) {
  const auto said = decode(f, incarnation);
  if (!said) return tl::unexpected(said.error());
  const auto* const b = std::get_if<batch>(&*said);
  if (b == nullptr || b->tenancies.size() > max_batch_tenancies ||
      batch_words(*b) * sizeof(capnp::word) > max_frame_bytes)
    return fail(trouble::usage, "a batch that cannot be sent plain");
  return encode(*said);
}

}  // namespace tenure::wire
