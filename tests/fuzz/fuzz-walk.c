// SPDX-License-Identifier: MIT
/*
 * Page tables and control registers out of any bytes. The input begins with
 * CR0, CR3, CR4, EFER, MAXPHYADDR and an address, 8 bytes each; what follows is
 * RAM, over and over. A walk ends, with as many levels as there can be; what is
 * read comes from RAM; and a triple fault there is explained in one line.
 */
#include <linux/kvm.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "postmortem/fault.h"
#include "postmortem/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define HEAD 48
#define RAM_LEN 0x8000

static void check_walk(const struct gmem *gm, const struct walk_mode *mode,
		       uint64_t linear)
{
	uint8_t buf[64];
	struct walk w;
	unsigned i;
	size_t n;

	walk_linear(gm, mode, linear, &w);
	if (w.levels > WALK_LEVELS)
		abort();
	for (i = 0; i < w.levels; i++)
		if (!w.level[i].name)
			abort();
	if (w.end == WALK_MAPPED &&
	    (w.page_size < KIB(4) || w.gpa % KIB(4) != linear % KIB(4)))
		abort();
	n = walk_read(gm, mode, linear, buf, sizeof(buf));
	if (n > sizeof(buf))
		abort();
	if (n > 0 && w.end != WALK_MAPPED && w.end != WALK_NO_PAGING)
		abort();
}

static void check_fault(const struct gmem *gm, const struct walk_mode *mode,
			uint64_t linear, uint8_t seed)
{
	struct kvm_regs regs = { .rip = linear,
				 .rsp = linear + seed * 64,
				 .rflags = seed & 1 ? BIT64(16) : 2 };
	struct kvm_sregs sregs = { .cr0 = mode->cr0,
				   .cr2 = linear + seed,
				   .cr3 = mode->cr3,
				   .cr4 = mode->cr4,
				   .efer = mode->efer };
	struct kvm_vcpu_events events = { .exception.nr = seed >> 3 };
	char text[256];

	sregs.cs.l = seed >> 1 & 1;
	sregs.cs.db = seed >> 2 & 1;
	sregs.ss.db = sregs.cs.db;
	sregs.ss.dpl = seed >> 6;
	sregs.ss.limit = UINT32_MAX;
	sregs.idt.base = linear + KIB(4);
	sregs.idt.limit = 0x1ff;
	sregs.gdt.base = linear;
	sregs.gdt.limit = 0xffff;
	sregs.tr.base = linear + 0x100;
	sregs.tr.limit = 0x67;
	sregs.tr.type = seed & 8 ? 11 : 3;
	fault_explain(&regs, &sregs, &events, gm, text, sizeof(text));
	if (strchr(text, '\n') || strlen(text) >= sizeof(text))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct walk_mode mode;
	struct gmem gm = { 0 };
	uint64_t linear;
	uint8_t *ram;
	size_t i;

	if (len <= HEAD)
		return 0;
	mode = (struct walk_mode){ .cr0 = get_le64(data),
				   .cr3 = get_le64(data + 8),
				   .cr4 = get_le64(data + 16),
				   .efer = get_le64(data + 24),
				   .phys_bits = (unsigned)get_le64(data + 32) };
	linear = get_le64(data + 40);
	ram = malloc(RAM_LEN);
	if (!ram || gmem_add(&gm, 0, RAM_LEN, ram) < 0)
		abort();
	for (i = 0; i < RAM_LEN; i++)
		ram[i] = data[HEAD + i % (len - HEAD)];

	check_walk(&gm, &mode, linear);
	check_walk(&gm, &mode, linear + KIB(4) - 8);
	check_walk(&gm, &mode, UINT64_MAX);
	for (i = 0; i < 8; i++)
		check_fault(&gm, &mode, linear, data[HEAD + i % (len - HEAD)]);
	free(ram);
	return 0;
}
