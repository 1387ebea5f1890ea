// SPDX-License-Identifier: MIT
/*
 * test-kernel.c: what a test kernel in Rust with a test framework of its own
 * prints, and how it ends: 0x10 to port 0xf4 for success, 0x11 for failure.
 *
 * case test-kernel
 *	status: 33
 *	out: Running 2 tests
 *	out: kernel::trivial_assertion...	[ok]
 * case test-kernel-fails
 *	options: --params fail
 *	status: 35
 *	match: ^kernel::println_works...	\[failed\]$
 *	err: status 35
 * case packed-gz
 *	format: compressed ELF
 *	if: command -v gzip >/dev/null
 *	setup: gzip -c "$guest" >$dir/packed; guest=$dir/packed
 *	status: 33
 * case packed-xz
 *	format: compressed ELF
 *	if: echo | xz -c >/dev/null
 *	setup: xz -c "$guest" >$dir/packed; guest=$dir/packed
 *	status: 33
 * case packed-zst
 *	format: compressed ELF
 *	if: command -v zstd >/dev/null
 *	setup: zstd -cq "$guest" >$dir/packed; guest=$dir/packed
 *	status: 33
 * case packed-lz4
 *	format: compressed ELF
 *	if: command -v lz4 >/dev/null
 *	setup: lz4 -cq "$guest" >$dir/packed; guest=$dir/packed
 *	status: 33
 */
#include <trapmap/guest_abi.h>

#include "guest.h"

#define SUCCESS 0x10
#define FAILED 0x11

int guest_main(void)
{
	bool fail = !strcmp(boot_cmdline(), "fail");

	print("Running 2 tests\n");
	print("kernel::trivial_assertion...\t[ok]\n");
	print("kernel::println_works...\t%s\n", fail ? "[failed]" : "[ok]");
	outl(TRAPMAP_DEBUG_EXIT_PORT, fail ? FAILED : SUCCESS);
	halt_forever();
}
