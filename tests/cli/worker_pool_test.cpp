#include "cli/worker_pool.hpp"

#include <csignal>
#include <map>
#include <string>
#include <unistd.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::cli {
namespace {

std::map<std::size_t, outcome<std::string>> results(unsigned width, std::size_t jobs,
                                                    const std::function<std::string(std::size_t)>& job) {
  std::map<std::size_t, outcome<std::string>> all;
  const auto ran = worker_pool{width}.run(jobs, job, [&](std::size_t n, outcome<std::string> result) {
    EXPECT_TRUE(all.emplace(n, std::move(result)).second) << "job " << n << " came twice";
    return outcome<void>{};
  });
  EXPECT_TRUE(ran) << ran.error().text;
  return all;
}

RC_GTEST_PROP(worker_pool, does_each_job_once_whatever_its_width, ()) {
  const auto width = *rc::gen::inRange(0U, 5U);
  const auto jobs = *rc::gen::inRange<std::size_t>(0, 12);
  const auto all = results(width, jobs, [](std::size_t n) { return std::string(n * 7'001, 'x'); });
  RC_ASSERT(all.size() == jobs);
  for (const auto& [n, result] : all) RC_ASSERT(result.value().size() == n * 7'001);
}

TEST(worker_pool, hears_of_a_job_that_died_and_does_the_others) {
  const auto all = results(2, 5, [](std::size_t n) {
    if (n == 2) std::raise(SIGKILL);
    return std::to_string(n);
  });
  ASSERT_EQ(all.size(), 5U);
  ASSERT_FALSE(all.at(2));
  EXPECT_NE(all.at(2).error().text.find("signal 9"), std::string::npos) << all.at(2).error().text;
  for (const std::size_t n : {0U, 1U, 3U, 4U}) EXPECT_EQ(all.at(n).value(), std::to_string(n));
}

TEST(worker_pool, keeps_what_jobs_do_to_themselves) {
  int touched = 0;
  const auto all = results(3, 3, [&](std::size_t) { return std::to_string(++touched); });
  EXPECT_EQ(touched, 0);
  for (const auto& [n, result] : all) EXPECT_EQ(result.value(), "1");
}

TEST(worker_pool, ends_the_rest_when_the_one_who_hears_has_enough) {
  std::size_t heard = 0;
  const auto ran = worker_pool{2}.run(
      100, [](std::size_t) { return std::string("x"); },
      [&](std::size_t, const outcome<std::string>&) -> outcome<void> {
        if (++heard == 3) return fail(trouble::refused, "the disk is full");
        return {};
      });
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().text, "the disk is full");
  EXPECT_EQ(heard, 3U);
}

}  // namespace
}  // namespace tenure::cli
