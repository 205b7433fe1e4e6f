#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "properties/history.hpp"
#include "properties/judge.hpp"

/// The laws that whoever attributes flows as docs/proof.md says keeps, tried on histories with known truth.
namespace tenure::laws {

/// How much is tried.
struct extent {
  std::uint64_t seed = 1;
  std::uint64_t histories = 10'000;
};

/// What came of one law.
struct result {
  std::string law;
  std::uint64_t tried = 0;  ///< answers that were looked at
  /// The first history that breaks it, in words, with its seed; empty when none does.
  std::string counterexample;

  bool kept() const { return counterexample.empty(); }
};

/// No answer names a workload, or a tenancy, that the far end was not, and of sound evidence none is a
/// conflict.
result never_wrong(const judge_maker& make, const extent& e);
/// Answers are those of the rule done once more, slowly: none less, none more.
result as_the_naive_rule(const judge_maker& make, const extent& e);
/// The order of evidence, and its repetition, change nothing.
result any_order(const judge_maker& make, const extent& e);
/// An answer never becomes another as evidence is added, and a part of the evidence gives the answer of the
/// whole or none.
result answers_stay(const judge_maker& make, const extent& e);
/// By evidence that breaks an assumption it is wrong now and then: whoever never is does not answer at all,
/// or is not asked.
result tries_can_fail(const judge_maker& make, const extent& e);

/// All of them.
std::vector<result> all(const judge_maker& make, const extent& e = {});

}  // namespace tenure::laws
