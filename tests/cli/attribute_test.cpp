#include "cli/attribute.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace tenure::cli {
namespace {

constexpr const char* held_by_checkout =
    R"({"endpoint":"10.0.0.1","tenancy":"t1","workload":"checkout","from_ns":0,"until_ns":100,"from_error_ns":0,"until_error_ns":0})";
constexpr const char* held_by_catalog =
    R"({"endpoint":"10.0.0.1","tenancy":"t2","workload":"catalog","from_ns":200,"until_ns":300,"from_error_ns":0,"until_error_ns":0})";

std::string flow(const std::string& id, const std::string& opened, const std::string& established,
                 const std::string& last_received, const std::string& more = "") {
  return R"({"flow_id":")" + id + R"(","remote_address":"10.0.0.1","remote_port":443,"opened_ns":)" + opened +
         R"(,"established_ns":)" + established + R"(,"last_received_ns":)" + last_received +
         R"(,"transit_ns":0,"error_ns":0)" + more + "}";
}

std::string answer(const std::string& id, const std::string& workload, const std::string& tenancy) {
  return R"({"flow_id":")" + id + R"(","workload":")" + workload + R"(","tenancy":")" + tenancy +
         R"(","basis":"tenancy","reason":null})" + "\n";
}

std::string no_answer(const std::string& id, const std::string& reason) {
  return R"({"flow_id":")" + id + R"(","workload":null,"tenancy":null,"basis":null,"reason":")" + reason +
         "\"}\n";
}

class Attribute : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "tenure-attribute-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }

  int run(const std::string& evidence, const std::string& flows, std::vector<std::string> more = {}) {
    return run_files(write("e.ndjson", evidence), write("f.ndjson", flows), std::move(more));
  }

  int run_files(const std::string& evidence, const std::string& flows, std::vector<std::string> more = {}) {
    command_line line("", "");
    add_attribute(line);
    std::ostringstream out;
    std::ostringstream err;
    std::vector<std::string> arguments{"attribute", "--evidence", evidence,        "--flows",
                                       flows,       "--output",   path("o.ndjson")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const int code = line.run(arguments, [](const char*) { return nullptr; }, {out, err});
    err_ = err.str();
    return code;
  }

  std::string output() const {
    std::ostringstream text;
    text << std::ifstream(path("o.ndjson"), std::ios::binary).rdbuf();
    return text.str();
  }

  // Nothing but the two inputs is there.
  void expect_nothing_left_behind() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    EXPECT_EQ(names, (std::vector<std::string>{"e.ndjson", "f.ndjson"}));
  }

  void expect_refused(const std::string& evidence, const std::string& flows, const std::string& place,
                      const std::string& expected) {
    EXPECT_EQ(run(evidence, flows), 2) << evidence << '\n' << flows;
    EXPECT_TRUE(err_.starts_with("tenure: " + path(place) + ": ")) << err_;
    EXPECT_NE(err_.find(expected), std::string::npos) << err_ << "expected in it: " << expected;
    EXPECT_EQ(std::count(err_.begin(), err_.end(), '\n'), 1) << err_;
    expect_nothing_left_behind();
  }

  std::filesystem::path folder_;
  std::string err_;
};

TEST_F(Attribute, NamesWhoHeldTheAddressThen) {
  const auto evidence = std::string(held_by_catalog) + "\n" + held_by_checkout + "\n";
  EXPECT_EQ(run(evidence, flow("a", "10", "11", "50") + "\n" + flow("b", "210", "211", "250") + "\n" +
                              flow("c", "120", "121", "150") + "\n"),
            0)
      << err_;
  EXPECT_EQ(output(),
            answer("a", "checkout", "t1") + answer("b", "catalog", "t2") + no_answer("c", "between"));
  EXPECT_EQ(err_, "tenure: 3 flows, 2 attributed; 1 between\n");
}

