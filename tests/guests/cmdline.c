// SPDX-License-Identifier: MIT
/*
 * cmdline.c: the command line arrives as it was given, byte by byte.
 *
 * case cmdline
 *	options: --params 'a  "b c" d='"'"'e'"'"' \x %s $HOME é'
 *	status: 0
 *	out: [a  "b c" d='e' \x %s $HOME é]
 * case cmdline-spaces-at-both-ends
 *	options: -p '  two  '
 *	status: 0
 *	out: [  two  ]
 * case cmdline-empty
 *	status: 0
 *	out: []
 * case cmdline-of-a-root-disk
 *	setup: truncate -s 64K $dir/one $dir/two
 *	options: -d $dir/one -d $dir/two,root
 *	status: 0
 *	out: [console=ttyS0 root=/dev/vdb rw]
 * case cmdline-and-a-root-disk
 *	setup: truncate -s 64K $dir/one
 *	options: -p ' quiet' -d $dir/one,root,ro
 *	status: 0
 *	out: [ quiet root=/dev/vda ro]
 * case cmdline-long
 *	options: -p "$(printf %02000d 7)"
 *	status: 0
 *	match: ^\[0{1999}7\]$
 * case trace-says-where
 *	options: --trace $dir/trace
 *	status: 0
 *	check: grep -q '"addr":"0x3f8".*"rip":"0x1' $dir/trace
 */
#include "guest.h"

int guest_main(void)
{
	print("[%s]\n", boot_cmdline());
	return 0;
}
