#include "cli/progress.hpp"

#include <algorithm>
#include <sstream>

#include <gtest/gtest.h>

namespace tenure::cli {
namespace {

TEST(progress, writes_plain_lines_where_nobody_can_see_a_bar) {
  std::ostringstream err;
  {
    progress p(err, "runs", 0, 200, false, false);
    for (int i = 0; i < 200; ++i) p.advance(1);
  }
  const auto text = err.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 20);
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("tenure: 100 of 200 runs (50 %), "), std::string::npos) << text;
  EXPECT_NE(text.find("tenure: 200 of 200 runs (100 %), took "), std::string::npos) << text;
}

TEST(progress, draws_its_bar_over_itself_and_below_words) {
  std::ostringstream err;
  {
    progress p(err, "runs", 5, 10, true, false);
    p.say("tenure: something");
    p.advance(5);
  }
  const auto text = err.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_NE(text.find("\r\x1b[Ktenure: something\n\r\x1b[K"), std::string::npos) << text;
  EXPECT_EQ(text.find("\x1b[36m"), std::string::npos) << "no colour was asked for";
  std::ostringstream coloured;
  progress(coloured, "runs", 5, 10, true, true).advance(1);
  EXPECT_NE(coloured.str().find("\x1b[36m"), std::string::npos);
}

}  // namespace
}  // namespace tenure::cli