TEST_F(Attribute, DoesNotDependOnTheOrderOrRepetitionOfEvidence) {
  // Two tenancies of one workload qualify: the one whose name sorts first is named, wherever its line stands.
  const std::string second =
      R"({"endpoint":"10.0.0.1:443","tenancy":"t0","workload":"checkout","from_ns":0,"until_ns":100,"from_error_ns":0,"until_error_ns":0})";
  const auto flows = flow("a", "10", "11", "50") + "\n";
  std::vector<std::string> lines{held_by_checkout, second, held_by_catalog, held_by_checkout};
  std::sort(lines.begin(), lines.end());
  do {
    std::string evidence;
    for (const auto& line : lines) evidence += line + "\n";
    ASSERT_EQ(run(evidence, flows), 0) << err_;
    ASSERT_EQ(output(), answer("a", "checkout", "t0"));
  } while (std::next_permutation(lines.begin(), lines.end()));
}

TEST_F(Attribute, ReadsPortsIpv6AndMappedAddresses) {
  const std::string evidence =
      R"({"endpoint":"[2001:db8::1]:443","tenancy":"t6","workload":"six","from_ns":0,"until_ns":100,"from_error_ns":0,"until_error_ns":0}
{"endpoint":"::ffff:10.0.0.1","tenancy":"t4","workload":"four","from_ns":0,"until_ns":100,"from_error_ns":0,"until_error_ns":0}
)";
  const std::string six =
      R"({"flow_id":"s","remote_address":"2001:DB8:0::1","remote_port":443,"opened_ns":1,"established_ns":2,"last_received_ns":3,"transit_ns":0,"error_ns":0})";
  const std::string other_port =
      R"({"flow_id":"p","remote_address":"2001:db8::1","remote_port":80,"opened_ns":1,"established_ns":2,"last_received_ns":3,"transit_ns":0,"error_ns":0})";
  EXPECT_EQ(run(evidence, six + "\n" + other_port + "\n" + flow("f", "1", "2", "3")), 0) << err_;
  EXPECT_EQ(output(), answer("s", "six", "t6") + no_answer("p", "no_evidence") + answer("f", "four", "t4"));
}

TEST_F(Attribute, AFailedConnectAndUdpNeedTheirWholeLifeCovered) {
  const auto failed = [](const std::string& id, const std::string& more) {
    return R"({"flow_id":")" + id +
           R"(","remote_address":"10.0.0.1","remote_port":1,"opened_ns":10,"error_ns":0)" + more + "}\n";
  };
  EXPECT_EQ(run(held_by_checkout,
                failed("in", R"(,"established_ns":null,"last_received_ns":99)") +
                    failed("out", R"(,"established_ns":null,"last_received_ns":100)") +
                    failed("closed", R"(,"established_ns":null,"closed_ns":99)") +
                    failed("late", R"(,"established_ns":null,"last_received_ns":50,"closed_ns":100)") +
                    failed("open", R"(,"established_ns":null,"last_received_ns":null)") +
                    failed("udp", R"(,"transport":"udp","last_received_ns":99)") +
                    failed("udp2", R"(,"transport":"udp","established_ns":20,"last_received_ns":100)")),
            0)
      << err_;
  EXPECT_EQ(output(), answer("in", "checkout", "t1") + no_answer("out", "after_last") +
                          answer("closed", "checkout", "t1") + no_answer("late", "after_last") +
                          no_answer("open", "after_last") + answer("udp", "checkout", "t1") +
                          no_answer("udp2", "after_last"));
}

