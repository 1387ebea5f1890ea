/* SPDX-License-Identifier: MIT */
/*
 * disasm.h: instructions as text, where a disassembler was built in and is
 * there. It is loaded when first asked for: a run that ends well never needs it.
 */
#ifndef TRAPMAP_POSTMORTEM_DISASM_H
#define TRAPMAP_POSTMORTEM_DISASM_H

#include <stddef.h>
#include <stdint.h>

struct disasm;

/* How the processor reads code. */
enum disasm_mode {
	DISASM_16,
	DISASM_32,
	DISASM_64,
};

/*
 * Returns 0, -ENOSYS (built without), -ENOENT (the library is not installed) or
 * -ENOMEM.
 */
int disasm_new(struct disasm **ret_disasm);

/*
 * The first instruction of code, at address rip, in Intel's syntax, into text;
 * its length in bytes, or 0 where there is no whole valid one.
 */
unsigned disasm_one(struct disasm *disasm, enum disasm_mode mode, uint64_t rip,
		    const uint8_t *code, size_t len, char *text, size_t size);

/* Accepts NULL. Returns NULL. */
struct disasm *disasm_free(struct disasm *disasm);

#endif
