// SPDX-License-Identifier: MIT
/*
 * What a guest would see of its processor here: trapmap_host_cpu(). The host's own
 * CPUID, what KVM offers of it, and what --cpu makes of that are compared by name.
 */
#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base.h"
#include "kvm.h"
#include "trapmap/trapmap.h"
#include "x86/cpu_models.h"
#include "x86/cpuid_features.h"
#include "x86/processor.h"

#define NAMES_MAX (CPUID_WORDS * 32 + 1)
#define KVM_LEAVES 0x40000000u

/* Everything that a struct trapmap_cpu_info points to. */
struct cpu_store {
	char error[512];
	char vendor[13];
	char brand[49];
	const char *features[NAMES_MAX];
	const char *withheld[NAMES_MAX];
	const char *masked[NAMES_MAX];
};

const char *trapmap_cpu_model(unsigned n, const char **ret_summary)
{
	const char *name = "host",
		   *summary = "all that KVM offers of the host's";

	if (n > cpu_model_count)
		return NULL;
	if (n > 0) {
		name = cpu_models[n - 1].name;
		summary = cpu_models[n - 1].summary;
	}
	if (ret_summary)
		*ret_summary = summary;
	return name;
}

static uint32_t table_word(const struct kvm_cpuid2 *table,
			   const struct cpuid_word *word)
{
	/* The entry is only read. */
	struct kvm_cpuid_entry2 *e = cpuid_find((struct kvm_cpuid2 *)table,
						word->leaf, word->subleaf);

	return e ? *cpuid_register(e, word->reg) : 0;
}

static uint32_t host_word(const struct cpuid_word *word)
{
	struct kvm_cpuid_entry2 e = { 0 };

	/* Those are not the processor's, but of a hypervisor below us. */
	if (word->leaf >= KVM_LEAVES && word->leaf < 0x80000000)
		return 0;
	if (!__get_cpuid_count(word->leaf, word->subleaf, &e.eax, &e.ebx,
			       &e.ecx, &e.edx))
		return 0;
	return *cpuid_register(&e, word->reg);
}

static void add_names(const char **list, const struct cpuid_word *word,
		      uint32_t bits)
{
	while (*list)
		list++;
	for (; bits; bits &= bits - 1) {
		const char *name = word->name[__builtin_ctz(bits)];

		if (name)
			*list++ = name;
	}
}

/* What KVM offers is what a guest gets who asks for the host's processor. */
static void compare(struct cpu_store *store, const struct kvm_cpuid2 *offered,
		    const struct kvm_cpuid2 *guest)
{
	unsigned w;

	for (w = 0; w < CPUID_WORDS; w++) {
		const struct cpuid_word *word = &cpuid_words[w];
		uint32_t kvm = table_word(offered, word);
		uint32_t seen = table_word(guest, word);

		add_names(store->features, word, seen);
		add_names(store->withheld, word, host_word(word) & ~kvm);
		add_names(store->masked, word, kvm & ~seen);
	}
}

static void take_text(char *text, uint32_t a, uint32_t b, uint32_t c)
{
	put_le32(text, a);
	put_le32(text + 4, b);
	put_le32(text + 8, c);
}

/* SDM volume 2A, CPUID, "Version Information": extended fields by the family. */
static void describe(struct cpu_store *store, struct kvm_cpuid2 *t,
		     struct trapmap_cpu_info *info)
{
	const struct kvm_cpuid_entry2 *e = cpuid_find(t, 0, 0);
	uint32_t i, highest = e ? e->eax : 0;

	if (e)
		take_text(store->vendor, e->ebx, e->edx, e->ecx);
	e = cpuid_find(t, 1, 0);
	if (e) {
		info->family = e->eax >> 8 & 0xf;
		info->model = e->eax >> 4 & 0xf;
		if (info->family == 6 || info->family == 15)
			info->model |= (e->eax >> 16 & 0xf) << 4;
		if (info->family == 15)
			info->family += e->eax >> 20 & 0xff;
		info->stepping = e->eax & 0xf;
	}
	for (i = 0; i < 3; i++) {
		e = cpuid_find(t, 0x80000002 + i, 0);
		if (!e)
			continue;
		take_text(store->brand + 16 * i, e->eax, e->ebx, e->ecx);
		put_le32(store->brand + 16 * i + 12, e->edx);
	}
	e = cpuid_find(t, 0x80000008, 0);
	info->phys_bits = e ? e->eax & 0xff : 36;
	info->topology_leaf = 1;
	if (highest >= 0xb && cpuid_find(t, 0xb, 0))
		info->topology_leaf = 0xb;
	if (highest >= 0x1f && cpuid_find(t, 0x1f, 0))
		info->topology_leaf = 0x1f;
	info->vendor = store->vendor;
	info->brand = store->brand;
}

/*
 * The table of a vCPU, whose frequency is not known; it is not a guest's only one,
 * so that what tells of more than one is there.
 */
static int table_of(int fd, const char *spec, struct kvm_cpuid2 **ret_table,
		    struct error *err)
{
	const struct topology two = { 1, 2, 1 };
	struct processor cpu;
	int r;

	r = processor_init(&cpu, fd, &two, spec, err);
	if (r == 0)
		r = processor_cpuid(&cpu, -1, 0, ret_table, err);
	processor_done(&cpu);
	return r;
}

int trapmap_host_cpu(const char *kvm_path, const char *spec,
		     struct trapmap_cpu_info *ret_info)
{
	struct trapmap_cpu_info info = TRAPMAP_CPU_INFO_INIT;
	struct kvm_cpuid2 *offered = NULL, *guest = NULL;
	struct cpu_store *store;
	struct error err;
	int fd = -1, r;

	if (ret_info->size != sizeof(info))
		return -EINVAL;
	store = calloc(1, sizeof(*store));
	if (!store)
		return -ENOMEM;
	r = kvm_open(kvm_path ? kvm_path : KVM_DEVICE_PATH, &fd, &err);
	if (r == 0)
		r = table_of(fd, NULL, &offered, &err);
	if (r == 0)
		r = table_of(fd, spec, &guest, &err);
	if (r == 0) {
		compare(store, offered, guest);
		describe(store, guest, &info);
	} else {
		info.status = err.status == ERROR_INPUT ? 2 : 4;
		snprintf(store->error, sizeof(store->error), "%s", err.text);
	}
	free(offered);
	free(guest);
	if (fd >= 0)
		close(fd);
	info.error_text = store->error; /* the store's beginning */
	info.features = store->features;
	info.withheld = store->withheld;
	info.masked = store->masked;
	*ret_info = info;
	return 0;
}

void trapmap_cpu_info_done(struct trapmap_cpu_info *info)
{
	free((void *)(uintptr_t)info->error_text);
	*info = (struct trapmap_cpu_info)TRAPMAP_CPU_INFO_INIT;
}