TEST_F(Attribute, SaysExternalAndLocal) {
  const std::string local =
      R"({"flow_id":"l","remote_address":"169.254.1.1","remote_port":1,"opened_ns":1,"established_ns":2,"last_received_ns":3,"transit_ns":0,"error_ns":0})";
  const std::string elsewhere =
      R"({"flow_id":"e","remote_address":"192.0.2.1","remote_port":1,"opened_ns":1,"established_ns":2,"last_received_ns":3,"transit_ns":0,"error_ns":0})";
  const auto flows = local + "\n" + elsewhere + "\n" + flow("in", "1", "2", "3") + "\n";
  EXPECT_EQ(run(held_by_checkout, flows, {"--routable", "10.0.0.0/8", "--routable", "169.254.0.0/16"}), 0)
      << err_;
  EXPECT_EQ(output(), no_answer("l", "local") + no_answer("e", "external") + answer("in", "checkout", "t1"));
  EXPECT_EQ(run(held_by_checkout, flows), 0) << err_;
  EXPECT_EQ(output(),
            no_answer("l", "local") + no_answer("e", "no_evidence") + answer("in", "checkout", "t1"));
  EXPECT_EQ(run(held_by_checkout, flows, {"--routable", "192.0.2.0/24"}), 0) << err_;
  EXPECT_EQ(output(),
            no_answer("l", "external") + no_answer("e", "no_evidence") + no_answer("in", "external"));
  EXPECT_NE(err_.find("1 lines of evidence were left out"), std::string::npos) << err_;
}

TEST_F(Attribute, TakesLinesAsTheyCome) {
  const auto flows = "\r\n" + flow("a", "10", "11", "50", R"(,"labels":{"x":[1,{"y":null}]})") + "\r\n\n \n" +
                     flow("b\\u00e9\\n", "10", "11", "50");
  EXPECT_EQ(run(std::string(held_by_checkout) + "\r\n", flows), 0) << err_;
  EXPECT_EQ(output(), answer("a", "checkout", "t1") + answer("b\\u00e9\\n", "checkout", "t1"));
  EXPECT_EQ(run("", flows), 0) << err_;
  EXPECT_EQ(output(), no_answer("a", "no_evidence") + no_answer("b\\u00e9\\n", "no_evidence"));
  EXPECT_EQ(run(held_by_checkout, ""), 0) << err_;
  EXPECT_EQ(output(), "");
}

TEST_F(Attribute, EscapesNamesInItsAnswers) {
  const std::string evidence =
      R"({"endpoint":"10.0.0.1","tenancy":"t\"1","workload":"caf\u00e9\\\n","from_ns":0,"until_ns":100,"from_error_ns":0,"until_error_ns":0})";
  EXPECT_EQ(run(evidence, flow("a", "10", "11", "50")), 0) << err_;
  EXPECT_EQ(output(), answer("a", "caf\xc3\xa9\\\\\\n", "t\\\"1"));
}

TEST_F(Attribute, TimesAtTheEndsOfTheRangeGiveAClearAnswer) {
  const std::string for_ever =
      R"({"endpoint":"10.0.0.1","tenancy":"t1","workload":"checkout","from_ns":-9223372036854775808,"until_ns":9223372036854775807,"from_error_ns":0,"until_error_ns":0})";
  const std::string too_unsure =
      R"({"endpoint":"10.0.0.2","tenancy":"t2","workload":"catalog","from_ns":0,"until_ns":10,"from_error_ns":9223372036854775807,"until_error_ns":9223372036854775807})";
  const std::string backwards =
      R"({"endpoint":"10.0.0.3","tenancy":"t3","workload":"catalog","from_ns":10,"until_ns":0,"from_error_ns":0,"until_error_ns":0})";
  const std::string widest = "-9223372036854775808";
  const std::string latest = "9223372036854775807";
  EXPECT_EQ(run(for_ever + "\n" + too_unsure + "\n" + backwards + "\n",
                flow("a", widest, "0", latest) + "\n" + flow("b", widest, widest, widest) + "\n" +
                    flow("c", "0", "10", latest)),
            0)
      << err_;
  // The first instant of the range stands for what is below it too, and the last for what is above:
  // unattributed.
  EXPECT_EQ(output(),
            answer("a", "checkout", "t1") + no_answer("b", "before_first") + answer("c", "checkout", "t1"));
  EXPECT_NE(err_.find("1 lines of evidence say nothing"), std::string::npos) << err_;
}

