// SPDX-License-Identifier: MIT
/*
 * The processors of a VM: how many, how they are arranged, and on which of the host's
 * they run.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/attach.h"
#include "kvm.h"
#include "vm.h"

int trapmap_vm_set_topology(struct trapmap_vm *vm,
			    const struct trapmap_topology *topology)
{
	int r = attach_check(vm, topology->size, sizeof(*topology),
			     "trapmap_topology");

	if (r == 0)
		vm->config.topology = (struct topology){
			.sockets = topology->sockets,
			.cores = topology->cores,
			.threads = topology->threads,
		};
	return r;
}

/* ---- on which of the host's --------------------------------------------- */

/* The most that a kernel can be built for; see CONFIG_NR_CPUS. */
#define HOST_CPUS_MAX 8192

struct host_cpus {
	cpu_set_t set[CPU_ALLOC_SIZE(HOST_CPUS_MAX) / sizeof(cpu_set_t)];
};

_Static_assert(sizeof(struct host_cpus) * 8 == HOST_CPUS_MAX, "all of them");

static int check_host_cpu(struct trapmap_vm *vm, const struct host_cpus *may,
			  uint32_t cpu)
{
	if (cpu < HOST_CPUS_MAX && CPU_ISSET_S(cpu, sizeof(may->set), may->set))
		return 0;
	if (cpu >= (unsigned long)sysconf(_SC_NPROCESSORS_CONF))
		return error_set(&vm->error, ERROR_INPUT, -EINVAL,
				 "there is no host processor %u to run a vCPU "
				 "on; the last one is %ld",
				 cpu, sysconf(_SC_NPROCESSORS_CONF) - 1);
	return error_set(&vm->error, ERROR_INPUT, -EINVAL,
			 "this process may not use host processor %u (it is "
			 "offline, or taken away by an affinity mask or a "
			 "cgroup's cpuset)",
			 cpu);
}

int trapmap_vm_set_affinity(struct trapmap_vm *vm, const uint32_t *cpus,
			    size_t count)
{
	struct host_cpus may = { 0 };
	uint32_t *copy = NULL;
	size_t i;
	int r = attach_check(vm, 0, 0, "");

	if (r == 0 && sched_getaffinity(0, sizeof(may.set), may.set) < 0)
		r = error_host(&vm->error, -errno, "sched_getaffinity");
	for (i = 0; r == 0 && i < count; i++)
		r = check_host_cpu(vm, &may, cpus[i]);
	if (r < 0)
		return r;
	if (count > 0) {
		copy = reallocarray(NULL, count, sizeof(*copy));
		if (!copy)
			return error_host(&vm->error, -ENOMEM, "affinity");
		memcpy(copy, cpus, count * sizeof(*copy));
	}
	free(vm->config.affinity);
	vm->config.affinity = copy;
	vm->config.affinity_count = count;
	return 0;
}

int vm_host_cpu(const struct trapmap_vm *vm, unsigned vcpu)
{
	const struct vm_config *c = &vm->config;

	return c->affinity_count ? (int)c->affinity[vcpu % c->affinity_count]
				 : -1;
}

/* ---- what KVM can have -------------------------------------------------- */

int vm_arrange_processors(struct trapmap_vm *vm, struct error *err)
{
	struct platform *p = &vm->config.machine.platform;
	int max = kvm_check(vm->sys_fd, KVM_CAP_MAX_VCPUS);
	int ids = kvm_check(vm->sys_fd, KVM_CAP_MAX_VCPU_ID);
	uint32_t last;
	char why[256];
	int r;

	if (max <= 0)
		max = kvm_check(vm->sys_fd, KVM_CAP_NR_VCPUS);
	if (max <= 0)
		max = 4; /* what api.rst says of a KVM that knows neither */
	if (ids <= 0)
		ids = max;
	if (max > PLATFORM_CPUS_MAX)
		max = PLATFORM_CPUS_MAX;
	if (p->cpus > (unsigned)max)
		return error_set(err, ERROR_INPUT, -E2BIG,
				 "%u vCPUs were asked for; at most %d can be "
				 "had here",
				 p->cpus, max);
	r = topology_fill(&vm->config.topology, p->cpus, &p->topology, why,
			  sizeof(why));
	if (r < 0)
		return error_set(err, ERROR_INPUT, r, "%s", why);

	last = platform_apic_id(p, p->cpus - 1);
	if (last >= (unsigned)ids)
		return error_set(err, ERROR_INPUT, -E2BIG,
				 "the last processor of %u sockets of %u cores "
				 "of %u threads would have APIC id %u; the "
				 "highest that KVM here has is %d",
				 p->topology.sockets, p->topology.cores,
				 p->topology.threads, last, ids - 1);
	if (last >= TOPOLOGY_XAPIC_IDS &&
	    !kvm_check(vm->sys_fd, KVM_CAP_X2APIC_API))
		return error_set(err, ERROR_INPUT, -EOPNOTSUPP,
				 "the last processor would have APIC id %u; "
				 "KVM here has none above 254 "
				 "(KVM_CAP_X2APIC_API)",
				 last);
	return 0;
}

int vm_enable_x2apic_ids(const struct trapmap_vm *vm, struct error *err)
{
	const struct platform *p = &vm->config.machine.platform;
	/* Without the second, id 255 would mean everybody in x2APIC mode too. */
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X2APIC_API,
		.args = { KVM_X2APIC_API_USE_32BIT_IDS |
			  KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK },
	};
	int r;

	if (platform_apic_id(p, p->cpus - 1) < TOPOLOGY_XAPIC_IDS)
		return 0;
	r = kvm_ioctl(vm->vm_fd, KVM_ENABLE_CAP, &cap);
	if (r < 0)
		return error_host(err, r,
				  "KVM does not take APIC ids above 254 "
				  "(KVM_CAP_X2APIC_API)");
	return 0;
}
