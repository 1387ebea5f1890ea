# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# record.sh: the results that the table of boot formats is made of (table.py): in the
# folder $TRAPMAP_RESULTS a file for each host, with a line of JSON for each result:
#
#	{"host": "amd", "format": "flat", "guest": "tiny", "case": "hello",
#	 "result": "passed|failed|skipped", "reason": "..."}
#
# Sourced, never run.

# format_of SOURCE CASE: what a tiny guest's head says of it, see run.sh.
format_of() {
	awk -v want="$2" '
		NR > 1 && /\*\// { exit }
		/^ \* case / { on = $3 == want; cases = 1 }
		/^ \*\tformat: / && on { sub(/^ \*\tformat: */, ""); own = $0 }
		/^ \* format: / && !cases { sub(/^ \* format: */, ""); all = $0 }
		END { print own ? own : all ? all : "ELF by linux64" }
	' "$1"
}

# record HOST FORMAT GUEST CASE RESULT [REASON]: GUEST is tiny or stock. Each line is
# one write, so that tests that run at once may share a file.
record() {
	[ -n "${TRAPMAP_RESULTS:-}" ] || return 0
	mkdir -p "$TRAPMAP_RESULTS"
	why=$(printf '%s' "${6:-}" | head -n 1 | cut -c 1-300 |
		tr -d '\000-\037' | sed 's/["\\]/\\&/g')
	printf '{"host": "%s", "format": "%s", "guest": "%s", "case": "%s", "result": "%s", "reason": "%s"}\n' \
		"$1" "$2" "$3" "$4" "$5" "$why" >>"$TRAPMAP_RESULTS/$1.jsonl"
}
