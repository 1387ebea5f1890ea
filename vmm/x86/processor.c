// SPDX-License-Identifier: MIT
#include "x86/processor.h"

#include <cpuid.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvm.h"

#define KVM_APIC_BUS_KHZ 1000000

/* Of a processor that does not say (SDM volume 3, 4.1.4). */
#define PHYS_BITS_LEAST 36u

/* CPUID 0x80000002 to 0x80000004. Left empty where the host has none. */
static void host_brand(char brand[49])
{
	unsigned reg[4], leaf;

	memset(brand, 0, 49);
	if ((unsigned)__get_cpuid_max(0x80000000, NULL) < 0x80000004)
		return;
	for (leaf = 0; leaf < 3; leaf++) {
		__cpuid(0x80000002 + leaf, reg[0], reg[1], reg[2], reg[3]);
		memcpy(brand + leaf * sizeof(reg), reg, sizeof(reg));
	}
}

static int parse(const char *spec, struct cpuid_edits *ret, struct error *err)
{
	char why[256];
	int r = cpuid_edit_parse(spec, ret, why, sizeof(why));

	if (r < 0)
		return error_set(err, ERROR_INPUT, r, "processor '%s': %s",
				 spec, why);
	return 0;
}

int processor_check(const char *spec, struct error *err)
{
	struct cpuid_edits edits;

	return parse(spec, &edits, err);
}

int processor_init(struct processor *cpu, int sys_fd,
		   const struct topology *topology, const char *spec,
		   struct error *err)
{
	int r;

	memset(cpu, 0, sizeof(*cpu));
	cpu->spec = spec ? spec : "host";
	r = parse(cpu->spec, &cpu->edits, err);
	if (r < 0)
		return r;
	r = kvm_supported_cpuid(sys_fd, CPUID_SPARE, &cpu->supported);
	if (r < 0)
		return error_host(err, r, "KVM_GET_SUPPORTED_CPUID");
	host_brand(cpu->brand);
	cpu->params = (struct cpuid_params){
		.topology = *topology,
		.brand = cpu->brand,
		.apic_khz = KVM_APIC_BUS_KHZ,
		.x2apic = cpuid_feature(cpu->supported, "x2apic"),
		.tsc_deadline = kvm_check(sys_fd, KVM_CAP_TSC_DEADLINE_TIMER),
	};
	return 0;
}

int processor_cpuid(struct processor *cpu, int vcpu_fd, unsigned n,
		    struct kvm_cpuid2 **ret_cpuid, struct error *err)
{
	unsigned capacity = cpu->supported->nent + CPUID_SPARE;
	struct kvm_cpuid2 *table;
	char why[256];
	int r;

	if (n == 0) {
		r = kvm_ioctl_val(vcpu_fd, KVM_GET_TSC_KHZ, 0);
		cpu->params.tsc_khz = r > 0 ? (uint32_t)r : 0;
	}
	table = calloc(1, sizeof(*table) + capacity * sizeof(*table->entries));
	if (!table)
		return error_host(err, -ENOMEM, "vCPU %u", n);
	memcpy(table, cpu->supported,
	       sizeof(*table) +
		       cpu->supported->nent * sizeof(*table->entries));
	cpu->params.apic_id = topology_apic_id(&cpu->params.topology, n);
	r = cpuid_finish(table, capacity, &cpu->params, &cpu->edits, why,
			 sizeof(why));
	if (r < 0) {
		free(table);
		return error_set(err, ERROR_INPUT, r, "processor '%s': %s",
				 cpu->spec, why);
	}
	if (cpu->params.apic_id >= TOPOLOGY_XAPIC_IDS &&
	    !cpuid_feature(table, "x2apic")) {
		free(table);
		return error_set(err, ERROR_INPUT, -ENOTSUP,
				 "processor '%s': without x2apic nothing can "
				 "start vCPU %u, whose APIC id is %u",
				 cpu->spec, n, cpu->params.apic_id);
	}
	*ret_cpuid = table;
	return 0;
}

void processor_done(struct processor *cpu)
{
	free(cpu->supported);
	cpu->supported = NULL;
}

unsigned processor_phys_bits(int sys_fd)
{
	const struct kvm_cpuid_entry2 *e;
	struct kvm_cpuid2 *table;
	unsigned bits = PHYS_BITS_LEAST;

	if (kvm_supported_cpuid(sys_fd, 0, &table) < 0)
		return bits;
	e = cpuid_find(table, 0x80000008, 0);
	if (e && (e->eax & 0xff) > bits)
		bits = e->eax & 0xff;
	free(table);
	return bits;
}
