#include <algorithm>
#include <array>

#include "ownership/invariant.hpp"
#include "ownership/timelines.hpp"

// Many at once. Each step of one needs a line of memory that the step before names, so what memory has to
// bring is asked for some steps ahead, and is there when it is needed. Asking never changes an answer.
namespace tenure {

namespace {

// So many items are between two stages. With more, more lines are asked for than the processor can have under
// way, and what is beyond that it drops.
constexpr std::size_t apart = 5;
constexpr std::size_t in_flight = 32;
static_assert(in_flight > 3 * apart);

/// What the tenancy that an address's first line of memory holds, the latest, is to a question or to
/// evidence.
enum class latest { answers, grows, is_not_enough };

}  // namespace

template <class AddressOf, class ByLatest, class GlanceOf, class Finish>
void timelines::staged(std::size_t count, AddressOf&& address_of, ByLatest&& by_latest, GlanceOf&& glance_of,
                       Finish&& finish) const {
  struct item {
    std::uint64_t hash = 0;
    std::uint32_t number = 0;
    std::uint32_t near = 0;
    bool done = false;
  };
  std::array<item, in_flight> items;
  for (std::size_t i = 0; i < count + 3 * apart; ++i) {
    if (i < count) {
      auto& now = items[i % in_flight];
      now.hash = address_directory::hash(address_of(i));
      directory_.prefetch(now.hash);
    }
    if (const std::size_t k = i - apart; k < count) {
      auto& now = items[k % in_flight];
      now.number = directory_.find(now.hash, [](std::uint32_t) { return true; });
      now.done = false;
      if (now.number != address_directory::nobody) {
        __builtin_prefetch(&entries_[now.number]);
        entries_[now.number].line.prefetch_glances();
      }
    }
    if (const std::size_t k = i - 2 * apart; k < count) {
      auto& now = items[k % in_flight];
      now.near = 0;
      if (now.number != address_directory::nobody) {
        const auto& s = entries_[now.number];
        const latest is = by_latest(k, s);
        now.done = is == latest::answers;
        if (is == latest::is_not_enough) {
          now.near = s.line.near(glance_of(k));
          s.line.prefetch(now.near);
        }
      }
    }
    if (const std::size_t k = i - 3 * apart; k < count) {
      const auto& now = items[k % in_flight];
      if (!now.done) finish(k, now.number, now.near);
    }
  }
}

void timelines::merge(std::span<const evidence> all, std::span<merged> results) {
  invariant(all.size() == results.size(), "a result for each piece of evidence");
  staged(
      all.size(), [all](std::size_t i) { return all[i].endpoint.address; },
      [all](std::size_t i, const address_entry& s) {
        return s.line.is_of_latest(all[i]) ? latest::grows : latest::is_not_enough;
      },
      [this, all](std::size_t i) { return glance(all[i].from, all[i].from, clock_); },
      [this, all, results](std::size_t i, std::uint32_t number, std::uint32_t near) {
        // The number is of the first address with that hash: nearly always the right one. Where there was
        // none, one of those just before may have brought it.
        const address a = all[i].endpoint.address;
        const bool right = number != address_directory::nobody && entries_[number].address == a;
        results[i] = right ? merge(all[i], number, near) : merge(all[i]);
      });
}

void timelines::resolve(std::span<const question> questions, std::span<verdict> verdicts) const {
  invariant(questions.size() == verdicts.size(), "a verdict for each question");
  staged(
      questions.size(), [questions](std::size_t i) { return questions[i].far; },
      [this, questions, verdicts](std::size_t i, const address_entry& s) {
        const auto& q = questions[i];
        const bool answers = s.address == q.far && judge_by_latest(s, q.far_port, q.times, verdicts[i]);
        return answers ? latest::answers : latest::is_not_enough;
      },
      [this, questions](std::size_t i) {
        const auto& t = questions[i].times;
        return glance(needed(t, t.error), clock_);
      },
      [this, questions, verdicts](std::size_t i, std::uint32_t number, std::uint32_t near) {
        const auto& q = questions[i];
        // The number is of the first address with that hash: nearly always the right one.
        const bool right = number != address_directory::nobody && entries_[number].address == q.far;
        if (right)
          judge(entries_[number], q.far_port, q.times, near, verdicts[i]);
        else
          verdicts[i] = resolve(q.far, q.far_port, q.times);
      });
}

}  // namespace tenure
