#include "cli/bench.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <fstream>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <unistd.h>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/evidence_file.hpp"
#include "cli/flow_line.hpp"
#include "cli/in_order.hpp"
#include "ownership/timelines.hpp"

namespace tenure::cli {

namespace {

// Each address is held by `tenancies` in turn, each for nine tenths of its turn.
constexpr nanos turn = 1'000 * second;
constexpr nanos hold = 900 * second;
constexpr nanos clock_error = millisecond;
constexpr std::size_t batch = 4'096;

struct bench_options {
  std::uint32_t addresses = 1'000'000;
  std::uint32_t tenancies = 5;
  std::uint64_t flows = 20'000'000;
  std::uint64_t seed = 1;
  std::optional<std::filesystem::path> json;
  std::optional<std::filesystem::path> evidence;
  std::optional<std::filesystem::path> flows_from;
};

/// CPU time of this thread, added up over several stretches.
class stopwatch {
 public:
  void start() { began_ = now(); }
  void stop() { total_ += now() - began_; }
  double microseconds() const { return static_cast<double>(total_) / microsecond; }

 private:
  static nanos now() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return nanos{t.tv_sec} * second + t.tv_nsec;
  }
  nanos began_ = 0;
  nanos total_ = 0;
};

/// What this process has of the machine's memory.
std::size_t resident() {
  std::size_t total = 0;
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> total >> pages;
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

address host(std::uint32_t n) {
  return address::v4(0x0a00'0000U + n);
}

evidence held(std::uint32_t n, std::uint32_t nth, nanos until) {
  const nanos from = nth * turn;
  return {.endpoint = {host(n), 0},
          .tenancy = {n / 250 + 1, std::uint64_t{n} * 64 + nth + 1},
          .workload = workload_id{(n * 31 + nth) % 997 + 1},
          .from = from,
          .until = from + until,
          .from_error = clock_error,
          .until_error = clock_error};
}

// So many addresses an agent names in a row.
constexpr std::size_t of_an_agent = 250;

/// Heartbeats about random addresses, one after the other, so that each is far from the last; or agent after
/// agent, each naming its addresses in the order in which it did the first time, as in life.
class stream_of_evidence {
 public:
  stream_of_evidence(const std::vector<std::uint32_t>& first_order, std::size_t in_a_row, std::uint64_t seed)
      : order_(first_order), in_a_row_(in_a_row), random_(seed) {}

  void fill(std::vector<evidence>& into, std::uint32_t nth, nanos until) {
    for (auto& e : into) {
      if (left_-- == 0) {
        at_ = random_() % order_.size();
        left_ = in_a_row_ - 1;
      }
      e = held(order_[at_++ % order_.size()], nth, until);
    }
  }

 private:
  const std::vector<std::uint32_t>& order_;
  std::size_t in_a_row_;
  std::mt19937_64 random_;
  std::size_t at_ = 0;
  std::size_t left_ = 0;
};

outcome<void> report(const nlohmann::json& result, const bench_options& o, console& io) {
  io.out << result.dump(2) << '\n';
  if (!o.json) return {};
  std::ofstream file(*o.json);
  file << result.dump(2) << '\n';
  if (!file.flush()) return fail(trouble::refused, o.json->string() + ": cannot be written");
  return {};
}

/// What the store hands out for tenancies, beyond the addresses' own entries.
double bytes_a_tenancy(const timelines& known) {
  return static_cast<double>(known.bytes() - known.table_bytes()) / static_cast<double>(known.tenancies());
}

struct filled {
  timelines known;
  std::vector<std::uint32_t> first_order;  // in which addresses came
  double microseconds_a_tenancy = 0;
  double resident_growth = 0;  // of the process, to hold what the store counts against
  double table_bytes_an_address = 0;
};

filled fill(const bench_options& o) {
  filled f;
  std::vector<std::uint32_t> order(o.addresses);
  for (std::uint32_t i = 0; i < o.addresses; ++i) order[i] = i;
  std::vector<evidence> part;
  std::vector<merged> results;
  stopwatch watch;
  std::mt19937_64 random(o.seed);
  const std::size_t before = resident();
  for (std::uint32_t nth = 0; nth < o.tenancies; ++nth) {
    std::shuffle(order.begin(), order.end(), random);
    if (nth == 0) f.first_order = order;
    for (std::size_t start = 0; start < order.size(); start += batch) {
      part.clear();
      for (std::size_t i = start; i < std::min(order.size(), start + batch); ++i)
        part.push_back(held(order[i], nth, hold));
      results.resize(part.size());
      watch.start();
      f.known.merge(part, results);
      watch.stop();
    }
  }
  const auto count = static_cast<double>(f.known.tenancies());
  const auto slots = static_cast<double>(f.known.table_bytes());
  f.microseconds_a_tenancy = watch.microseconds() / count;
  f.resident_growth = static_cast<double>(resident() - before);
  f.table_bytes_an_address = slots / static_cast<double>(f.known.addresses());
  return f;
}

/// Resolves what the questions ask; @returns how many of them were attributed.
std::uint64_t resolve(const timelines& known, const std::vector<question>& questions, stopwatch& watch) {
  static std::vector<verdict> verdicts;
  verdicts.resize(questions.size());
  watch.start();
  known.resolve(questions, verdicts);
  watch.stop();
  return static_cast<std::uint64_t>(
      std::count_if(verdicts.begin(), verdicts.end(), [](const verdict& v) { return v.attributed(); }));
}

outcome<void> bench_resolve(const bench_options& o, console& io) {
  const filled f = fill(o);
  std::mt19937_64 random(o.seed + 1);
  std::vector<question> questions(batch);
  stopwatch watch;
  std::uint64_t attributed = 0;
  for (std::uint64_t done = 0; done < o.flows; done += questions.size()) {
    questions.resize(std::min<std::uint64_t>(batch, o.flows - done));
    for (auto& q : questions) {
      const auto opened = static_cast<nanos>(random() % static_cast<std::uint64_t>(o.tenancies * turn));
      q = {host(static_cast<std::uint32_t>(random() % o.addresses)),
           443,
           {opened, opened + millisecond, opened + 20 * millisecond, opened + 30 * millisecond, millisecond,
            clock_error, true}};
    }
    attributed += resolve(f.known, questions, watch);
  }
  return report({{"bench", "resolve"},
                 {"addresses", f.known.addresses()},
                 {"tenancies", f.known.tenancies()},
                 {"flows", o.flows},
                 {"attributed_share", static_cast<double>(attributed) / static_cast<double>(o.flows)},
                 {"cpu_us_per_flow", watch.microseconds() / static_cast<double>(o.flows)},
                 {"flows_per_second", 1e6 * static_cast<double>(o.flows) / watch.microseconds()},
                 {"bytes_per_tenancy", bytes_a_tenancy(f.known)},
                 {"resident_growth_bytes", f.resident_growth},
                 {"counted_bytes", f.known.bytes()},
                 {"table_bytes_per_address", f.table_bytes_an_address}},
                o, io);
}

/// Resolves the flows of a file, block by block.
class resolver final : public block_worker {
 public:
  explicit resolver(const timelines& known) : known_(known) {}

  outcome<void> read(line_block& lines) override {
    questions_.clear();
    return reader_.read_all(lines, [this](const flow_line& f) {
      questions_.push_back({f.remote, f.remote_port, f.times});
    });
  }
  outcome<void> hand_over() override {
    flows += questions_.size();
    attributed += resolve(known_, questions_, watch);
    return {};
  }

  std::uint64_t flows = 0;
  std::uint64_t attributed = 0;
  stopwatch watch;

 private:
  const timelines& known_;
  flow_line_reader reader_;
  std::vector<question> questions_;
};

/// The same over files of `tenure attribute`; reading them is not in the figures.
outcome<void> bench_resolve_files(const bench_options& o, console& io) {
  timelines known;
  std::vector<merged> results;
  stopwatch merging;
  const auto names = read_evidence_file(o.evidence->string(), 1, [&](std::span<const evidence> some) {
    results.resize(some.size());
    merging.start();
    known.merge(some, results);
    merging.stop();
  });
  if (!names) return tl::unexpected(names.error());
  const std::array<std::unique_ptr<block_worker>, 1> workers{std::make_unique<resolver>(known)};
  if (auto read = read_in_order(o.flows_from->string(), workers); !read) return read;
  const auto& done = static_cast<const resolver&>(*workers.front());
  const auto flows = done.flows;
  if (flows == 0 || known.tenancies() == 0)
    return fail(trouble::usage, "expected files with at least one line of evidence and one flow");
  const auto count = static_cast<double>(known.tenancies());
  return report({{"bench", "resolve"},
                 {"addresses", known.addresses()},
                 {"tenancies", known.tenancies()},
                 {"flows", flows},
                 {"attributed_share", static_cast<double>(done.attributed) / static_cast<double>(flows)},
                 {"cpu_us_per_flow", done.watch.microseconds() / static_cast<double>(flows)},
                 {"flows_per_second", 1e6 * static_cast<double>(flows) / done.watch.microseconds()},
                 {"cpu_us_per_new_tenancy", merging.microseconds() / count},
                 {"bytes_per_tenancy", bytes_a_tenancy(known)},
                 {"table_bytes_per_address",
                  static_cast<double>(known.table_bytes()) / static_cast<double>(known.addresses())}},
                o, io);
}

struct heartbeats {
  double microseconds = 0;
  std::uint64_t changed = 0;
};

/// Merges them, later and later, so that nearly each one extends what is known.
/// @param since how many were merged before
heartbeats merge_heartbeats(filled& f, stream_of_evidence stream, const bench_options& o,
                            std::uint64_t since) {
  std::vector<evidence> part(batch);
  std::vector<merged> results(batch);
  stopwatch watch;
  heartbeats all;
  for (std::uint64_t done = 0; done < o.flows; done += part.size()) {
    part.resize(std::min<std::uint64_t>(batch, o.flows - done));
    stream.fill(part, o.tenancies - 1, hold + static_cast<nanos>(since + done));
    results.resize(part.size());
    watch.start();
    f.known.merge(part, results);
    watch.stop();
    all.changed += static_cast<std::uint64_t>(std::count(results.begin(), results.end(), merged::changed));
  }
  all.microseconds = watch.microseconds();
  return all;
}

outcome<void> bench_merge(const bench_options& o, console& io) {
  filled f = fill(o);
  const auto at_random = merge_heartbeats(f, {f.first_order, 1, o.seed}, o, 0);
  const auto in_order = merge_heartbeats(f, {f.first_order, of_an_agent, o.seed}, o, o.flows);
  const auto each = [&o](double all) { return all / static_cast<double>(o.flows); };
  return report({{"bench", "merge"},
                 {"addresses", f.known.addresses()},
                 {"tenancies", f.known.tenancies()},
                 {"flows", o.flows},
                 {"heartbeats", o.flows},
                 {"changed_share", each(static_cast<double>(at_random.changed))},
                 {"cpu_us_per_heartbeat", each(at_random.microseconds)},
                 {"cpu_us_per_heartbeat_in_order", each(in_order.microseconds)},
                 {"cpu_us_per_flow", each(at_random.microseconds)},
                 {"flows_per_second", 1e6 * static_cast<double>(o.flows) / at_random.microseconds},
                 {"cpu_us_per_new_tenancy", f.microseconds_a_tenancy},
                 {"bytes_per_tenancy", bytes_a_tenancy(f.known)},
                 {"resident_growth_bytes", f.resident_growth},
                 {"counted_bytes", f.known.bytes()},
                 {"table_bytes_per_address", f.table_bytes_an_address}},
                o, io);
}

std::shared_ptr<bench_options> add(command& c, outcome<void> (*run)(const bench_options&, console&)) {
  auto o = std::make_shared<bench_options>();
  c.option("addresses", o->addresses, "addresses that are known");
  c.option("tenancies", o->tenancies, "tenancies of each, one after the other");
  c.option("flows", o->flows, "flows to resolve, or heartbeats to merge");
  c.option("seed", o->seed, "of the random addresses and times");
  c.option("json", o->json, "write the figures there too");
  c.run([o, run](console& io) -> outcome<void> {
    if (o->addresses == 0 || o->addresses > 1U << 24 || o->tenancies == 0 || o->tenancies > 1'000 ||
        o->flows == 0)
      return fail(trouble::usage, "expected 1 to 16777216 addresses, 1 to 1000 tenancies and some flows");
    return run(*o, io);
  });
  return o;
}

outcome<void> bench_resolve_any(const bench_options& o, console& io) {
  if (o.evidence.has_value() != o.flows_from.has_value())
    return fail(trouble::usage, "--evidence and --flows-from are given together, or neither is");
  return o.evidence ? bench_resolve_files(o, io) : bench_resolve(o, io);
}

}  // namespace

void add_bench(command_line& line) {
  line.group("bench", "measure the heart of it on this machine, one thread");
  auto& resolving = line.add("bench resolve", "CPU time to resolve a flow, and memory of a tenancy");
  const auto o = add(resolving, bench_resolve_any);
  resolving.option("evidence", o->evidence, "evidence of this file, as of attribute, instead of made-up one");
  resolving.option("flows-from", o->flows_from, "flows of this file, as of attribute");
  add(line.add("bench merge", "CPU time to merge a heartbeat and a new tenancy"), bench_merge);
}

}  // namespace tenure::cli
