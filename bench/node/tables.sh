#!/bin/bash
# What a flow costs a node, over what grows: tables.sh [budget|batches|tls|agents|addresses|evidence|hold|release|sustained]...
# SECONDS_EACH (20), RATE (400000), TOGETHER (batches that an agent sends at once, 1), AGENTS (how many connections),
# TO (of budget: "blocks ndjson"), ROUNDS (how many times all of it, 1), HOLD, TENURE, FOLDER (where files go) and KEEP
# (a file for all figures) come from the environment. "Steady" is the part of a run in which the hold is full and flows
# still come. `sustained` takes five minutes at RATE.
. "$(dirname "$0")/figure.sh"

# What the budgets are about. The hold is longer than the heartbeat, as it is when left at its default: in a
# shorter one most flows are asked about before their proof has come, which costs more than to find it.
budget() {
  head_of_table "to, a hold of ${HOLD:-15s}, $together batches a write"
  for to in ${TO:-blocks ndjson}; do row "$to" --to "$to" --hold "${HOLD:-15s}"; done
}

batches() {
  for to in ndjson blocks; do
    head_of_table "flows a batch, to $to"
    for b in 5 20 50 200; do row "$b" --batch "$b" --to "$to"; done
  done
}

# A certificate for both ends of the bench, of an authority that nobody else knows.
certificates() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=bench -days 2 \
    -keyout "$folder/ca.key" -out "$folder/ca.pem" 2> /dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=bench -keyout "$folder/key.pem" \
    -out "$folder/request.pem" 2> /dev/null
  printf 'subjectAltName=URI:spiffe://bench/tenure/bench\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\nbasicConstraints=CA:FALSE\n' \
    > "$folder/extensions"
  openssl x509 -req -in "$folder/request.pem" -CA "$folder/ca.pem" -CAkey "$folder/ca.key" -CAcreateserial -days 1 \
    -extfile "$folder/extensions" -out "$folder/certificate.pem" 2> /dev/null
}

tls() {
  certificates
  head_of_table "with TLS, to"
  for to in ndjson blocks; do
    row "$to" --to "$to" --tls-certificate "$folder/certificate.pem" --tls-key "$folder/key.pem" \
      --tls-authority "$folder/ca.pem"
  done
}

# The hold is the default one: how far ahead pings are promised follows from it. Steady for as long as the others run.
agents() {
  local each=$seconds h=${HOLD:-60s} n
  seconds=$((${h%s} + 4 + each))
  head_of_table "connections, a hold of $h"
  for n in ${AGENTS:-10 100 1000 10000}; do row "$n" --agents "$n" --hold "$h"; done
  seconds=$each
}

# The hold is the default one: in one shorter than a heartbeat most flows are asked about before their proof has come.
addresses() {
  local each=$seconds h=${HOLD:-60s} n
  seconds=$((${h%s} + 4 + each))
  head_of_table "addresses, a hold of $h"
  for n in 10000 100000 1000000 10000000; do row "$n" --addresses "$n" --hold "$h"; done
  seconds=$each
}

# What a flow and what a piece of evidence costs, apart: evidence comes as fast whatever the rate, so a straight
# line through half the rate and the whole rate tells them from each other. ADDRESSES says for which numbers.
evidence() {
  local n line out=$folder/apart full=$rate
  echo "| addresses, line through two rates | CPU-µs a flow | CPU-µs a piece of evidence | evidence/s | lost |
|---|---|---|---|---|" > "$out"
  head_of_table "addresses, rate"
  for n in ${ADDRESSES:-10000 1000000 10000000}; do
    line=$n
    for rate in $((full / 2)) "$full"; do
      row "$n, $rate" --addresses "$n"
      for name in flows cpu_us_per_flow evidence lost; do line+=" $(figure $name "$folder/run.json")"; done
    done
    rate=$full
    echo "$line" | awk -v s="$seconds" '{ slow = $2 * $3; fast = $6 * $7; det = $2 * $8 - $6 * $4;
      flow = (slow * $8 - fast * $4) / det; piece = ($2 * fast - $6 * slow) / det;
      printf "| %d | %.3f | %.3f | %d | %d |\n", $1, flow, piece, $8 / s, $5 + $9 }' >> "$out"
  done
  echo
  cat "$out"
}

hold() {
  head_of_table "hold"
  local each=$seconds h
  for h in 1 10 60 120; do
    # Full for as long as the others run: what comes is then what goes.
    seconds=$((h + 2 + each))
    row "${h}s" --hold "${h}s"
  done
  seconds=$each
}

# Also when flows came out, each counted from its own close.
release() {
  local r name delays=$folder/delays
  echo "| release, a hold of 20 s | from close to output, s, at p10 | p50 | p90 | p99 |
|---|---|---|---|---|" > "$delays"
  head_of_table "release; late against a hold of 20 s"
  for r in full early; do
    row "$r" --release "$r" --hold 20s
    printf '| %s ' "$r" >> "$delays"
    for name in p10 p50 p90 p99; do
      printf '| %.1f ' "$(figure "close_to_output_ms_$name" "$folder/run.json")e-3" >> "$delays"
    done
    echo '|' >> "$delays"
  done
  echo
  cat "$delays"
}

sustained() {
  local each=$seconds
  seconds=300
  head_of_table "five minutes, a hold of ${HOLD:-60s}"
  row "$rate flows/s" --hold "${HOLD:-60s}"
  seconds=$each
}

for _ in $(seq "${ROUNDS:-1}"); do
  for table in "${@:-batches}"; do
    "$table"
    echo
  done
done
