// SPDX-License-Identifier: MIT
#include "disks.h"

#include <string.h>

#include "insight.h"
#include "say.h"

/* On a thread of the VM's, again and again: only remembers. */
static void failed(void *opaque, int err)
{
	struct disk_trouble *trouble = opaque;
	int none = 0;

	atomic_compare_exchange_strong(&trouble->first, &none, err);
	atomic_fetch_add(&trouble->failures, 1);
}

int disks_add(struct disks *disks, struct trapmap_vm *vm,
	      const struct run_opts *opts)
{
	struct trapmap_disk disk = TRAPMAP_DISK_INIT;
	unsigned i;
	int r;

	disks->opts = opts;
	for (i = 0; i < opts->disk_count; i++) {
		disk.path = opts->disk[i].path;
		disk.read_only = opts->disk[i].read_only;
		disk.direct = opts->disk[i].direct;
		disk.serial = opts->disk[i].serial;
		disk.failed = failed;
		disk.opaque = &disks->trouble[i];
		r = trapmap_vm_add_disk(vm, &disk);
		if (r)
			return insight_refused(vm, "--disk: ", r);
	}
	return 0;
}

void disks_tell(struct disks *disks)
{
	unsigned i;

	for (i = 0; disks->opts && i < disks->opts->disk_count; i++) {
		struct disk_trouble *trouble = &disks->trouble[i];
		unsigned long long failures = atomic_load(&trouble->failures);

		if (failures)
			say("disk '%s': %llu %s failed on the host, the first with: %s",
			    disks->opts->disk[i].path, failures,
			    failures == 1 ? "request" : "requests",
			    strerror(atomic_load(&trouble->first)));
	}
}
