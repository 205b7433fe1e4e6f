#include "demo/judge.hpp"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

namespace tenure::demo {
namespace {

/// Stamps of records come through two clocks' bounds and the kernel's tick.
constexpr nanos stamp_error = 20 * millisecond;

struct record_times {
  nanos opened = 0;
  nanos established = 0;  // = closed for a failed connect
  nanos closed = 0;
  bool is_established = false;
};

record_times times_of(const flow_line& r, nanos to_boot) {
  record_times t;
  t.is_established = r.established.has_value();
  const nanos any = r.opened.value_or(r.established.value_or(r.closed.value_or(0)));
  t.opened = any + to_boot;
  t.closed = r.closed.value_or(any) + to_boot;
  t.established = r.established.value_or(r.closed.value_or(any)) + to_boot;
  return t;
}

/// Who the far end can have been. One instance where the ends said so; where neither did (a failed connect,
/// an end that was killed first), whoever held the address then.
std::vector<instance_id> far_candidates(const flow_line& r, const record_times& t, const connection_end* own,
                                        truth_book& truth) {
  if (own != nullptr && own->peer != 0) return {own->peer};
  if (t.is_established) {
    const auto other = r.reporter == side::client ? side::server : side::client;
    if (const auto* theirs = truth.find(other, r.tuple, t.opened)) return {theirs->instance};
  }
  const auto slot = truth.slot_of(r.far_address());
  if (!slot) return {};
  auto found = truth.holders(*slot, t.opened - stamp_error, t.established + stamp_error);
  if (!t.is_established) {
    // Nobody ever answered, or somebody refused: only who was there all the time can be named.
    std::erase_if(found, [&](instance_id i) {
      return !truth.held_throughout(i, t.opened + stamp_error, std::max(t.opened, t.closed - stamp_error));
    });
  }
  return found;
}

/// Empty when what the record says of an end is true of one of the candidates.
std::string wrong(const named_end& said, address at, const std::vector<instance_id>& candidates,
                  const truth_book& truth) {
  if (!said.workload) return {};
  const auto is_workload = [&](instance_id i) {
    return catalogue()[truth.workload_of(i)].name == *said.workload;
  };
  if (std::none_of(candidates.begin(), candidates.end(), is_workload)) {
    return fmt::format("said {}, was {}", *said.workload,
                       candidates.empty() ? "nobody" : catalogue()[truth.workload_of(candidates[0])].name);
  }
  const auto* named = said.tenancy ? truth.tenancy(*said.tenancy) : nullptr;
  if (named == nullptr)
    return fmt::format("said tenancy {}, which nobody was given", said.tenancy.value_or("none"));
  if (std::find(candidates.begin(), candidates.end(), named->instance) == candidates.end()) {
    return fmt::format("said tenancy {}, which was instance {}'s and not {}'s", *said.tenancy,
                       named->instance, candidates[0]);
  }
  if (named->endpoint != at) return fmt::format("said tenancy {}, which is another address's", *said.tenancy);
  return {};
}

void note_nasty(const flow_line& r, const record_times& t, const connection_end* own, instance_id far,
                const truth_book& truth, judgement& j) {
  const auto* holding = truth.holding_of(far);
  const auto slot = truth.slot_of(r.far_address());
  if (holding == nullptr || !slot) return;
  const auto other_at = [&](nanos at) {
    const auto there = truth.holders(*slot, at, at);
    return !there.empty() && std::find(there.begin(), there.end(), far) == there.end();
  };
  if (t.is_established) j.outlived_owner = other_at(t.closed);
  if (own == nullptr) return;
  j.reset_by_next_owner = own->error == ECONNRESET && own->peer != 0 && other_at(own->ended);
  j.opened_before_owner = r.reporter == side::client && t.is_established && own->opened < holding->from.from;
}

}  // namespace

judgement judge(const flow_line& r, nanos to_boot, truth_book& truth) {
  judgement j;
  const auto t = times_of(r, to_boot);
  auto* own = truth.find(r.reporter, r.tuple, t.opened);
  if (own != nullptr) ++own->records;

  std::vector<instance_id> near;
  if (own != nullptr) {
    near = {own->instance};
  } else if (const auto slot = truth.slot_of(r.near_address())) {
    near = truth.holders(*slot, t.opened - stamp_error, t.established + stamp_error);
  }
  const auto far = far_candidates(r, t, own, truth);
  j.explained = !near.empty();
  if (!j.explained) j.why = "no instance had that address then";
  j.near_named = r.near().workload.has_value();
  j.far_named = r.far().workload.has_value();
  const auto near_wrong = wrong(r.near(), r.near_address(), near, truth);
  const auto far_wrong = wrong(r.far(), r.far_address(), far, truth);
  j.misattributed = !near_wrong.empty() || !far_wrong.empty();
  if (!near_wrong.empty()) j.why = "near end: " + near_wrong;
  if (!far_wrong.empty()) j.why = "far end: " + far_wrong;

  if (far.size() == 1) {
    j.far = far[0];
    const auto slot = truth.slot_of(r.far_address());
    const instance_id now = slot ? truth.holder_now(*slot) : 0;
    j.current_owner_wrong = now != 0 && truth.workload_of(now) != truth.workload_of(j.far);
    note_nasty(r, t, own, j.far, truth, j);
  }
  return j;
}

}  // namespace tenure::demo
