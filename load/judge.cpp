#include "load/judge.hpp"

#include <charconv>
#include <fstream>
#include <optional>
#include <simdjson.h>

namespace tenure::load {

/// Of a record, what the truth knows too.
struct named_ends {
  std::string_view id;
  std::optional<std::string_view> near_workload;
  std::optional<std::string_view> near_tenancy;
  std::optional<std::string_view> far_workload;
  std::optional<std::string_view> far_tenancy;
  std::string_view reason;
};

namespace {

constexpr std::size_t told_at_most = 20;

// "00c0ffee00c0ffee-17-3"
std::optional<flow_id> parse_flow_id(std::string_view text) {
  flow_id id;
  const char* const end = text.data() + text.size();
  const auto one = std::from_chars(text.data(), end, id.incarnation, 16);
  if (one.ec != std::errc{} || one.ptr == end || *one.ptr != '-') return std::nullopt;
  const auto two = std::from_chars(one.ptr + 1, end, id.batch);
  if (two.ec != std::errc{} || two.ptr == end || *two.ptr != '-') return std::nullopt;
  const auto three = std::from_chars(two.ptr + 1, end, id.index);
  if (three.ec != std::errc{} || three.ptr != end) return std::nullopt;
  return id;
}

std::optional<std::string_view> text_of(const simdjson::dom::element& record, std::string_view key) {
  std::string_view text;
  if (record[key].get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

std::optional<named_ends> read(simdjson::dom::parser& parser, std::string_view line) {
  simdjson::dom::element record;
  if (parser.parse(line.data(), line.size()).get(record) != simdjson::SUCCESS) return std::nullopt;
  const auto id = text_of(record, "flow_id");
  const auto reporter = text_of(record, "reporter");
  if (!id || !reporter) return std::nullopt;
  named_ends out;
  out.id = *id;
  const bool source = *reporter == "source";
  out.near_workload = text_of(record, source ? "source_workload" : "destination_workload");
  out.near_tenancy = text_of(record, source ? "source_tenancy" : "destination_tenancy");
  out.far_workload = text_of(record, source ? "destination_workload" : "source_workload");
  out.far_tenancy = text_of(record, source ? "destination_tenancy" : "source_tenancy");
  out.reason = text_of(record, "reason").value_or("");
  return out;
}

bool names(const std::optional<holding>& truth, const std::optional<std::string_view>& workload,
           const std::optional<std::string_view>& tenancy) {
  return truth && workload == plan::workload_name(truth->workload) && tenancy == truth->tenancy.to_string();
}

}  // namespace

judge::judge(const plan& p, const sealed_book& book, std::uint32_t flows_a_batch)
    : plan_(p), book_(book), flows_a_batch_(flows_a_batch), seen_(p.options().agents) {}

void judge::wrong(std::string what) {
  if (found_.wrong.size() < told_at_most) found_.wrong.push_back(std::move(what));
}

bool judge::check_ends(const planned_flow& truth, const named_ends& named) {
  bool right = true;
  if (named.far_workload) {
    ++found_.attributed;
    right = names(truth.far, named.far_workload, named.far_tenancy);
  } else {
    ++found_.unattributed[std::string{named.reason}];
  }
  return right && (!named.near_workload || names(truth.near, named.near_workload, named.near_tenancy));
}

void judge::see(std::string_view line) {
  static thread_local simdjson::dom::parser parser;
  ++found_.records;
  const auto named = read(parser, line);
  const auto id = named ? parse_flow_id(named->id) : std::nullopt;
  if (!id) {
    ++found_.unreadable;
    return wrong("no record: " + std::string{line.substr(0, 200)});
  }
  const auto agent = plan_.agent_of(id->incarnation);
  const nanos sealed = agent ? book_.at(*agent, id->batch) : 0;
  if (sealed == 0 || id->index >= flows_a_batch_) {
    ++found_.strangers;
    return wrong("never reported: " + std::string{line});
  }
  auto& batches = seen_[*agent];
  if (batches.size() <= id->batch) batches.resize(id->batch + 1);
  auto& flows = batches[id->batch];
  flows.resize(flows_a_batch_);
  auto& sight_of_it = flows[id->index];
  ++(sight_of_it == sight::none ? found_.flows : found_.repeats);
  if (sight_of_it != sight::named) sight_of_it = named->far_workload ? sight::named : sight::seen;
  const auto near = plan_.near_ends(*agent, id->batch, sealed);
  if (!check_ends(plan_.flow(*agent, id->batch, id->index, sealed, near), *named)) {
    ++found_.misattributed;
    wrong("another one held it: " + std::string{line});
  }
}

bool judge::see_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) return false;
  for (std::string line; std::getline(file, line);) see(line);
  return !file.bad();
}

findings judge::conclude() {
  const auto& sealed = book_.all();
  for (std::size_t a = 0; a < sealed.size(); ++a)
    for (std::size_t b = 0; b < sealed[a].size(); ++b) {
      if (sealed[a][b] == 0) continue;
      auto& of_then = found_.sealed_at[sealed[a][b]];
      for (std::uint32_t i = 0; i < flows_a_batch_; ++i) {
        const bool known = b < seen_[a].size() && i < seen_[a][b].size();
        const auto it = known ? seen_[a][b][i] : sight::none;
        ++of_then.flows;
        of_then.named += it == sight::named ? 1U : 0U;
        if (it != sight::none) continue;
        ++found_.lost;
        wrong("lost: " + flow_id{plan_.incarnation(static_cast<std::uint32_t>(a)), b, i}.to_string());
      }
    }
  return std::move(found_);
}

share findings::covered(nanos from, nanos until) const {
  share sum;
  for (auto it = sealed_at.lower_bound(from); it != sealed_at.end() && it->first < until; ++it) {
    sum.flows += it->second.flows;
    sum.named += it->second.named;
  }
  return sum;
}

}  // namespace tenure::load