TEST_F(Attribute, RefusesMalformedFlowsWithFileAndLine) {
  const auto good = flow("a", "10", "11", "50") + "\n";
  const auto refused = [&](const std::string& line, const std::string& expected) {
    expect_refused(held_by_checkout, good + line, "f.ndjson:2", expected);
  };
  refused("nonsense", "expected one JSON object");
  refused("[]", "expected one JSON object");
  refused("{", "expected one JSON object");
  refused(good.substr(0, good.size() - 2), "expected one JSON object");
  refused(good.substr(0, 60), "expected one JSON object");
  refused(flow("b", "1", "2", "3") + "}", "expected one JSON object and nothing behind it");
  refused(flow("b", "1", "2", "3") + flow("b", "1", "2", "3"),
          "expected one JSON object and nothing behind it");
  refused(flow("b", "1", "2", "3", R"(,"flow_id":"c")"), "expected \"flow_id\" once");
  refused(flow("b", "\"1\"", "2", "3"), "expected \"opened_ns\" to be a 64-bit integer");
  refused(flow("b", "1.5", "2", "3"), "expected \"opened_ns\" to be a 64-bit integer");
  refused(flow("b", "1e3", "2", "3"), "expected \"opened_ns\" to be a 64-bit integer");
  refused(flow("b", "null", "2", "3"), "expected \"opened_ns\" to be a 64-bit integer");
  refused(flow("b", "1", "9223372036854775808", "3"),
          "expected \"established_ns\" to be a 64-bit integer or null");
  refused(flow("b", "1", "nul", "3"), "expected \"established_ns\" to be a 64-bit integer or null");
  refused(flow("b", "1", "2", "nan"), "expected \"last_received_ns\" to be a 64-bit integer or null");
  refused(flow("b", "1", "2", "-9223372036854775809"), "expected \"last_received_ns\"");
  refused(flow("b", "1", "2", "null"), "expected \"last_received_ns\" to be a 64-bit integer");
  refused(flow("b", "1", "2", "3", R"(,"transport":"sctp")"),
          "expected \"transport\" to be \"tcp\" or \"udp\"");
  refused(flow("b", "1", "2", "3", R"(,"closed_ns":true)"), "expected \"closed_ns\"");
  refused("{\"flow_id\":\"\xff\"}", "expected one JSON object");
  refused(R"({"flow_id":["x"]})", "expected \"flow_id\" to be a text or a number");
  refused(R"({"flow_id":"\q"})", "expected \"flow_id\" to be a text or a number");
  refused(R"({"remote_address":"10.0.0.256"})", "expected \"remote_address\" to be an address");
  refused(R"({"remote_address":"10.0.0.1:443"})", "expected \"remote_address\" to be an address");
  refused(R"({"remote_port":65536})", "expected \"remote_port\" to be a port, 0 to 65535");
  refused(R"({"remote_port":-1})", "expected \"remote_port\" to be a port, 0 to 65535");
  refused(R"({"error_ns":-1})", "expected \"error_ns\" to be a 64-bit integer, not negative");
  refused(R"({"transit_ns":-1})", "expected \"transit_ns\" to be a 64-bit integer, not negative, or null");
  refused(R"({"flow_id":"x","remote_address":"10.0.0.1","remote_port":1,"error_ns":0,"established_ns":1})",
          "expected the key \"opened_ns\"");
  refused(R"({"flow_id":"x","remote_address":"10.0.0.1","remote_port":1,"error_ns":0,"opened_ns":1})",
          "expected the key \"established_ns\"");
}

