// SPDX-License-Identifier: MIT
/*
 * debugcon.c: both debug consoles can be told by what they read as; what is
 * written to them goes where --debugcon says, and never to the console.
 *
 * case debugcon-file
 *	options: --debugcon "file=$dir/dbg"
 *	status: 0
 *	out: console
 *	check: printf 'one\ntwo\nthree\n' | cmp - "$dir/dbg" && ! grep -q one "$dir/out"
 * case debugcon-stderr
 *	options: --debugcon stderr
 *	status: 0
 *	out: console
 *	err: ^two$
 * case debugcon-nowhere
 *	status: 0
 *	out: console
 *	check: ! grep -Eq 'one|two|three' "$dir/out" "$dir/err"
 * case debugcon-full
 *	options: --debugcon file=/dev/full
 *	status: 4
 *	err: debug console's output cannot be written: No space left
 */
#include <trapmap/guest_abi.h>

#include "guest.h"

static void say(uint16_t port, const char *s)
{
	for (; *s; s++)
		outb(port, (uint8_t)*s);
}

int guest_main(void)
{
	static const char three[] = "three\n";
	const char *s = three;
	uint64_t n = sizeof(three) - 1;

	CHECK_EQ(inb(TRAPMAP_DEBUGCON_PORT), 0xe9);
	CHECK_EQ(inb(TRAPMAP_DEBUGCON_PORT_2), 0xe9);
	say(TRAPMAP_DEBUGCON_PORT, "one\n");
	say(TRAPMAP_DEBUGCON_PORT_2, "two\n");
	/* As firmware does it: the whole line in one instruction. */
	asm volatile("rep outsb"
		     : "+S"(s), "+c"(n)
		     : "d"(TRAPMAP_DEBUGCON_PORT)
		     : "memory");
	print("console\n");
	return 0;
}
