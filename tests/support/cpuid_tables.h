/* SPDX-License-Identifier: MIT */
/*
 * cpuid_tables.h: what KVM_GET_SUPPORTED_CPUID could give on two made-up hosts,
 * one by Intel's manual and one by AMD's, with the host's own topology in it.
 */
#ifndef TRAPMAP_TEST_CPUID_TABLES_H
#define TRAPMAP_TEST_CPUID_TABLES_H

#include <stdlib.h>
#include <string.h>

#include <linux/kvm.h>

/* A leaf without and with subleaves. */
#define L(fn, a, b, c, d) \
	{ .function = fn, .eax = a, .ebx = b, .ecx = c, .edx = d }
#define S(fn, sub, a, b, c, d) \
	{ .function = fn, .index = sub, .flags = 1, \
	  .eax = a, .ebx = b, .ecx = c, .edx = d }

/* XSAVE with AVX, AVX-512 and PKU; a PMU; leaf 0x1f; 16 threads of 8 cores. */
static const struct kvm_cpuid_entry2 intel_host[] = {
	L(0x0, 0x1f, 0x756e6547, 0x6c65746e, 0x49656e69),
	L(0x1, 0x000606a6, 0x0b100800, 0xfefab203, 0x1f8bfbff),
	S(0x4, 0, 0x3c004121, 0x01c0003f, 0x3f, 0),
	S(0x4, 1, 0x3c004122, 0x01c0003f, 0x3f, 0),
	S(0x4, 2, 0x3c004143, 0x01c0003f, 0x3ff, 0),
	S(0x4, 3, 0x3c03c163, 0x01c0003f, 0x7fff, 4),
	S(0x4, 4, 0, 0, 0, 0),
	L(0x6, 0x77, 2, 9, 0),
	S(0x7, 0, 2, 0xf1bf07ab, 0x00405fce, 0xbc000410),
	S(0x7, 1, 0x30, 0, 0, 0),
	L(0xa, 0x07300802, 0, 0, 0x603),
	S(0xb, 0, 1, 2, 0x100, 0x0b),
	S(0xb, 1, 4, 16, 0x201, 0x0b),
	S(0xb, 2, 0, 0, 2, 0x0b),
	S(0xb, 3, 0, 0, 3, 0x0b),
	S(0xd, 0, 0x2e7, 0xa88, 0xa88, 0),
	S(0xd, 1, 0xf, 0xa48, 0, 0),
	S(0xd, 2, 0x100, 0x240, 0, 0),
	S(0xd, 5, 0x40, 0x440, 0, 0),
	S(0xd, 6, 0x200, 0x480, 0, 0),
	S(0xd, 7, 0x400, 0x680, 0, 0),
	S(0xd, 9, 8, 0xa80, 0, 0),
	L(0x15, 0, 0, 0, 0),
	L(0x16, 0, 0, 0, 0),
	S(0x1f, 0, 1, 2, 0x100, 0x0b),
	S(0x1f, 1, 4, 16, 0x201, 0x0b),
	S(0x1f, 2, 0, 0, 2, 0x0b),
	S(0x1f, 3, 0, 0, 3, 0x0b),
	L(0x80000000, 0x80000008, 0, 0, 0),
	L(0x80000001, 0, 0, 0x121, 0x2c100800),
	L(0x80000002, 0x6564614d, 0x2070752d, 0x00555043, 0),
	L(0x80000003, 0, 0, 0, 0),
	L(0x80000004, 0, 0, 0, 0),
	L(0x80000007, 0, 0, 0, 0x100),
	L(0x80000008, 0x302e, 0, 0, 0),
	L(0x40000000, 0x40000001, 0x4b4d564b, 0x564b4d56, 0x4d),
	L(0x40000001, 0x01007efb, 0, 0, 0),
};

/* XSAVE with AVX; 128 threads in the host, none of it known to KVM. */
static const struct kvm_cpuid_entry2 amd_host[] = {
	L(0x0, 0x16, 0x68747541, 0x444d4163, 0x69746e65),
	L(0x1, 0x00a10f11, 0x05800800, 0xfef83203, 0x178bfbff),
	L(0x6, 4, 0, 0, 0),
	S(0x7, 0, 1, 0x219c07ab, 0x00000004, 0),
	S(0xb, 0, 0, 0, 0, 5),
	S(0xd, 0, 7, 0x340, 0x340, 0),
	S(0xd, 1, 0xf, 0x340, 0, 0),
	S(0xd, 2, 0x100, 0x240, 0, 0),
	L(0x15, 0, 0, 0, 0),
	L(0x16, 0, 0, 0, 0),
	L(0x80000000, 0x80000021, 0x68747541, 0x444d4163, 0x69746e65),
	L(0x80000001, 0x00a10f11, 0x40000000, 0x004003f7, 0x2fd3fbff),
	L(0x80000002, 0, 0, 0, 0),
	L(0x80000003, 0, 0, 0, 0),
	L(0x80000004, 0, 0, 0, 0),
	L(0x80000007, 0, 0, 0, 0x100),
	L(0x80000008, 0x3030, 0x01005205, 0x0001707f, 0),
	L(0x8000000a, 1, 8, 0, 0x119b9cff),
	S(0x8000001d, 0, 0x00004121, 0x01c0003f, 0x3f, 0),
	S(0x8000001d, 1, 0x00004122, 0x01c0003f, 0x3f, 0),
	S(0x8000001d, 2, 0x00004143, 0x01c0003f, 0x7ff, 2),
	S(0x8000001d, 3, 0x0003c163, 0x03c0003f, 0x7fff, 1),
	S(0x8000001d, 4, 0, 0, 0, 0),
	L(0x8000001e, 5, 0x102, 0x301, 0),
	L(0x80000021, 0x45, 0, 0, 0),
	L(0x40000000, 0x40000001, 0x4b4d564b, 0x564b4d56, 0x4d),
	L(0x40000001, 0x01007efb, 0, 0, 0),
};

#undef L
#undef S

/* A copy with room for more. */
static inline struct kvm_cpuid2 *cpuid_table(const struct kvm_cpuid_entry2 *e,
					     size_t count)
{
	struct kvm_cpuid2 *t =
		calloc(1, sizeof(*t) + (count + 100) * sizeof(*e));

	if (!t)
		abort();
	t->nent = (__u32)count;
	if (count)
		memcpy(t->entries, e, count * sizeof(*e));
	return t;
}

static inline void cpuid_table_free(struct kvm_cpuid2 *table)
{
	free(table);
}

#endif
