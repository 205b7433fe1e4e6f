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

/// Agents name what they hold in the same order each time, and numbers were given in that order the first
/// time; forgetting moves some. So where two addresses in a row had two numbers in a row, the next one is
/// likely to have the next: then nobody has to ask the directory, whose lines are the ones that lie farthest
/// apart.
class numbers_in_a_row {
 public:
  /// What this one's number may be; nobody while they do not come in a row.
  std::uint32_t guess(std::size_t index) const {
    return in_a_row_ ? last_ + static_cast<std::uint32_t>(index - at_) : address_directory::nobody;
  }
  /// The one after the last that was found. @pre one was
  std::uint32_t next() const { return last_ + 1; }
  bool in_a_row() const { return in_a_row_; }
  void found(std::size_t index, std::uint32_t number) {
    in_a_row_ = number == last_ + 1 && number != address_directory::nobody;
    last_ = number;
    at_ = index;
  }

 private:
  std::size_t at_ = 0;
  std::uint32_t last_ = address_directory::nobody;
  bool in_a_row_ = false;
};

/// Questions ask about anybody.
class numbers_at_random {
 public:
  std::uint32_t guess(std::size_t) const { return address_directory::nobody; }
  std::uint32_t next() const { return address_directory::nobody; }
  bool in_a_row() const { return false; }
  void found(std::size_t, std::uint32_t) {}
};

}  // namespace

template <class Numbers, class AddressOf, class ByLatest, class GlanceOf, class Finish>
void timelines::staged(std::size_t count, AddressOf&& address_of, ByLatest&& by_latest, GlanceOf&& glance_of,
                       Finish&& finish) const {
  struct item {
    std::uint64_t hash = 0;
    std::uint32_t number = 0;
    std::uint32_t near = 0;
    bool done = false;
  };
  std::array<item, in_flight> items;
  Numbers numbers;
  const auto is_of = [this](std::uint32_t number, address a) {
    return number < entries_.size() && entries_[number].address == a;
  };
  for (std::size_t i = 0; i < count + 3 * apart; ++i) {
    if (i < count) {
      auto& now = items[i % in_flight];
      now.hash = address_directory::hash(address_of(i));
      now.number = numbers.guess(i);
      if (now.number < entries_.size())
        entries_[now.number].prefetch();
      else
        directory_.prefetch(now.hash);
    }
    if (const std::size_t k = i - apart; k < count) {
      auto& now = items[k % in_flight];
      now.done = false;
      if (!is_of(now.number, address_of(k))) {
        // Where one of them is left out, all guesses that are under way are wrong by one.
        now.number = numbers.in_a_row() && is_of(numbers.next(), address_of(k))
                         ? numbers.next()
                         : directory_.find(now.hash, [](std::uint32_t) { return true; });
        if (now.number != address_directory::nobody) entries_[now.number].prefetch();
      }
      numbers.found(k, now.number);
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
  staged<numbers_in_a_row>(
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
  staged<numbers_at_random>(
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
