// SPDX-License-Identifier: MIT
/*
 * What a host offers: trapmap_host_probe(). Asks KVM itself; the processor's
 * flags only help to say what is missing.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base.h"
#include "host.h"
#include "kvm.h"
#include "probe.h"
#include "trapmap/trapmap.h"

static const struct {
	const char *name;
	unsigned cap;
	const char *use;
} known_caps[] = {
	{ "IRQCHIP", KVM_CAP_IRQCHIP, "interrupt controllers; required" },
	{ "PIT2", KVM_CAP_PIT2, "8254 timer; required" },
	{ "IRQFD", KVM_CAP_IRQFD, "interrupts of virtio devices; required" },
	{ "IOEVENTFD", KVM_CAP_IOEVENTFD,
	  "notifications to virtio devices without an exit" },
	{ "USER_MEMORY", KVM_CAP_USER_MEMORY, "guest memory; required" },
	{ "EXT_CPUID", KVM_CAP_EXT_CPUID, "the guest's CPUID; required" },
	{ "IMMEDIATE_EXIT", KVM_CAP_IMMEDIATE_EXIT,
	  "pause between two instructions; required" },
	{ "MP_STATE", KVM_CAP_MP_STATE, "what a vCPU waits for, in reports" },
	{ "TSC_DEADLINE_TIMER", KVM_CAP_TSC_DEADLINE_TIMER,
	  "a timer that Linux need not calibrate: a quicker boot" },
	{ "GET_TSC_KHZ", KVM_CAP_GET_TSC_KHZ,
	  "tells the guest the TSC's frequency" },
	{ "SET_IDENTITY_MAP_ADDR", KVM_CAP_SET_IDENTITY_MAP_ADDR,
	  "real mode on older VT-x" },
	{ "ADJUST_CLOCK", KVM_CAP_ADJUST_CLOCK, "kvmclock" },
};

/* Everything that a struct trapmap_host points to. */
struct host_store {
	struct trapmap_host_cap caps[ARRAY_SIZE(known_caps)];
	char error[512];
	char advice[512];
	char kind[128];
	char linux_text[256];
};

static bool cpu_has_flag(const char *flag)
{
	char *line = NULL, *save = NULL, *word;
	bool found = false;
	size_t room = 0;
	FILE *f;

	f = fopen("/proc/cpuinfo", "re");
	if (!f)
		return false;
	while (!found && getline(&line, &room, f) > 0) {
		if (strncmp(line, "flags", 5))
			continue;
		for (word = strtok_r(line, " \t\n", &save); word && !found;
		     word = strtok_r(NULL, " \t\n", &save))
			found = !strcmp(word, flag);
		break;
	}
	free(line);
	fclose(f);
	return found;
}

static bool module_is_there(const char *name)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	return stat(path, &st) == 0;
}

/* 1, 0, or -1 where the module has no such parameter. */
static int module_flag(const char *module, const char *parameter)
{
	char path[96], c = 0;
	int fd, r = -1;

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module,
		 parameter);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (read(fd, &c, 1) == 1)
		r = c == 'Y' || c == '1';
	close(fd);
	return r;
}

static void advise_missing(struct host_store *store)
{
	const char *text;

	if (cpu_has_flag("vmx"))
		text = "this processor has VT-x: load its module with `modprobe "
		       "kvm-intel` as root; if that fails, VT-x is switched off "
		       "in the firmware's setup";
	else if (cpu_has_flag("svm"))
		text = "this processor has AMD-V: load its module with `modprobe "
		       "kvm-amd` as root; if that fails, SVM is switched off in "
		       "the firmware's setup";
	else if (cpu_has_flag("hypervisor"))
		text = "this is a virtual machine without VT-x or AMD-V: switch "
		       "on nested virtualization on its host, or move to a host "
		       "that has KVM";
	else
		text = "this processor shows neither VT-x nor AMD-V: switch it on "
		       "in the firmware's setup (Intel Virtualization "
		       "Technology, SVM Mode)";
	snprintf(store->advice, sizeof(store->advice), "%s", text);
}

static void advise_refused(struct host_store *store, const char *path)
{
	struct group group, *found = NULL;
	char buf[1024];
	struct stat st;

	if (stat(path, &st) < 0)
		return;
	if ((st.st_mode & 060) == 060 && st.st_gid != 0 &&
	    getgrgid_r(st.st_gid, &group, buf, sizeof(buf), &found) == 0 &&
	    found)
		snprintf(store->advice, sizeof(store->advice),
			 "its group is '%s': `sudo usermod -aG %s $USER`, "
			 "then log in again",
			 group.gr_name, group.gr_name);
	else
		snprintf(store->advice, sizeof(store->advice),
			 "its mode is %04o: let a group use it, as root: "
			 "`chgrp kvm %s && chmod 660 %s`, with yourself in "
			 "group kvm",
			 st.st_mode & 07777, path, path);
}

static int unusable(struct host_store *store, struct trapmap_host *host,
		    int code, const char *path, const char *text)
{
	host->error = code;
	snprintf(store->error, sizeof(store->error), "%s", text);
	if (code == -ENOENT || code == -ENODEV || code == -ENXIO)
		advise_missing(store);
	else if (code == -EACCES || code == -EPERM)
		advise_refused(store, path);
	return code;
}

