// SPDX-License-Identifier: MIT
/*
 * cpuid.c: what one vCPU says of itself. Sources: Intel SDM volume 2A, CPUID;
 * AMD APM volume 3, appendix E; Linux's Documentation/virt/kvm/x86/cpuid.rst.
 *
 * KVM reports the host's own numbers where a number is about this very
 * processor (APIC id, siblings, cache sharing), and none where it cannot know
 * (frequencies); those are set here. All other leaves stay as KVM gave them.
 *
 * Caches of levels 1 and 2 are a core's, the last one is a socket's. Not here: dies
 * and NUMA nodes.
 */
#include "x86/cpuid.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base.h"
#include "x86/cpu_models.h"
#include "x86/cpuid_features.h"

#define LEAF_KVM 0x40000000u
#define LEAF_KVM_FREQUENCY 0x40000010u
#define LEAF_EXTENDED 0x80000000u

/* Leaf 1 */
#define ECX_X2APIC BIT(21)
#define ECX_TSC_DEADLINE BIT(24)
#define ECX_OSXSAVE BIT(27)
#define ECX_HYPERVISOR BIT(31)
#define ECX_PDCM BIT(15)
#define EDX_HTT BIT(28)

/* Leaf 0x80000001 */
#define ECX_TOPOLOGY_EXTENSIONS BIT(22)

struct table {
	struct kvm_cpuid2 *t;
	unsigned capacity;
	const struct cpuid_params *p;
	bool full;
};

static unsigned at_most(unsigned n, unsigned max)
{
	return n < max ? n : max;
}

struct kvm_cpuid_entry2 *cpuid_find(struct kvm_cpuid2 *table, uint32_t leaf,
				    uint32_t subleaf)
{
	uint32_t i;

	for (i = 0; i < table->nent; i++) {
		struct kvm_cpuid_entry2 *e = &table->entries[i];

		if (e->function == leaf &&
		    (e->index == subleaf ||
		     !(e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX)))
			return e;
	}
	return NULL;
}

bool cpuid_feature(const struct kvm_cpuid2 *table, const char *name)
{
	struct kvm_cpuid_entry2 *e;
	const struct cpuid_word *word;
	struct cpuid_bit bit;

	if (cpuid_bit_find(name, strlen(name), &bit))
		return false;
	word = &cpuid_words[bit.word];
	/* The entry is only read. */
	e = cpuid_find((struct kvm_cpuid2 *)table, word->leaf, word->subleaf);
	return e && *cpuid_register(e, word->reg) & BIT(bit.bit);
}

enum cpuid_vendor cpuid_vendor(const struct kvm_cpuid2 *table)
{
	const struct kvm_cpuid_entry2 *e =
		cpuid_find((struct kvm_cpuid2 *)table, 0, 0);
	char name[12];

	if (!e)
		return CPUID_OTHER;
	put_le32(name, e->ebx);
	put_le32(name + 4, e->edx);
	put_le32(name + 8, e->ecx);
	if (!memcmp(name, "GenuineIntel", 12))
		return CPUID_INTEL;
	if (!memcmp(name, "AuthenticAMD", 12) ||
	    !memcmp(name, "HygonGenuine", 12))
		return CPUID_AMD;
	return CPUID_OTHER;
}

/* The highest leaf of the range that starts at base; 0 if there is none. */
static uint32_t highest(const struct table *c, uint32_t base)
{
	const struct kvm_cpuid_entry2 *e = cpuid_find(c->t, base, 0);

	return e ? e->eax : 0;
}

/* Sets an entry, a new one if need be. flags as in KVM's API. */
static void set(struct table *c, struct kvm_cpuid_entry2 entry)
{
	struct kvm_cpuid_entry2 *e =
		cpuid_find(c->t, entry.function, entry.index);

	if (!e) {
		if (c->t->nent >= c->capacity) {
			c->full = true;
			return;
		}
		e = &c->t->entries[c->t->nent++];
	}
	*e = entry;
}

static void remove_subleaves(struct table *c, uint32_t leaf, uint32_t from)
{
	uint32_t i, kept = 0;

	for (i = 0; i < c->t->nent; i++) {
		const struct kvm_cpuid_entry2 *e = &c->t->entries[i];

		if (e->function != leaf || e->index < from)
			c->t->entries[kept++] = *e;
	}
	c->t->nent = kept;
}

/*
 * EBX has eight bits for the count of a socket's processors, which with Intel is
 * that of the ids there is room for.
 */
static void finish_leaf1(struct table *c)
{
	struct kvm_cpuid_entry2 *e = cpuid_find(c->t, 1, 0);
	const struct cpuid_params *p = c->p;
	unsigned cpus = topology_socket_cpus(&p->topology), count = cpus;

	if (!e)
		return;
	if (cpuid_vendor(c->t) != CPUID_AMD)
		count = 1u << topology_socket_shift(&p->topology);
	e->ebx = (e->ebx & 0xffff) | at_most(count, 255) << 16 |
		 (p->apic_id & 0xff) << 24;
	/* OSXSAVE mirrors CR4; KVM keeps it up to date while the vCPU runs. */
	e->ecx &= ~(ECX_OSXSAVE | ECX_X2APIC | ECX_TSC_DEADLINE);
	e->ecx |= ECX_HYPERVISOR | (p->x2apic ? ECX_X2APIC : 0) |
		  (p->tsc_deadline ? ECX_TSC_DEADLINE : 0);
	e->edx &= ~EDX_HTT;
	if (cpus > 1)
		e->edx |= EDX_HTT;
}

