#!/bin/sh
# SPDX-License-Identifier: MIT
#
# memory.sh TRAPMAP GUEST [MIB...]: the private resident memory of a trapmap
# that runs GUEST, which must stay, with each amount of guest memory: all, the
# guest's own pages (the mapping is known by its size), and what is left. Where
# that is over LIMIT KiB (2048), by mapping.

trapmap=$1 guest=$2
shift 2
[ $# -gt 0 ] || set -- 1 64 8192
limit=${LIMIT:-2048}

pid=
out=$(mktemp) || exit 1
trap 'kill "$pid" 2>/dev/null; rm -f "$out"' EXIT

printf '  %-34s %9s %9s %9s\n' "private resident (KiB)" all guest rest
for mib in "$@"; do
	"$trapmap" run -q --serial=null -m "$mib" "$guest" \
		</dev/null >"$out" 2>&1 &
	pid=$!
	# Until the guest runs, and has settled.
	tenths=0
	until grep -q '^trapmap-cpu0' "/proc/$pid"/task/*/comm 2>/dev/null ||
		[ $((tenths += 1)) -gt 100 ]; do
		sleep 0.1
	done
	sleep 1
	if ! cp "/proc/$pid/smaps" "$out"; then
		echo "  -m $mib: it does not run: $(cat "$out")"
		continue
	fi
	kill "$pid"
	wait "$pid" 2>/dev/null
	awk -v mib="$mib" -v limit="$limit" '
		/^[0-9a-f]+-[0-9a-f]+ / { name = $6 == "" ? "(anonymous)" : $6 }
		/^Size:/ { if ($2 == mib * 1024) name = "guest" }
		/^Private_(Clean|Dirty):/ { kib[name] += $2; all += $2 }
		END {
			rest = all - kib["guest"]
			printf "  -m %-31s %9d %9d %9d\n", mib, all,
				kib["guest"], rest
			if (rest > limit)
				for (name in kib)
					if (kib[name] && name != "guest")
						printf "    %8d %s\n",
							kib[name], name
		}' "$out"
done
pid=
