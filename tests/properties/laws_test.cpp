#include "properties/laws.hpp"

#include <gtest/gtest.h>

#include "ownership/timelines.hpp"

namespace tenure::laws {
namespace {

constexpr extent some{.seed = 4740, .histories = 1000};

TEST(laws, are_kept_by_tenures_own) {
  for (const auto& r : all(tenures_own(), some)) {
    EXPECT_TRUE(r.kept()) << r.law << ": " << r.counterexample;
    EXPECT_GT(r.tried, 100U) << r.law;
  }
}

/// Tenure's own with something done to what it is told or says.
class spoilt : public judge {
 public:
  void tell(const evidence& e) override { own_->tell(e); }
  verdict ask(address far, std::uint16_t port, const flow_times& times) const override {
    return own_->ask(far, port, times);
  }

 private:
  std::unique_ptr<judge> own_ = tenures_own()();
};

template <class Judge>
judge_maker made() {
  return [] { return std::make_unique<Judge>(); };
}

class errors_ignored final : public spoilt {
  void tell(const evidence& e) override {
    auto sure = e;
    sure.from_error = sure.until_error = 0;
    spoilt::tell(sure);
  }
};

class joined_by_name final : public spoilt {
  void tell(const evidence& e) override {
    auto named = e;
    named.tenancy = {1, static_cast<std::uint64_t>(e.workload)};
    spoilt::tell(named);
  }
};

/// Takes evidence only as long as it comes in the order of time.
class first_come final : public spoilt {
  void tell(const evidence& e) override {
    if (e.from < last_) return;
    last_ = e.from;
    spoilt::tell(e);
  }
  nanos last_ = time_min;
};

/// The latest statement decides.
class last_heard final : public judge {
 public:
  void tell(const evidence& e) override { last_ = e; }
  verdict ask(address, std::uint16_t, const flow_times&) const override {
    if (last_.workload == workload_id::none) return unattributed(reason::no_evidence);
    return {last_.workload, last_.tenancy, basis::tenancy, reason::none};
  }

 private:
  evidence last_;
};

class silent final : public judge {
  void tell(const evidence&) override {}
  verdict ask(address, std::uint16_t, const flow_times&) const override {
    return unattributed(reason::no_evidence);
  }
};

TEST(laws, are_broken_by_mistakes_that_are_often_made) {
  EXPECT_FALSE(never_wrong(made<errors_ignored>(), some).kept());
  EXPECT_FALSE(never_wrong(made<joined_by_name>(), some).kept());
  EXPECT_FALSE(never_wrong(made<last_heard>(), some).kept());
  EXPECT_FALSE(any_order(made<first_come>(), some).kept());
  EXPECT_FALSE(answers_stay(made<last_heard>(), some).kept());
  EXPECT_FALSE(as_the_naive_rule(made<errors_ignored>(), some).kept());
}

TEST(laws, are_not_kept_by_who_never_answers) {
  EXPECT_TRUE(never_wrong(made<silent>(), some).kept());
  EXPECT_FALSE(as_the_naive_rule(made<silent>(), some).kept());
  EXPECT_FALSE(tries_can_fail(made<silent>(), some).kept());
}

TEST(laws, show_the_history_that_breaks_them) {
  const auto r = never_wrong(made<last_heard>(), some);
  EXPECT_NE(r.counterexample.find("history of seed "), std::string::npos);
  EXPECT_NE(r.counterexample.find("said: "), std::string::npos);
}

}  // namespace
}  // namespace tenure::laws
