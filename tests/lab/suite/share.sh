# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
#
# share.sh: a folder of the outer machine's, shared thrice. A part of suite.sh.

share_jobs() {
	shared=/dev/shm/shared/folder
	before="sh $here/share.sh make $shared;"
	after="sh $here/share.sh check $shared >checked; rm -r ${shared%/*}"
	more="--fail-on panic,splat --share $shared
		--share $shared,tag=loose --share $shared,tag=ro,ro"
	limit=180
	boot share-2cpu /lab/generic/vmlinuz 2 512 0 \
		trapmap.modules=virtio_mmio,9p,9pnet_virtio trapmap.share=share
}

share_checks() {
	out=$results/share-2cpu
	is "$(field read), $(field cached), $(field again)" \
		"10 files as they were, 200 files as they were, 200 files as they were" \
		"share-2cpu: what it reads is what is there, cached and not"
	is "$(field links)" "a line, $(field large), nothing" \
		"share-2cpu: links lead where they should, and not outside"
	is "$(field run), $(field 'run cached')" \
		"a program of the host, and again" \
		"share-2cpu: it runs a program out of the folder"
	is "$(field open)" "still there 12" \
		"share-2cpu: what is open stays after its name is gone"
	is "$(field read-only)" "touch: /ro/new: Read-only file system" \
		"share-2cpu: a read-only share refuses to be written to"
	is "$(cat "$out/checked" 2>/dev/null)" "$(
		printf '%-14s: %s\n' made 'a line, renamed, 600 2, 4 names' \
			written "$(field sum)" copied 'all, 640'
	)" "share-2cpu: what it makes, writes and copies is there"
}
