#!/bin/sh
# Fails when clang-format would change a source file. First it shows that it would see one.
# Usage: formatting.sh CLANG_FORMAT SOURCE_DIR
set -eu
clang_format=$1
cd "$2"
if printf 'int  planted( ){return 1 ;}\n' | "$clang_format" --dry-run -Werror --assume-filename=planted.cpp 2>/dev/null; then
  echo "clang-format did not see a line that is badly formatted: this check is blind"
  exit 1
fi
find . -type d \( -name .git -o -name build -o -name 'build-*' \) -prune -o -type f \( -name '*.[ch]' -o -name '*.[ch]pp' \) -print0 |
  xargs -0 "$clang_format" --dry-run -Werror || { echo "'make format' mends it"; exit 1; }
