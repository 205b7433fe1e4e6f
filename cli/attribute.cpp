#include "cli/attribute.hpp"

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
#include "cli/line_reader.hpp"
#include "cli/whole_output.hpp"
#include "ownership/attributor.hpp"

namespace tenure::cli {

namespace {

struct attribute_options {
  std::filesystem::path evidence;
  std::filesystem::path flows;
  std::string output = "-";
  std::vector<prefix> routable;
  bool explain = false;
};

struct tally {
  std::uint64_t flows = 0;
  std::uint64_t attributed = 0;
  std::array<std::uint64_t, 9> unattributed{};  // by reason
};

// Names as JSON texts, escaped once; entry 0 is for none.
std::vector<std::string> json_texts(const name_table& names) {
  std::vector<std::string> texts{"null"};
  texts.reserve(names.size() + 1);
  for (std::uint32_t i = 1; i <= names.size(); ++i) texts.push_back(nlohmann::json(names.name(i)).dump());
  return texts;
}

class answer_writer {
 public:
  explicit answer_writer(const evidence_file& names)
      : tenancies_(json_texts(names.tenancies)), workloads_(json_texts(names.workloads)) {}

  /// @param why appended as `explanation`, unless it is empty.
  void append(std::string& out, std::string_view id, const verdict& v, const std::string& why) const {
    out += R"({"flow_id":)";
    out += id;
    out += R"(,"workload":)";
    out += workloads_[static_cast<std::uint32_t>(v.workload)];
    out += R"(,"tenancy":)";
    out += tenancies_[v.tenancy.sequence];
    out += R"(,"basis":)";
    append_or_null(out, v.attributed(), to_string(v.basis));
    out += R"(,"reason":)";
    append_or_null(out, !v.attributed(), to_string(v.reason));
    if (!why.empty()) {
      out += R"(,"explanation":)";
      out += nlohmann::json(why).dump();
    }
    out += "}\n";
  }

 private:
  static void append_or_null(std::string& out, bool present, std::string_view word) {
    if (!present) {
      out += "null";
      return;
    }
    out += '"';
    out += word;
    out += '"';
  }

  std::vector<std::string> tenancies_;
  std::vector<std::string> workloads_;
};

/// Flows that are answered together: their questions, and the rest of their lines.
class flow_batch {
 public:
  static constexpr std::size_t most = 4'096;

  void add(const flow_line& f) {
    questions.push_back({f.remote, f.remote_port, f.times});
    ids_ += f.id;
    id_ends_.push_back(ids_.size());
  }
  bool full() const { return questions.size() == most; }
  std::string_view id(std::size_t i) const {
    const std::size_t begin = i == 0 ? 0 : id_ends_[i - 1];
    return std::string_view(ids_).substr(begin, id_ends_[i] - begin);
  }
  void clear() {
    questions.clear();
    ids_.clear();
    id_ends_.clear();
  }

  std::vector<question> questions;

 private:
  std::string ids_;
  std::vector<std::size_t> id_ends_;
};

class answerer {
 public:
  answerer(const attributor& who, const evidence_file& names, bool explain, whole_output& output)
      : who_(who), names_(names), explain_(explain), output_(output), writer_(names) {}

  outcome<void> answer(const flow_batch& flows) {
    verdicts_.resize(flows.questions.size());
    who_.attribute_all(flows.questions, verdicts_);
    for (std::size_t i = 0; i < verdicts_.size(); ++i) {
      const verdict& v = verdicts_[i];
      ++counts_.flows;
      ++(v.attributed() ? counts_.attributed : counts_.unattributed[static_cast<std::size_t>(v.reason)]);
      writer_.append(output_.buffer(), flows.id(i), v, explain_ ? why(flows.questions[i]) : std::string());
    }
    return output_.flush_if_full();
  }
  const tally& counts() const { return counts_; }

 private:
  std::string why(const question& q) const {
    return explanation_text(tenure::explain(who_, q.far, q.far_port, q.times), names_, false);
  }

  const attributor& who_;
  const evidence_file& names_;
  bool explain_;
  whole_output& output_;
  answer_writer writer_;
  std::vector<verdict> verdicts_;
  tally counts_;
};

outcome<tally> answer_all(const attributor& who, const evidence_file& names, const attribute_options& o,
                          whole_output& output) {
  auto lines = line_reader::open(o.flows.string());
  if (!lines) return tl::unexpected(lines.error());
  answerer all(who, names, o.explain, output);
  flow_line_reader reader;
  flow_batch flows;
  for (bool more = true; more;) {
    const auto line = lines->next();
    if (!line) return tl::unexpected(line.error());
    more = line->has_value();
    if (more) {
      const auto flow = reader.read(**line);
      if (!flow) return fail(flow.error().trouble, lines->place() + ": " + flow.error().text);
      flows.add(*flow);
    }
    if (more && !flows.full()) continue;
    if (auto answered = all.answer(flows); !answered) return tl::unexpected(answered.error());
    flows.clear();
  }
  return all.counts();
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
  const auto evidence = read_evidence_file(o.evidence.string());
  if (!evidence) return tl::unexpected(evidence.error());
  attributor who(o.routable.empty() ? prefix_set::everything() : prefix_set(o.routable));
  merge_evidence(who, *evidence, io);

  auto output = whole_output::create(o.output);
  if (!output) return tl::unexpected(output.error());
  const auto counts = answer_all(who, *evidence, o, **output);
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
  c.run([o](console& io) { return attribute(*o, io); });
}

}  // namespace tenure::cli