enum trapmap_kvm_kind host_kind(int *ret_nested_paging)
{
	if (module_is_there("kvm_intel") && cpu_has_flag("vmx")) {
		*ret_nested_paging = module_flag("kvm_intel", "ept");
		return TRAPMAP_KVM_VTX;
	}
	if (module_is_there("kvm_amd") && cpu_has_flag("svm")) {
		*ret_nested_paging = module_flag("kvm_amd", "npt");
		return TRAPMAP_KVM_AMDV;
	}
	*ret_nested_paging = -1;
	return TRAPMAP_KVM_SOFTWARE;
}

static void find_kind(struct host_store *store, struct trapmap_host *host)
{
	const char *paging;

	host->kind = host_kind(&host->nested_paging);
	paging = host->kind == TRAPMAP_KVM_VTX ? "EPT" : "NPT";
	if (host->kind == TRAPMAP_KVM_SOFTWARE)
		snprintf(store->kind, sizeof(store->kind),
			 "software: no VT-x or AMD-V; guest kernel code is "
			 "emulated%s",
			 module_is_there("kvm_pvm") ? " (kvm_pvm)" : "");
	else
		snprintf(store->kind, sizeof(store->kind), "%s, %s",
			 host->kind == TRAPMAP_KVM_VTX ? "VT-x (kvm-intel)" :
							 "AMD-V (kvm-amd)",
			 host->nested_paging == 1 ? paging :
			 host->nested_paging == 0 ? "shadow paging" :
						    "paging unknown");
}

static void find_caps(struct host_store *store, struct trapmap_host *host,
		      int fd)
{
	struct kvm_cpuid2 *cpuid;
	unsigned i;
	int max;

	for (i = 0; i < ARRAY_SIZE(known_caps); i++)
		store->caps[i] = (struct trapmap_host_cap){
			.name = known_caps[i].name,
			.value = kvm_check(fd, known_caps[i].cap),
			.use = known_caps[i].use,
		};
	host->cap_count = ARRAY_SIZE(known_caps);
	host->api_version = KVM_API_VERSION;
	host->vcpus_recommended = (uint32_t)kvm_check(fd, KVM_CAP_NR_VCPUS);
	max = kvm_check(fd, KVM_CAP_MAX_VCPUS);
	host->vcpus_max = max > 0 ? (uint32_t)max : host->vcpus_recommended;
	host->memslots = (uint32_t)kvm_check(fd, KVM_CAP_NR_MEMSLOTS);

	if (kvm_supported_cpuid(fd, 0, &cpuid) < 0)
		return;
	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 0x80000008)
			host->phys_bits = cpuid->entries[i].eax & 0xff;
	free(cpuid);
}

static void find_boots_linux(struct host_store *store,
			     struct trapmap_host *host, int fd)
{
	char *text = store->linux_text;
	size_t room = sizeof(store->linux_text);
	bool any = false;
	unsigned i;

	for (i = 0; i < PROBE_COUNT; i++) {
		enum probe_result result = probe_run(fd, i);
		size_t n = strlen(text);
		const char *why;

		if (result == PROBE_RAN || result == PROBE_NOT_OFFERED)
			continue;
		why = result == PROBE_STUCK   ? "never completes" :
		      result == PROBE_REFUSED ? "is refused" :
						"could not be tried";
		snprintf(text + n, room - n, "%s%s %s",
			 any ? "; " : "KVM here cannot run a kernel's "
					   "instructions: ",
			 probe_name(i), why);
		any = true;
		if (i == PROBE_BASE)
			break; /* then nothing else would run either */
	}
	host->boots_linux = !any;
	if (!any)
		snprintf(text, room,
			 "all instructions tried in guest kernel mode ran");
}

int trapmap_host_probe(const char *kvm_path, struct trapmap_host *ret_host)
{
	struct trapmap_host host = TRAPMAP_HOST_INIT;
	struct host_store *store;
	struct error err;
	int fd, r;

	if (ret_host->size != sizeof(host))
		return -EINVAL;
	store = calloc(1, sizeof(*store));
	if (!store)
		return -ENOMEM;
	if (!kvm_path)
		kvm_path = KVM_DEVICE_PATH;
	host.error_text = store->error;
	host.advice = store->advice;
	host.kind_text = store->kind;
	host.boots_linux_text = store->linux_text;
	host.caps = store->caps;

	r = kvm_open(kvm_path, &fd, &err);
	if (r < 0) {
		unusable(store, &host, r, kvm_path, err.text);
	} else {
		find_kind(store, &host);
		find_caps(store, &host, fd);
		find_boots_linux(store, &host, fd);
		close(fd);
	}
	*ret_host = host;
	return 0;
}

void trapmap_host_done(struct trapmap_host *host)
{
	/* The capabilities lie at the beginning of the store. */
	free((void *)(uintptr_t)host->caps);
	*host = (struct trapmap_host)TRAPMAP_HOST_INIT;
}
