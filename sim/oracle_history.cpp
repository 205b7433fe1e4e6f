#include "sim/oracle.hpp"

// What the oracle remembers of a run for others to be judged by.
namespace tenure::sim {

/// Of several copies of one record an attributed one stays.
void oracle::keep_answer(const sinks::flow_record& r, std::string_view workload) {
  const auto& f = r.flow;
  kept_history::answered a{f.id,    f.transport,   f.far_address, f.far_port,
                           f.times, std::string{}, r.far.tenancy, r.far.reason};
  if (r.far.attributed()) a.workload = workload;
  const auto [known, fresh] = keep_->flows.try_emplace(f.connection, a);
  if (!fresh && known->second.workload.empty()) known->second = std::move(a);
}

void oracle::tell_truth(const machine_clock& clock) const {
  for (const auto& [number, a] : keep_->flows) {
    const auto& real = records_[number - 1];
    auto who = real.far;
    if (who == no_instance) {
      who = truth_.holder(real.far_address, real.opened);
      if (who != no_instance && !truth_.of(who).held(real.closed)) who = no_instance;
    }
    kept_history::fact fact{a.id, {}, -1};
    if (who != no_instance) {
      fact.workload = truth::workload_name(truth_.of(who).workload);
      fact.instance = who;
    }
    keep_->facts.push_back(std::move(fact));
  }
  for (instance_id id = 0; id < truth_.size(); ++id) {
    const auto& i = truth_.of(id);
    if (i.from == i.until) continue;  // its turn never came
    keep_->holdings.push_back({id, i.endpoint(), truth::workload_name(i.workload), clock.at(i.from),
                               i.alive() ? time_max : clock.at(i.until)});
  }
}

}  // namespace tenure::sim
