#include "tests/house/source_tree.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace tenure::house {

std::string_view source_file::folder() const {
  const std::string_view p = path;
  const auto slash = p.find('/');
  return slash == std::string_view::npos ? std::string_view{} : p.substr(0, slash);
}

std::string_view source_file::extension() const {
  const std::string_view p = path;
  const auto dot = p.rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : p.substr(dot);
}

std::string_view source_file::stem() const {
  std::string_view name = path;
  if (const auto slash = name.rfind('/'); slash != std::string_view::npos) name.remove_prefix(slash + 1);
  return name.substr(0, name.find('.'));
}

bool source_file::code() const {
  const auto e = extension();
  return e == ".cpp" || e == ".hpp" || e == ".c" || e == ".h";
}

std::vector<std::string_view> source_file::lines() const {
  std::vector<std::string_view> result;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    result.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return result;
}

std::vector<source_file> read_tree(const std::filesystem::path& root) {
  namespace fs = std::filesystem;
  std::vector<source_file> result;
  for (auto it = fs::recursive_directory_iterator(root); it != fs::recursive_directory_iterator(); ++it) {
    const auto name = it->path().filename().string();
    const bool build = it.depth() == 0 && name.starts_with("build");
    if (name == ".git" || build || name == ".cache" || name == "node_modules") {
      it.disable_recursion_pending();
      continue;
    }
    if (!it->is_regular_file()) continue;
    std::ifstream in(it->path(), std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    if (text.find('\0') != std::string::npos) continue;
    result.push_back({fs::relative(it->path(), root).generic_string(), std::move(text)});
  }
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return result;
}

std::string only_code(std::string_view line) {
  std::string result;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
      continue;
    }
    if (c == '"') quoted = true;
    if (c == '/' && i + 1 < line.size() && line[i + 1] == '/') break;
    result += c;
  }
  return result;
}

}  // namespace tenure::house
