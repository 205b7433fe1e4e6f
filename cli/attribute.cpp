#include "cli/attribute.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/evidence_file.hpp"
#include "cli/explanation_text.hpp"
#include "cli/flow_line.hpp"
#include "cli/in_order.hpp"
#include "cli/whole_output.hpp"
#include "ownership/attributor.hpp"
#include "sinks/write_text.hpp"

namespace tenure::cli {

namespace {

struct attribute_options {
  std::filesystem::path evidence;
  std::filesystem::path flows;
  std::string output = "-";
  std::vector<prefix> routable;
  bool explain = false;
  unsigned jobs = 0;
};

struct tally {
  std::uint64_t flows = 0;
  std::uint64_t attributed = 0;
  std::array<std::uint64_t, 9> unattributed{};  // by reason
};

// Written as it stands, between quotes.
bool is_plain(std::string_view name) {
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return c >= ' ' && c != '"' && c != '\\' && c != '\x7f'; });
}

/// Writes answers as JSON lines, behind one another.
class answer_writer {
 public:
  explicit answer_writer(const evidence_names& names) : names_(names) {}

  void clear() { used_ = 0; }
  std::string_view text() const { return std::string_view(text_).substr(0, used_); }

  /// @param why appended as `explanation`, unless it is empty.
  void append(std::string_view id, const verdict& v, const std::string& why) {
    constexpr std::size_t most_without_names = 256;
    const std::string_view workload = v.attributed() ? names_.of(v.workload) : "";
    const std::string_view tenancy = v.attributed() ? names_.of(v.tenancy) : "";
    const std::string escaped = why.empty() ? "" : nlohmann::json(why).dump();
    constexpr std::size_t escape = 6;  // so many characters for one, at the most
    const std::size_t most =
        most_without_names + id.size() + escape * (workload.size() + tenancy.size()) + escaped.size();
    if (text_.size() - used_ < most) text_.resize(std::max(2 * text_.size(), used_ + most));
    using sinks::write;
    char* at = text_.data() + used_;
    at = write(write(at, R"({"flow_id":)"), id);
    if (v.attributed()) {
      at = write_name(write(at, R"(,"workload":)"), workload);
      at = write_name(write(at, R"(,"tenancy":)"), tenancy);
      at = write(write(write(at, R"(,"basis":")"), to_string(v.basis)), R"(","reason":null)");
    } else {
      at = write(at, R"(,"workload":null,"tenancy":null,"basis":null,"reason":")");
      at = write(write(at, to_string(v.reason)), "\"");
    }
    if (!why.empty()) at = write(write(at, R"(,"explanation":)"), escaped);
    at = write(at, "}\n");
    used_ = static_cast<std::size_t>(at - text_.data());
  }

 private:
  static char* write_name(char* at, std::string_view name) {
    if (!is_plain(name)) return sinks::write(at, nlohmann::json(name).dump());
    *at++ = '"';
    at = sinks::write(at, name);
    *at++ = '"';
    return at;
  }

  const evidence_names& names_;
  std::string text_;  // its size is the room there is
  std::size_t used_ = 0;
};

/// Answers the flows of a block.
class answerer final : public block_worker {
 public:
  answerer(const attributor& who, const evidence_names& names, bool explain, whole_output& output,
           tally& counts)
      : who_(who), names_(names), explain_(explain), output_(output), counts_(counts), writer_(names) {}

  outcome<void> read(line_block& lines) override {
    questions_.clear();
    ids_.clear();
    auto read = reader_.read_all(lines, [this](const flow_line& f) {
      questions_.push_back({f.remote, f.remote_port, f.times});
      ids_.push_back(f.id);
    });
    if (!read) return read;
    verdicts_.resize(questions_.size());
    who_.attribute_all(questions_, verdicts_);
    write();
    return {};
  }

  outcome<void> hand_over() override {
    for (const verdict& v : verdicts_) {
      ++counts_.flows;
      ++(v.attributed() ? counts_.attributed : counts_.unattributed[static_cast<std::size_t>(v.reason)]);
    }
    output_.buffer() += writer_.text();
    return output_.flush_if_full();
  }

 private:
  void write() {
    constexpr std::size_t ahead = 8;
    writer_.clear();
    for (std::size_t i = 0; i < verdicts_.size(); ++i) {
      if (i + ahead < verdicts_.size() && verdicts_[i + ahead].attributed())
        names_.tenancies.prefetch_name(static_cast<std::uint32_t>(verdicts_[i + ahead].tenancy.sequence));
      writer_.append(ids_[i], verdicts_[i], explain_ ? why(questions_[i]) : std::string());
    }
  }
  std::string why(const question& q) const {
    return explanation_text(tenure::explain(who_, q.far, q.far_port, q.times), names_, false);
  }

  const attributor& who_;
  const evidence_names& names_;
  bool explain_;
  whole_output& output_;
  tally& counts_;
  answer_writer writer_;
  flow_line_reader reader_;
  std::vector<question> questions_;
  std::vector<std::string_view> ids_;  // in the block
  std::vector<verdict> verdicts_;
};

outcome<tally> answer_all(const attributor& who, const evidence_names& names, const attribute_options& o,
                          whole_output& output) {
  tally counts;
  std::vector<std::unique_ptr<block_worker>> workers(workers_for(o.jobs));
  for (auto& worker : workers) worker = std::make_unique<answerer>(who, names, o.explain, output, counts);
  if (auto read = read_in_order(o.flows.string(), workers); !read) return tl::unexpected(read.error());
  return counts;
}

void say(const tally& counts, console& io) {
  io.err << "tenure: " << counts.flows << " flows, " << counts.attributed << " attributed";
  const char* separator = "; ";
  for (std::size_t i = 0; i < counts.unattributed.size(); ++i) {
    if (counts.unattributed[i] == 0) continue;
    io.err << separator << counts.unattributed[i] << ' ' << to_string(static_cast<reason>(i));
    separator = ", ";
  }
  io.err << '\n';
}

outcome<void> attribute(const attribute_options& o, console& io) {
  attributor who(o.routable.empty() ? prefix_set::everything() : prefix_set(o.routable));
  const auto names = merge_evidence_file(o.evidence.string(), o.jobs, who, io);
  if (!names) return tl::unexpected(names.error());

  auto output = whole_output::create(o.output);
  if (!output) return tl::unexpected(output.error());
  const auto counts = answer_all(who, *names, o, **output);
  if (!counts) return tl::unexpected(counts.error());
  if (auto committed = (*output)->commit(); !committed) return committed;
  say(*counts, io);
  return {};
}

}  // namespace

void add_attribute(command_line& line) {
  auto o = std::make_shared<attribute_options>();
  auto& c = line.add("attribute", "apply the rule to files: who held the far end of each flow, then");
  c.option("evidence", o->evidence, "evidence, one JSON object a line").must_be_given();
  c.option("flows", o->flows, "flows, one JSON object a line").must_be_given();
  c.option("output", o->output, "answers, one JSON object a flow; - is stdout").shown_as("FILE");
  c.option("routable", o->routable, "addresses that count as the fleet's; all when none is given");
  c.flag("explain", o->explain, "add the proof to each answer, or what it lacks, as `explanation`");
  c.option("jobs", o->jobs, "how many threads read and answer; 0: one for each processor");
  c.run([o](console& io) { return attribute(*o, io); });
}

}  // namespace tenure::cli
