#include <cstring>
#include <functional>
#include <random>

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <gtest/gtest.h>

#include "capnp/codec.hpp"
#include "tests/capnp/samples.hpp"
#include "wire.capnp.h"

namespace tenure::wire {
namespace {

/// A frame as the schema alone allows it, which our encoder would not make.
frame made_by(const std::function<void(schema::Message::Builder)>& fill) {
  capnp::MallocMessageBuilder builder(1 << 17);  // words: one segment, for the tests that bend pointers
  fill(builder.initRoot<schema::Message>());
  auto words = capnp::messageToFlatArray(builder);
  frame out(words.size());
  std::memcpy(out.data(), words.begin(), words.size() * sizeof(capnp::word));
  return out;
}

/// Refused, in one line that says so.
testing::AssertionResult refused(const frame& f, const std::string& because) {
  auto got = decode(f, samples::incarnation);
  if (got) return testing::AssertionFailure() << "it was taken: " << samples::describe(*got).substr(0, 200);
  if (got.error().text.find(because) == std::string::npos ||
      got.error().text.find('\n') != std::string::npos) {
    return testing::AssertionFailure() << "it was refused with '" << got.error().text << "'";
  }
  return testing::AssertionSuccess();
}

/// A batch with a workload, a tenancy, an evidence and a flow that are all right, for a test to spoil.
frame spoiled(const std::function<void(schema::Batch::Builder)>& spoil) {
  return made_by([&](schema::Message::Builder root) {
    auto b = root.initBatch();
    b.setNumber(1);
    b.initWorkloads(1)[0].setName("checkout");
    b.initTenancies(1)[0].setSequence(1);
    b.initEvidence(1);
    auto f = b.initFlows(1)[0];
    f.setTransport(6);
    f.setEndReason(3);
    spoil(b);
  });
}

TEST(hostile, the_batch_that_the_tests_spoil_is_right) {
  auto got = decode(spoiled([](auto) {}), 7);
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(std::get<batch>(*got).flows.size(), 1U);
}

TEST(hostile, numbers_out_of_their_range_are_refused) {
  using batch_builder = schema::Batch::Builder;
  const std::pair<std::function<void(batch_builder)>, const char*> cases[] = {
      {[](batch_builder b) { b.setNumber(0); }, "number 0"},
      {[](batch_builder b) { b.getTenancies()[0].setSequence(0); }, "sequence 0"},
      {[](batch_builder b) { b.getTenancies()[0].setWorkload(1); }, "workload that is not in"},
      {[](batch_builder b) { b.getTenancies()[0].setWorkload(~0U); }, "workload that is not in"},
      {[](batch_builder b) { b.getEvidence()[0].setTenancy(1); }, "evidence of a tenancy"},
      {[](batch_builder b) { b.getEvidence()[0].setTenancy(~0U); }, "evidence of a tenancy"},
      {[](batch_builder b) { b.getEvidence()[0].setFromError(-1); }, "negative error"},
      {[](batch_builder b) { b.getEvidence()[0].setUntilError(time_min); }, "negative error"},
      {[](batch_builder b) { b.getFlows()[0].setNearTenancy(2); }, "near tenancy"},
      {[](batch_builder b) { b.getFlows()[0].setNearTenancy(~0U); }, "near tenancy"},
      {[](batch_builder b) { b.getFlows()[0].setTransport(0); }, "transport"},
      {[](batch_builder b) { b.getFlows()[0].setTransport(255); }, "transport"},
      {[](batch_builder b) { b.getFlows()[0].setEndReason(0); }, "end reason"},
      {[](batch_builder b) { b.getFlows()[0].setEndReason(6); }, "end reason"},
      {[](batch_builder b) { b.getFlows()[0].setReporter(static_cast<schema::Reporter>(2)); }, "reporter"},
      {[](batch_builder b) { b.getFlows()[0].setTransit(-1); }, "negative transit"},
      {[](batch_builder b) { b.getFlows()[0].setError(time_min); }, "negative error"},
  };
  for (const auto& [spoil, because] : cases) EXPECT_TRUE(refused(spoiled(spoil), because)) << because;
  EXPECT_TRUE(refused(made_by([](auto root) { root.initHello().setAgent("a"); }), "incarnation 0"));
}

/// A packed batch with a workload and a flow that are all right, for a test to spoil.
frame packed_and_spoiled(const std::function<void(schema::Packed::Builder)>& spoil) {
  batch b;
  b.number = 1;
  b.workloads.push_back({"checkout", {}});
  flow f;
  f.end = end_reason::end_of_flow;
  f.near_workload = workload_id{1};
  b.flows.push_back(f);
  const auto sent = encode_packed(b);
  const auto* const words = reinterpret_cast<const capnp::word*>(sent.data());
  capnp::FlatArrayMessageReader reader(kj::arrayPtr(words, sent.size()));
  return made_by([&](schema::Message::Builder root) {
    root.setPacked(reader.getRoot<schema::Message>().getPacked());
    spoil(root.getPacked());
  });
}

TEST(hostile, packed_batches_that_are_none_are_refused) {
  using packed_builder = schema::Packed::Builder;
  const std::pair<std::function<void(packed_builder)>, const char*> cases[] = {
      {[](packed_builder p) { p.getBatch().setNumber(0); }, "number 0"},
      {[](packed_builder p) { p.setForm(0); }, "rows of a form"},
      {[](packed_builder p) { p.setForm(packed_form + 1); }, "rows of a form"},
      {[](packed_builder p) { p.setFlows(0); }, "more rows than flows"},
      {[](packed_builder p) { p.setFlows(2); }, "fewer rows than flows"},
      {[](packed_builder p) { p.setFlows(max_batch_flows + 1); }, "flows, at most"},
      {[](packed_builder p) { p.setFlows(~0U); }, "flows, at most"},
      {[](packed_builder p) { p.initRows(0); }, "zeros behind"},
      {[](packed_builder p) { p.initRows(7); }, "zeros behind"},
      {[](packed_builder p) { p.initRows(8); }, "fewer rows"},
      {[](packed_builder p) { p.initRows(9); }, "a row of another length"},
      {[](packed_builder p) { p.getBatch().initWorkloads(0); }, "near workload is not in the batch"},
      {[](packed_builder p) {
         auto f = p.getBatch().initFlows(1)[0];
         f.setTransport(6);
         f.setEndReason(3);
       },
       "not packed"},
      {[](packed_builder p) { p.getBatch().initDialled(1)[0].setPort(1); }, "a dialled address of a flow"}};
  auto got = decode(packed_and_spoiled([](auto) {}), 7);
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(std::get<batch>(*got).flows.size(), 1U);
  for (const auto& [spoil, because] : cases)
    EXPECT_TRUE(refused(packed_and_spoiled(spoil), because)) << because;
}

TEST(hostile, texts_that_are_no_names_are_refused) {
  const std::string texts[] = {std::string(max_name_bytes + 1, 'x'),
                               "a\nb",
                               "\x1b[2J",
                               "a\x7f",
                               "\xc2\x9b",
                               "\xff",
                               "\xc0\xaf",
                               "\xed\xa0\x80",
                               std::string("a\0b", 3)};
  for (const auto& t : texts) {
    kj::StringPtr text(t.c_str(), t.size());
    EXPECT_TRUE(refused(made_by([&](auto root) {
                          auto h = root.initHello();
                          h.setIncarnation(1);
                          h.setAgent(text);
                        }),
                        "a text"));
    EXPECT_TRUE(refused(made_by([&](auto root) { root.initWelcome().setNode(text); }), "a text"));
    EXPECT_TRUE(refused(made_by([&](auto root) { root.initGoodbye().setReason(text); }), "a text"));
    EXPECT_TRUE(refused(spoiled([&](auto b) { b.getWorkloads()[0].setName(text); }), "a text"));
    EXPECT_TRUE(
        refused(spoiled([&](auto b) { b.getWorkloads()[0].initLabels(1)[0].setKey(text); }), "a text"));
    EXPECT_TRUE(
        refused(spoiled([&](auto b) { b.getWorkloads()[0].initLabels(1)[0].setValue(text); }), "a text"));
    EXPECT_FALSE(valid_text(t));
  }
  EXPECT_TRUE(refused(spoiled([](auto b) { b.getWorkloads()[0].setName(""); }), "without a name"));
  for (const char* good : {"", "a b", "ü→🦉", "\xc2\xa0"}) EXPECT_TRUE(valid_text(good));
}

TEST(hostile, lists_are_taken_up_to_their_bound) {
  auto with_workloads = [](unsigned n) {
    return spoiled([n](auto b) {
      auto list = b.initWorkloads(n);
      for (auto w : list) w.setName("w");
    });
  };
  auto with_labels = [](unsigned n) { return spoiled([n](auto b) { b.getWorkloads()[0].initLabels(n); }); };
  auto with_tenancies = [](unsigned n) {
    return spoiled([n](auto b) {
      auto list = b.initTenancies(n);
      for (auto t : list) t.setSequence(1);
    });
  };
  auto with_evidence = [](unsigned n) { return spoiled([n](auto b) { b.initEvidence(n); }); };
  auto with_flows = [](unsigned n) {
    return spoiled([n](auto b) {
      auto list = b.initFlows(n);
      for (auto f : list) {
        f.setTransport(17);
        f.setEndReason(1);
      }
    });
  };
  const std::tuple<std::function<frame(unsigned)>, std::size_t, const char*> cases[] = {
      {with_workloads, max_batch_workloads, "workloads, at most"},
      {with_labels, max_workload_labels, "labels of a workload, at most"},
      {with_tenancies, max_batch_tenancies, "tenancies, at most"},
      {with_evidence, max_batch_evidence, "evidences, at most"},
      {with_flows, max_batch_flows, "flows, at most"}};
  for (const auto& [make, bound, because] : cases) {
    auto most = decode(make(static_cast<unsigned>(bound)), 1);
    EXPECT_TRUE(most) << most.error().text;
    EXPECT_TRUE(refused(make(static_cast<unsigned>(bound + 1)), because));
  }
}

TEST(hostile, a_frame_with_something_missing_or_left_over_is_refused) {
  auto whole = encode(hello{1, 1, "agent"});
  for (std::size_t words = 0; words < whole.size(); ++words) {
    EXPECT_TRUE(
        refused(frame(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(words)), "malformed"));
  }
  auto longer = whole;
  longer.push_back(0);
  EXPECT_TRUE(refused(longer, "after its end"));
  EXPECT_TRUE(refused(frame(max_frame_bytes / 8 + 1), "longer than"));
  for (std::uint64_t table : {~0ULL, 0xffff'ffffULL, 0xffff'ffff'0000'0000ULL, 0x7fff'ffff'7fff'ffffULL}) {
    auto f = whole;
    f[0] = table;
    EXPECT_TRUE(refused(f, "malformed"));
  }
}

TEST(hostile, an_unknown_kind_of_message_is_refused) {
  auto f = encode(ping{1});
  ASSERT_EQ(f[2], 2U) << "the union's tag stands in the root's first word";
  f[2] = 999;
  EXPECT_TRUE(refused(f, "unknown kind of message 999"));
}

// Few bytes that say a great deal: a hundred pointers to one list would be read a hundred times.
TEST(hostile, pointers_that_meet_do_not_multiply_the_work) {
  auto f = spoiled([](auto b) {
    auto list = b.initWorkloads(1000);
    for (auto w : list) w.setName("w");
    auto labels = list[0].initLabels(max_workload_labels);
    for (auto l : labels) l.setValue("a value of many bytes, so that the labels are most of this frame");
  });
  ASSERT_TRUE(decode(f, 1));
  // The workloads' list is the first thing behind Batch: its tag, then (name, labels) pairs. All labels
  // pointers are bent to the first one's target: the same words, counted from where each pointer stands.
  std::size_t tag = 0;
  while ((f[tag] & 3) != 0 || f[tag] >> 32 != 0x0002'0000 || (f[tag] & 0xffff'ffff) >> 2 != 1000) ++tag;
  auto first = tag + 2;
  for (std::size_t i = 1; i < 1000; ++i) {
    auto offset = static_cast<std::int64_t>(static_cast<std::int32_t>(f[first]) >> 2);
    auto bent = (offset - static_cast<std::int64_t>(2 * i)) * 4;
    f[first + 2 * i] = (f[first] & 0xffff'ffff'0000'0000ULL) |
                       (static_cast<std::uint64_t>(bent) & 0xffff'fffcULL) | (f[first] & 3);
  }
  EXPECT_TRUE(refused(f, "limit"));
}

// A list of single bytes may be read as a list of structs: a megabyte would become 200 MB of flows.
TEST(hostile, a_list_of_bytes_in_a_lists_place_is_bounded_before_room_is_made) {
  auto f = made_by([](schema::Message::Builder root) {
    auto b = root.initBatch();
    b.setNumber(1);
    capnp::AnyStruct::Builder(capnp::toAny(b))
        .getPointerSection()[3]
        .initAs<capnp::List<std::uint8_t>>(3 << 20);
  });
  EXPECT_TRUE(refused(f, "flows, at most"));
}

TEST(hostile, a_void_list_in_a_lists_place_is_refused) {
  auto f = made_by([](schema::Message::Builder root) {
    auto b = root.initBatch();
    b.setNumber(1);
    capnp::AnyStruct::Builder(capnp::toAny(b))
        .getPointerSection()[0]
        .initAs<capnp::List<capnp::Void>>(500'000'000);
  });
  EXPECT_TRUE(refused(f, "malformed"));
}

TEST(hostile, spoiled_and_cut_frames_never_do_harm) {
  constexpr int rounds = 20'000;
  std::mt19937_64 random(20'261'121);
  std::size_t taken = 0;
  for (int round = 0; round < rounds; ++round) {
    auto f = random() % 4 == 0 ? encode_packed(samples::any_batch(random(), 12))
                               : encode(samples::any_message(random(), 12));
    for (auto spoils = random() % 8; spoils > 0; --spoils) {
      auto& word = f[random() % f.size()];
      switch (random() % 4) {
        case 0:
          word ^= 1ULL << (random() % 64);
          break;
        case 1:
          word = random();
          break;
        case 2:
          word = f[random() % f.size()];  // a pointer of this frame, where it does not belong
          break;
        default:
          word += random() % 9 - 4;
      }
    }
    if (random() % 4 == 0) f.resize(random() % (f.size() + 2));
    if (auto got = decode(f, samples::incarnation)) {
      ++taken;
      // What is taken is within its bounds: it can be told, and tells the tables' own values only.
      (void)samples::describe(*got);
    }
  }
  EXPECT_GT(taken, rounds / 20) << "most were refused at the door; the test reaches nothing within";
  EXPECT_LT(taken, rounds);
}

}  // namespace
}  // namespace tenure::wire
