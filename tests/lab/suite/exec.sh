# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
#
# exec.sh: "trapmap exec": commands of the outer machine in its guests. A part of
# suite.sh.

exec_jobs() {
	run='trapmap exec --timeout 80 --log log'
	# The host's files by 9p, and two folders of them to write to, of which one
	# lies where the guest has a filesystem of its own; so does a file that is
	# named.
	job exec-9p 90 7 "mkdir -p '/dev/shm/a folder/below' made /dev/shm/deep;
		echo 'of the host' >/dev/shm/deep/file;
		echo 'to the command' | SAID='by the environment'
		$run -k /lab/generic/vmlinuz -c 2 --report report.json
		--share '/dev/shm/a folder' --share made
		-- $here/exec.sh '/dev/shm/a folder' made /dev/shm/deep/file;
		status=\$?; ls made >listed; cat made/* '/dev/shm/a folder/below/file'
		>collected; rm -r '/dev/shm/a folder' /dev/shm/deep; exit \$status"
	# Copied, with the libraries of a program; killed by a signal.
	job exec-copied 90 143 "$run -k /lab/cloud/vmlinuz --copy $trapmap
		-- /bin/busybox sh -c 'uname -r; $trapmap --version;
		echo to stderr >&2; kill -TERM \$\$'"
	# Much at once in three directions; a reader who goes away.
	job exec-bytes 90 0 "dd if=/dev/urandom of=/dev/shm/in bs=1M count=10
		2>/dev/null;
		$run -k /lab/generic/vmlinuz -- /bin/busybox tee /dev/stderr
		</dev/shm/in >/dev/shm/out 2>/dev/shm/err; status=\$?;
		for file in out err; do cmp /dev/shm/in /dev/shm/\$file && echo same;
		done >compared; rm /dev/shm/in /dev/shm/out /dev/shm/err;
		exit \$status"
	job exec-pipe 90 0 "{ $run -k /lab/generic/vmlinuz -- /bin/busybox yes;
		echo \$? >of-yes; } | head -n 2"
	# Some that cannot be.
	job exec-none 10 127 "$run -k /lab/cloud/vmlinuz -- no-such-command"
	job exec-no-9p 10 125 "$run -k /lab/cloud/vmlinuz --share . -- sh"
	job exec-panic 60 125 "$run -k /lab/cloud/vmlinuz -p rdinit=/none -- sh"
	job exec-time-out 60 124 "$run -k /lab/cloud/vmlinuz --timeout 14
		-- /bin/busybox sleep 1000"
}

exec_checks() {
	ended exec-9p 7
	tr -d '\r' <"$out/stdout" >"$out/console" 2>/dev/null
	is "$(field kernel), $(field CPUs)" "$(release_of generic), 2" \
		"exec-9p: it runs on that kernel"
	is "$(field input); $(field said); $(field folder)" \
		"to the command; by the environment; /results/exec-9p" \
		"exec-9p: it has its input, its environment, its folder"
	is "$(field program)" "$("$trapmap" --version)" \
		"exec-9p: it runs a program of the host with its libraries"
	is "$(field root)" "touch: /new: Read-only file system" \
		"exec-9p: the host's files are read-only"
	is "$(field own)" "kept" "exec-9p: but /tmp is its own"
	is "$(field kept)" "of the host" \
		"exec-9p: what its arguments name is there all the same"
	is "$(field module)" "overlay" "exec-9p: modprobe finds modules"
	is "$(left stderr)" "to stderr" "exec-9p: stderr has what it said there"
	is "$(left listed), $(left collected)" \
		"file, from the guest from the guest" \
		"exec-9p: what it wrote to shared folders is there"
	reported exec-9p "the report says that it powered off" <<-'END'
		verdict.kind = power-off
	END

	ended exec-copied 143
	is "$(left stdout)" "$(release_of cloud) $("$trapmap" --version)" \
		"exec-copied: a program is there with its libraries"
	is "$(left stderr)" "to stderr" "exec-copied: stderr is apart"

	ended exec-bytes 0
	is "$(left compared)" "same same" \
		"exec-bytes: 10 MiB of stdin came out on stdout and on stderr"
	ended exec-pipe 0
	is "$(left stdout), $(left of-yes)" "y y, 141" \
		"exec-pipe: a reader who goes away ends the writer"

	ended exec-none 127
	ended exec-no-9p 125
	told exec-no-9p "what the kernel lacks" "^trapmap: the kernel \
'/lab/cloud/vmlinuz' has no 9p over virtio .*, which --share needs"
	ended exec-panic 125
	told exec-panic "the kernel's panic, and that nothing was run" \
		'^trapmap: .*Kernel panic - not syncing' \
		'^trapmap: the guest ended before it ran the command$'
	ended exec-time-out 124
}

# "uname -r" of a kernel.
release_of() {
	"$here/fetch.sh" "$1" 2>/dev/null | while read -r folder; do
		for image in "$folder"/boot/vmlinuz-*; do
			echo "${image##*/vmlinuz-}"
		done
	done
}