TEST_F(Attribute, RefusesMalformedEvidenceWithFileAndLine) {
  const auto good = std::string(held_by_checkout) + "\n";
  const auto refused = [&](const std::string& line, const std::string& expected) {
    expect_refused(good + "\n" + line + "\n", flow("a", "10", "11", "50"), "e.ndjson:3", expected);
  };
  refused("{}", "expected the key \"endpoint\"");
  refused(R"({"endpoint":"10.0.0.1:0"})", "expected \"endpoint\" to be an address or one port of it");
  refused(R"({"endpoint":7})", "expected \"endpoint\" to be an address or one port of it");
  refused(R"({"tenancy":""})", "expected \"tenancy\" to be a text that is not empty");
  refused(R"({"tenancy":12})", "expected \"tenancy\" to be a text that is not empty");
  refused(R"({"workload":null})", "expected \"workload\" to be a text that is not empty");
  refused(R"({"from_error_ns":-1})", "expected \"from_error_ns\" to be a 64-bit integer, not negative");
  refused(R"({"until_error_ns":"0"})", "expected \"until_error_ns\" to be a 64-bit integer, not negative");
  refused(R"({"until_ns":18446744073709551615})", "expected \"until_ns\" to be a 64-bit integer");
  refused(good.substr(0, good.find(",\"until_error_ns\"")) + "}", "expected the key \"until_error_ns\"");
}

TEST_F(Attribute, ExplainsItselfOnRequest) {
  const std::string unsure =
      R"({"endpoint":"10.0.0.1","tenancy":"t1","workload":"checkout","from_ns":0,"until_ns":100,"from_error_ns":5,"until_error_ns":6})";
  const std::string flows =
      R"({"flow_id":"f","remote_address":"10.0.0.1","remote_port":443,"opened_ns":1,"established_ns":2,"last_received_ns":50,"transit_ns":3,"error_ns":1})";
  EXPECT_EQ(run(unsure, flows, {"--explain"}), 0) << err_;
  EXPECT_NE(output().find(
                R"("reason":null,"explanation":"Attributed to checkout, by tenancy t1. The far end held the )"
                R"(endpoint at every instant of [3, 46]: established 2 + error 1, to last received 50 - )"
                R"(transit 3 - error 1; who surely held it at one of them is the far end. Tenancy t1 of )"
                R"(checkout: said to hold 10.0.0.1 throughout [0, 100), surely throughout [5, 94); it )"
                R"(qualifies, as at 5."})"),
            std::string::npos)
      << output();
}

TEST_F(Attribute, AFileThatCannotBeReadOrWrittenIsNamed) {
  EXPECT_EQ(run_files(path("none"), write("f.ndjson", "")), 2);
  EXPECT_EQ(err_, "tenure: " + path("none") + ": cannot be read: No such file or directory\n");
  EXPECT_EQ(run_files(folder_.string(), write("f.ndjson", "")), 2);
  EXPECT_EQ(run("", "", {"--routable", "10.0.0.0/33"}), 2);
  EXPECT_EQ(err_,
            "tenure: --routable: expected a CIDR such as 10.0.0.0/8 or 2001:db8::/32, not '10.0.0.0/33'\n");
}

TEST_F(Attribute, AFailureLeavesAnEarlierOutputAlone) {
  write("o.ndjson", "earlier\n");
  EXPECT_EQ(run(held_by_checkout, flow("a", "10", "11", "50") + "\nbroken\n"), 2);
  EXPECT_EQ(output(), "earlier\n");
}

TEST_F(Attribute, ALineOfManyMegabytesIsReadOrRefused) {
  const std::string long_id(3 << 20, 'x');
  EXPECT_EQ(run(held_by_checkout, flow(long_id, "10", "11", "50") + "\n" + flow("b", "10", "11", "50")), 0)
      << err_;
  EXPECT_EQ(output(), answer(long_id, "checkout", "t1") + answer("b", "checkout", "t1"));
  std::filesystem::remove(path("o.ndjson"));
  expect_refused(held_by_checkout, flow("a", "1", "2", "3") + "\n" + std::string(20 << 20, 'x'), "f.ndjson:2",
                 "expected a line of at most 16 MiB");
}

}  // namespace
}  // namespace tenure::cli