/*
 * Leaf 4 and AMD's 0x8000001d describe one cache per subleaf, and in EAX who
 * shares it: for how many ids it is, in 12 bits, and with Intel how many cores a
 * socket has room for, in six; leaf 0xb has the truth beyond that.
 */
static void finish_caches(struct table *c)
{
	const struct topology *t = &c->p->topology;
	unsigned core = topology_core_shift(t);
	unsigned socket = topology_socket_shift(t);
	uint32_t cores = at_most(1u << (socket - core), 64), i;

	for (i = 0; i < c->t->nent; i++) {
		struct kvm_cpuid_entry2 *e = &c->t->entries[i];
		unsigned ids = 1u << ((e->eax >> 5 & 7) >= 3 ? socket : core);

		if (e->function != 4 && e->function != 0x8000001d)
			continue;
		if (!(e->eax & 0x1f)) /* no cache: the end of the list */
			continue;
		e->eax = (e->eax & 0x3fff) | (at_most(ids, 4096) - 1) << 14;
		if (e->function == 4)
			e->eax |= (cores - 1) << 26;
	}
}

/* Leaf 0xb and, where the host has it, its successor 0x1f. */
static void finish_topology(struct table *c, uint32_t leaf)
{
	struct kvm_cpuid_entry2 e = {
		.function = leaf,
		.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
		.edx = c->p->apic_id,
	};
	const struct topology *t = &c->p->topology;

	if (highest(c, 0) < leaf)
		return;
	e.eax = topology_core_shift(t);
	e.ebx = t->threads;
	e.ecx = 1 << 8; /* the threads of a core */
	set(c, e);

	e.index = 1;
	e.eax = topology_socket_shift(t);
	e.ebx = topology_socket_cpus(t);
	e.ecx = 2 << 8 | 1; /* the cores of a package */
	set(c, e);

	e.index = 2;
	e.eax = 0;
	e.ebx = 0;
	e.ecx = 2; /* no more levels */
	set(c, e);
	remove_subleaves(c, leaf, 3);
}

static void finish_amd(struct table *c)
{
	struct kvm_cpuid_entry2 *e = cpuid_find(c->t, 0x80000001, 0);
	const struct topology *t = &c->p->topology;
	unsigned cpus = topology_socket_cpus(t);
	unsigned core = topology_core_shift(t);
	unsigned socket = topology_socket_shift(t);
	uint32_t id = c->p->apic_id;

	/* CmpLegacy: what HTT counts are cores, whatever else they are. */
	if (e)
		e->ecx = (e->ecx & ~BIT(1)) | (cpus > 1 ? BIT(1) : 0);

	e = cpuid_find(c->t, 0x80000008, 0);
	if (e) /* ApicIdSize, NC; the rest is PerfTscSize */
		e->ecx = (e->ecx & 0x30000) | socket << 12 |
			 (at_most(cpus, 256) - 1);

	/*
	 * Without TopologyExtensions Linux takes threads for cores. It is a word
	 * about the two leaves below, so no KVM need offer it.
	 */
	if (t->threads > 1 && e) {
		e = cpuid_find(c->t, LEAF_EXTENDED, 0);
		if (e && e->eax < 0x8000001e)
			e->eax = 0x8000001e;
		e = cpuid_find(c->t, 0x80000001, 0);
		if (e)
			e->ecx |= ECX_TOPOLOGY_EXTENSIONS;
	}
	/* The core within its socket, its threads, and each socket a node. */
	if (highest(c, LEAF_EXTENDED) >= 0x8000001e)
		set(c, (struct kvm_cpuid_entry2){
			       .function = 0x8000001e,
			       .eax = id,
			       .ebx = (at_most(t->threads, 256) - 1) << 8 |
				      ((id & ((1u << socket) - 1)) >> core &
				       0xff),
			       .ecx = id >> socket & 0xff,
		       });
	/* A newer form of leaf 0xb, with levels that are not made here. */
	remove_subleaves(c, 0x80000026, 0);
}

/* Power management and counters: only what KVM virtualizes. */
static void finish_power(struct table *c)
{
	struct kvm_cpuid_entry2 *power = cpuid_find(c->t, 6, 0);
	struct kvm_cpuid_entry2 *pmu = cpuid_find(c->t, 0xa, 0);
	struct kvm_cpuid_entry2 *leaf1 = cpuid_find(c->t, 1, 0);

	if (power) {
		power->eax &= BIT(2); /* ARAT: the APIC timer never stops */
		power->ebx = power->ecx = power->edx = 0;
	}
	if (pmu && (pmu->eax & 0xff) == 0) {
		pmu->eax = pmu->ebx = pmu->ecx = pmu->edx = 0;
		if (leaf1)
			leaf1->ecx &= ~ECX_PDCM;
	}
}

