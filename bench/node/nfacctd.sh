#!/bin/bash
# The same flows through pmacct's nfacctd (Debian's package pmacct), as NetFlow v5 with 65,536 static labels, and through
# a node: what each costs a flow, and the ratio. RATE (200000) and SECONDS_EACH (20) come from the environment.
RATE=${RATE:-200000}
. "$(dirname "$0")/figure.sh"
command -v nfacctd > /dev/null || { echo "nfacctd is missing: apt-get install pmacct" >&2; exit 3; }
port=${PORT:-$((20000 + $$ % 20000))}

# A number for each /24 of 10.0.0.0/8: what pmacct calls an AS.
awk 'BEGIN { for (a = 0; a < 256; ++a) for (b = 0; b < 256; ++b) printf "%d,10.%d.%d.0/24\n", 1 + a * 256 + b, a, b }' \
  > "$folder/networks"
cat > "$folder/nfacctd.conf" << END
daemonize: false
nfacctd_ip: 127.0.0.1
nfacctd_port: $port
nfacctd_pipe_size: 67108864
nfacctd_as: file
networks_file: $folder/networks
plugins: print[all]
aggregate[all]: src_host, src_port, dst_host, dst_port, proto, src_as, dst_as, timestamp_start, timestamp_end
print_output[all]: csv
print_output_file[all]: $folder/flows.csv
print_output_file_append[all]: true
print_refresh_time[all]: 5
print_cache_entries[all]: 2000003
plugin_pipe_size[all]: 268435456
plugin_buffer_size[all]: 65536
END
nfacctd -f "$folder/nfacctd.conf" > "$folder/nfacctd.log" 2>&1 &
nfacctd=$!
trap 'kill $nfacctd 2> /dev/null || true; wait $nfacctd 2> /dev/null || true; rm -rf "$folder"' EXIT
for _ in $(seq 100); do grep -q 'waiting for NetFlow' "$folder/nfacctd.log" && break; sleep 0.1; done

# User and system time of nfacctd and its plugin, writers that it forked and that have ended among them.
ticks() {
  local all=0 used p
  for p in $nfacctd $(pgrep -P $nfacctd); do
    used=$(sed 's/.*) //' "/proc/$p/stat" 2> /dev/null | awk '{ print $12 + $13 + $14 + $15 }') || true # it has ended
    all=$((all + ${used:-0}))
  done
  echo "$all"
}
before=$(ticks)
"${SENDER:-build/bench/netflow_sender}" --port "$port" --rate "$rate" --seconds "$seconds" > "$folder/sent"
sleep 12 # two refreshes
after=$(ticks)
sent=$(awk '{ print $1 }' "$folder/sent")
written=$(grep -vc '^SRC' "$folder/flows.csv")
cost=$(awk -v t=$((after - before)) -v hz="$(getconf CLK_TCK)" -v n="$written" 'BEGIN { printf "%.3f", 1e6 * t / hz / n }')
echo "nfacctd: $sent flows sent, $written rows, $cost CPU-µs a row; the sender: $(cat "$folder/sent")"
kill $nfacctd; wait $nfacctd 2> /dev/null || true

"$tenure" bench node --folder "$folder" --seconds "${seconds}s" --rate "$rate" --to ndjson --json "$folder/run.json" > /dev/null
ours=$(figure cpu_us_per_flow "$folder/run.json")
echo "tenure: $(figure flows "$folder/run.json") flows, $(figure lost "$folder/run.json") lost, $ours CPU-µs a flow"
awk -v a="$cost" -v b="$ours" 'BEGIN { printf "nfacctd takes %.2f times as much CPU a flow\n", a / b }'
