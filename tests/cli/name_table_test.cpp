#include "cli/name_table.hpp"

#include <map>
#include <string>

#include <gtest/gtest.h>

namespace tenure::cli {
namespace {

std::uint32_t number(name_table& table, std::string_view name) {
  return table.intern(name, name_table::hash(name));
}

TEST(NameTable, GivesEachNameANumberOfItsOwnAndKeepsItsText) {
  name_table table;
  std::map<std::string, std::uint32_t> numbers;
  std::map<std::uint32_t, std::string> names;
  for (std::size_t i = 0; i < 300'000; ++i) {
    const std::string name = "tenancy-" + std::to_string(i * 7'919 % 200'000) + std::string(i % 3, '\0');
    const auto n = number(table, name);
    ASSERT_NE(n, 0U);
    ASSERT_EQ(numbers.try_emplace(name, n).first->second, n);
    ASSERT_EQ(names.try_emplace(n, name).first->second, name);
  }
  for (const auto& [n, name] : names) ASSERT_EQ(table.name(n), name);
}

// Larger than a piece of memory, and to the byte as large as what is left of one.
TEST(NameTable, TakesNamesOfAnySize) {
  name_table table;
  std::map<std::uint32_t, std::string> names;
  char letter = 'a';
  for (const std::size_t size : {std::size_t{0}, huge_page - 24, huge_page - 4, std::size_t{1}, huge_page,
                                 3 * huge_page - 12, huge_page - 12, huge_page - 11, std::size_t{5}}) {
    const std::string name(size, letter++);
    names[number(table, name)] = name;
  }
  EXPECT_EQ(names.size(), 9U);
  for (const auto& [n, name] : names) EXPECT_TRUE(table.name(n) == name) << name.size();
  for (const auto& [n, name] : names) EXPECT_EQ(number(table, name), n);
}

// Only the upper half of a hash finds a name: the same half is not the same name.
TEST(NameTable, NamesOfOneHashAreKeptApart) {
  name_table table;
  const auto a = table.intern("a", 7);
  const auto b = table.intern("b", 7);
  EXPECT_NE(a, b);
  EXPECT_EQ(table.intern("a", 7), a);
  EXPECT_EQ(table.name(b), "b");
}

}  // namespace
}  // namespace tenure::cli