/*
 * tsc / apic as a fraction whose numerator is at most max: the last convergent
 * of its continued fraction. False if that is not within one in a million.
 */
static bool tsc_ratio(uint32_t tsc, uint32_t apic, uint32_t max,
		      uint32_t *ret_num, uint32_t *ret_den)
{
	uint64_t num = 1, num_before = 0, den = 0, den_before = 1;
	uint64_t a = tsc, b = apic, said, meant;

	while (b > 0) {
		uint64_t whole = a / b, rest = a % b, next;

		next = whole * num + num_before;
		if (next > max)
			break;
		num_before = num;
		num = next;
		next = whole * den + den_before;
		den_before = den;
		den = next;
		a = b;
		b = rest;
	}
	said = num * apic;
	meant = den * tsc;
	if (den == 0 || (said > meant ? said - meant : meant - said) >
				meant / 1000000)
		return false;
	*ret_num = (uint32_t)num;
	*ret_den = (uint32_t)den;
	return true;
}

/*
 * Leaf 0x15 gives the TSC as a multiple of a crystal, and Linux takes the
 * crystal for the APIC timer's clock, so it has to be that one. Linux also
 * multiplies kHz by the numerator in 32 bits. Where no small fraction is near
 * enough the leaf stays empty, and the guest measures.
 */
static void finish_frequency_intel(struct table *c)
{
	const struct cpuid_params *p = c->p;
	uint32_t num, den, mhz = (p->tsc_khz + 500) / 1000;

	if (highest(c, 0) >= 0x15 && p->apic_khz > 0 &&
	    p->apic_khz <= UINT32_MAX / 1000 &&
	    tsc_ratio(p->tsc_khz, p->apic_khz, UINT32_MAX / p->apic_khz, &num,
		      &den))
		set(c, (struct kvm_cpuid_entry2){ .function = 0x15,
						  .eax = den,
						  .ebx = num,
						  .ecx = p->apic_khz * 1000 });
	if (highest(c, 0) >= 0x16)
		set(c, (struct kvm_cpuid_entry2){ .function = 0x16,
						  .eax = mhz,
						  .ebx = mhz,
						  .ecx = p->apic_khz / 1000 });
}

static void finish_frequency(struct table *c)
{
	const struct cpuid_params *p = c->p;
	struct kvm_cpuid_entry2 *kvm = cpuid_find(c->t, LEAF_KVM, 0);

	if (p->tsc_khz == 0)
		return;
	if (cpuid_vendor(c->t) == CPUID_INTEL)
		finish_frequency_intel(c);
	if (!kvm)
		return;
	/* KVM puts nothing at the leaves between, so they read as zero. */
	if (kvm->eax < LEAF_KVM_FREQUENCY)
		kvm->eax = LEAF_KVM_FREQUENCY;
	set(c, (struct kvm_cpuid_entry2){ .function = LEAF_KVM_FREQUENCY,
					  .eax = p->tsc_khz,
					  .ebx = p->apic_khz });
}

/* 0x80000002 to 4: 48 bytes of text. */
static void finish_brand(struct table *c, const char *brand)
{
	char text[48] = { 0 };
	uint32_t i, said = 0;

	if (!brand || highest(c, LEAF_EXTENDED) < 0x80000004)
		return;
	for (i = 0; i < 3; i++) {
		const struct kvm_cpuid_entry2 *e =
			cpuid_find(c->t, 0x80000002 + i, 0);

		said |= e ? e->eax | e->ebx | e->ecx | e->edx : 0;
	}
	if (said)
		return;
	memcpy(text, brand, strnlen(brand, sizeof(text) - 1));
	for (i = 0; i < 3; i++)
		set(c, (struct kvm_cpuid_entry2){
			       .function = 0x80000002 + i,
			       .eax = get_le32(text + 16 * i),
			       .ebx = get_le32(text + 16 * i + 4),
			       .ecx = get_le32(text + 16 * i + 8),
			       .edx = get_le32(text + 16 * i + 12),
		       });
}

int cpuid_finish(struct kvm_cpuid2 *table, unsigned capacity,
		 const struct cpuid_params *params,
		 const struct cpuid_edits *edits, char *err, size_t errlen)
{
	struct table c = { .t = table, .capacity = capacity, .p = params };
	const struct cpu_model *model = edits ? edits->model : NULL;

	if (model)
		cpuid_model_begin(table, model);
	finish_leaf1(&c);
	finish_caches(&c);
	finish_topology(&c, 0xb);
	finish_topology(&c, 0x1f);
	if (cpuid_vendor(table) == CPUID_AMD)
		finish_amd(&c);
	finish_power(&c);
	finish_frequency(&c);
	finish_brand(&c, model ? model->brand : params->brand);
	if (c.full) {
		snprintf(err, errlen, "no room for another CPUID entry");
		return -E2BIG;
	}
	return edits ? cpuid_edit_apply(table, edits, err, errlen) : 0;
}
