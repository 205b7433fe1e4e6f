#pragma once

#include <string>
#include <vector>

#include "tests/house/source_tree.hpp"

/// The rules of the house that a machine can see. Each check takes one file and says what is wrong with it, a
/// line a finding; nothing when the file is fine or no concern of the check.
namespace tenure::house {

using findings = std::vector<std::string>;

/// Time, randomness, waiting, the environment and arguments come in from outside: only the mains in cli/ and
/// the implementations that checks.cpp names, with the reason, touch the real ones.
findings reads_the_world(const source_file& f);

/// Folders include only what the table in docs/architecture.md lets them know; frameworks stay in their
/// folders; includes are written from the top of the tree.
findings knows_too_much(const source_file& f);

/// No code file above 400 lines.
findings grows_too_long(const source_file& f);

/// A name that says nothing draws everything into it.
findings names_nothing(const source_file& f);

/// Notes to come back later belong into an issue.
findings leaves_open(const source_file& f);

/// Paths that only one machine has.
findings names_a_machine(const source_file& f);

/// A header starts with `#pragma once`, a source with an include or a sentence; neither with a banner.
findings starts_badly(const source_file& f);

/// Files of the tree that a document links to, or names (`folder/file.hpp`), are there. @param tree all
/// files, to look them up.
findings links_nowhere(const source_file& f, const std::vector<source_file>& tree);

}  // namespace tenure::house
