// SPDX-License-Identifier: MIT
/* The balloon: its functions of the public interface, and what it does to memory. */
#include "attach/attach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "virtio/balloon.h"
#include "vm.h"

struct balloon {
	struct attachment at;
	const struct trapmap_vm *vm;
	uint64_t target;
	bool reporting, deflate_on_oom;
};

static void balloon_free(struct attachment *at)
{
	free(container_of(at, struct balloon, at));
}

static int discard(void *opaque, void *host, size_t len)
{
	const struct balloon *b = opaque;

	return mem_discard(&b->vm->mem, host, len);
}

static int balloon_device(struct attachment *at, const struct attach_site *site,
			  struct virtio_device **ret_vd, struct error *err)
{
	const struct balloon *b = container_of(at, struct balloon, at);
	const struct virtio_balloon_config config = {
		.ram = site->ram,
		.target = b->target,
		.reporting = b->reporting,
		.deflate_on_oom = b->deflate_on_oom,
		.discard = discard,
		.opaque = container_of(at, struct balloon, at),
	};
	/* It would go on using pages that are gone. */
	const struct attachment *pinned = attach_pinned(b->vm);
	const char *keeps = mem_back_keeps(&b->vm->config.memory);
	int r;

	if (keeps)
		return error_set(err, ERROR_INPUT, -EINVAL,
				 "%s: %s, so that none of it can be given back; "
				 "leave out one of both",
				 at->name, keeps);
	if (pinned)
		return error_set(err, ERROR_INPUT, -EINVAL,
				 "%s: %s keeps all guest memory pinned, so that "
				 "none of it can be given back; leave out one "
				 "of both",
				 at->name, pinned->name);
	if (b->target > b->vm->config.mem)
		return error_set(err, ERROR_INPUT, -EINVAL,
				 "%s: %llu bytes are to be given up; the "
				 "machine has %llu",
				 at->name, (unsigned long long)b->target,
				 (unsigned long long)b->vm->config.mem);
	r = virtio_balloon_new(&config, ret_vd);
	return r < 0 ? error_host(err, r, "%s", at->name) : 0;
}

static const struct attachment_ops balloon_ops = {
	.device = balloon_device,
	.free = balloon_free,
};

int trapmap_vm_set_balloon(struct trapmap_vm *vm,
			   const struct trapmap_balloon *from)
{
	struct balloon *b;
	int r;

	r = attach_check(vm, from->size, sizeof(*from), "trapmap_balloon");
	if (r < 0)
		return r;
	if (attach_find(vm, &balloon_ops))
		return error_set(&vm->error, ERROR_INPUT, -E2BIG,
				 "there is a balloon already; a machine can "
				 "have one");
	b = calloc(1, sizeof(*b));
	if (!b)
		return error_set(&vm->error, ERROR_HOST, -ENOMEM,
				 "out of memory");
	b->at.ops = &balloon_ops;
	b->vm = vm;
	b->target = from->target;
	b->reporting = from->reporting != 0;
	b->deflate_on_oom = from->deflate_on_oom != 0;
	return attach_add(vm, &b->at, NULL, "balloon");
}

/* ---- while it runs ------------------------------------------------------ */

int trapmap_vm_balloon_target(struct trapmap_vm *vm, uint64_t bytes)
{
	struct attachment *at = attach_find(vm, &balloon_ops);

	if (!at)
		return -ENODEV;
	if (vm_state_of(vm) != VM_RUNNING)
		return -ESRCH;
	if (bytes > vm->config.mem)
		return -EINVAL;
	virtio_balloon_set_target(at->vd, bytes);
	return 0;
}

int trapmap_vm_balloon_stats(struct trapmap_vm *vm,
			     struct trapmap_balloon_stats *ret_stats)
{
	struct attachment *at = attach_find(vm, &balloon_ops);
	struct virtio_balloon_stats s;
	enum vm_state state;

	if (ret_stats->size != sizeof(*ret_stats))
		return -EINVAL;
	if (!at)
		return -ENODEV;
	state = vm_state_of(vm);
	if (state != VM_RUNNING && state != VM_ENDED)
		return -ESRCH;
	virtio_balloon_get_stats(at->vd, state == VM_RUNNING, &s);
	*ret_stats = (struct trapmap_balloon_stats){
		.size = sizeof(*ret_stats),
		.target = s.target,
		.actual = s.actual,
		.reported = s.reported,
		.free = s.free,
		.available = s.available,
		.total = s.total,
		.caches = s.caches,
		.swap_in = s.swap_in,
		.swap_out = s.swap_out,
		.major_faults = s.major_faults,
		.minor_faults = s.minor_faults,
	};
	return 0;
}
