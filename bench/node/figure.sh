# Sourced by the scripts beside it: runs of `tenure bench node`, a row each.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
tenure=${TENURE:-build/tenure}
seconds=${SECONDS_EACH:-20}
rate=${RATE:-400000}
together=${TOGETHER:-1}
folder=$(mktemp -d "${FOLDER:-build}/bench-node.XXXXXX")
trap 'rm -rf "$folder"' EXIT

# figure NAME FILE: a number out of a run's JSON.
figure() { sed -nE "s/^ *\"$1\": ([-0-9.e+]+),?\$/\1/p" "$2" | head -1; }

head_of_table() {
  echo "| $1 | flows/s | CPU-µs a flow | user | system | generator, CPU-µs a flow | steady: node, generator | late by at p50 and p99, ms | lost |"
  echo "|---|---|---|---|---|---|---|---|---|"
}

# row NAME OPTIONS...: one run; the whole of its figures stays in $kept, if that is set.
row() {
  local name=$1 out=$folder/run.json
  shift
  "$tenure" bench node --folder "$folder" --seconds "${seconds}s" --rate "$rate" --together "$together" --json "$out" "$@" \
    > "$folder/said" 2>&1 || { echo "| $name | failed: $(tail -1 "$folder/said") | | | | | | | |"; return 0; }
  [ -z "${KEEP:-}" ] || cat "$out" >> "$KEEP"
  local steady=-
  [ -z "$(figure steady_cpu_us_per_flow "$out")" ] ||
    steady=$(printf '%.3f, %.3f' "$(figure steady_cpu_us_per_flow "$out")" "$(figure steady_generator_cpu_us_per_flow "$out")")
  printf '| %s | %.0f | %.3f | %.3f | %.3f | %.3f | %s | %.0f, %.0f | %.0f |\n' "$name" "$(figure flows_per_second "$out")" \
    "$(figure cpu_us_per_flow "$out")" "$(figure user_us_per_flow "$out")" "$(figure system_us_per_flow "$out")" \
    "$(figure generator_cpu_us_per_flow "$out")" "$steady" "$(figure late_ms_p50 "$out")" "$(figure late_ms_p99 "$out")" "$(figure lost "$out")"
}
