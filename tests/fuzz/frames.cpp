#include "tests/fuzz/frames.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>

#include "capnp/codec.hpp"
#include "capnp/received_batch.hpp"
#include "ownership/attributor.hpp"
#include "ownership/invariant.hpp"

namespace tenure::fuzz {

namespace {

constexpr std::uint64_t incarnation = 7;

bool same(const evidence& a, const evidence& b) {
  return a.endpoint == b.endpoint && a.tenancy == b.tenancy && a.workload == b.workload && a.from == b.from &&
         a.until == b.until && a.from_error == b.from_error && a.until_error == b.until_error;
}

bool same_flow(const flow& a, const flow& b) {
  return a.id == b.id && a.connection == b.connection && a.far_address == b.far_address &&
         a.far_port == b.far_port && a.near_address == b.near_address && a.near_tenancy == b.near_tenancy &&
         a.times.opened == b.times.opened && a.times.established == b.times.established &&
         a.times.last_received == b.times.last_received && a.times.closed == b.times.closed &&
         a.times.error == b.times.error && a.counters == b.counters && a.dialled == b.dialled &&
         a.connections == b.connections;
}

// An id that is said of two endpoints cannot be written: entries are found by their ids.
bool each_id_once(const wire::batch& b) {
  std::set<tenancy_id> seen;
  return std::all_of(b.tenancies.begin(), b.tenancies.end(),
                     [&seen](const auto& t) { return seen.insert(t.id).second; });
}

void read_again(const wire::batch& b) {
  // Nor can more tenancies than a batch may have: those that only packed flows name stand in no table.
  if (!each_id_once(b) || b.tenancies.size() > wire::max_batch_tenancies) return;
  for (const auto& f : {wire::encode(b), wire::encode_packed(b)}) {
    const auto again = wire::decode(f, incarnation);
    invariant(again.has_value(), "what was read can be written and read again");
    const auto& copy = std::get<wire::batch>(*again);
    invariant(
        std::equal(b.evidence.begin(), b.evidence.end(), copy.evidence.begin(), copy.evidence.end(), same),
        "evidence is read as it was written");
    invariant(std::equal(b.flows.begin(), b.flows.end(), copy.flows.begin(), copy.flows.end(), same_flow),
              "and so are flows");
  }
}

// Every tenancy once more and backwards: the timelines are the same.
void merge_both_ways(const wire::batch& b) {
  attributor forwards(prefix_set::everything());
  attributor backwards(prefix_set::everything());
  std::vector<merged> results(b.evidence.size());
  forwards.merge_all(b.evidence, results);
  for (std::size_t i = b.evidence.size(); i > 0; --i) backwards.merge(b.evidence[i - 1]);
  for (std::size_t i = 0; i < b.evidence.size() && i < 64; ++i) {
    const auto& e = b.evidence[i];
    invariant(forwards.timelines().holdings(e.endpoint) == backwards.timelines().holdings(e.endpoint),
              "the order of evidence does not matter");
    const flow_times during{e.from, e.from, e.until, e.until, 0, 0, true};
    const auto answer = forwards.attribute(e.endpoint.address, e.endpoint.port, during);
    invariant(answer == backwards.attribute(e.endpoint.address, e.endpoint.port, during),
              "the same evidence gives the same answer");
  }
  forwards.forget_before(0);
}

// As a node takes it, which leaves the flows in their frame.
void receive_it(const wire::frame& f, const wire::batch* expected) {
  const auto got = wire::receive(std::make_shared<const wire::frame>(f), incarnation);
  const auto* const b = got ? std::get_if<wire::received_batch>(&*got) : nullptr;
  invariant((b != nullptr) == (expected != nullptr), "both ways of reading take the same batches");
  if (b == nullptr) return;
  invariant(b->flow_count() == expected->flows.size() && b->evidence_count() == expected->evidence.size(),
            "and find as much in them");
  auto evidence = expected->evidence.begin();
  b->each_evidence([&](const auto& e) { invariant(same(e, *evidence++), "and the same"); });
  attributor nobody(prefix_set::everything());
  hold::received_cursor rows(b->rows());
  for (const auto& flow : expected->flows) {
    hold::received_row r;
    rows.next(r);
    const auto seen = rows.whole(r);
    invariant(same_flow(seen, flow), "and the same flows");
    nobody.attribute(seen.far_address, seen.far_port, seen.times);
  }
}

}  // namespace

void read_as_frame(const std::uint8_t* data, std::size_t size) {
  wire::frame f((size + 7) / 8, 0);
  if (size > 0) std::memcpy(f.data(), data, size);
  const auto got = wire::decode(f, incarnation);
  invariant(got || !got.error().text.empty(), "a refusal says what was expected");
  const auto* const b = got ? std::get_if<wire::batch>(&*got) : nullptr;
  receive_it(f, b);
  if (b == nullptr) return;
  read_again(*b);
  merge_both_ways(*b);
}

}  // namespace tenure::fuzz
