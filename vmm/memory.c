// SPDX-License-Identifier: MIT
/* What guest memory is made of: the functions of the public interface. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attach/attach.h"
#include "core/base.h"
#include "mem_back.h"
#include "vm.h"

static int refuse(struct trapmap_vm *vm, const char *why)
{
	return error_set(&vm->error, ERROR_INPUT, -EINVAL,
			 "struct trapmap_memory: %s", why);
}

static int check(struct trapmap_vm *vm, const struct trapmap_memory *m)
{
	const bool huge = m->backing == TRAPMAP_MEMORY_HUGETLB;
	const bool file = m->backing == TRAPMAP_MEMORY_FILE;

	if (m->backing > TRAPMAP_MEMORY_HUGETLB || m->thp > TRAPMAP_THP_OFF)
		return refuse(vm, "unknown backing or thp");
	if (file && (!m->path || !*m->path))
		return refuse(vm, "memory in a file has no path");
	if (!file && m->path)
		return refuse(vm, "a path is for memory in a file");
	if (!huge && m->page_size)
		return refuse(vm, "a page_size is for huge pages");
	if (huge && m->page_size && m->page_size != MIB(2) &&
	    m->page_size != GIB(1))
		return refuse(vm, "page_size is 2 MiB or 1 GiB");
	if ((file || huge) && m->thp != TRAPMAP_THP_DEFAULT)
		return refuse(vm, "transparent huge pages are for memory that "
				  "is neither a file nor huge pages");
	return 0;
}

int trapmap_vm_set_memory(struct trapmap_vm *vm,
			  const struct trapmap_memory *memory)
{
	struct mem_back_config *c = &vm->config.memory;
	char *path = NULL;
	int r;

	r = attach_check(vm, memory->size, sizeof(*memory), "trapmap_memory");
	if (r == 0)
		r = check(vm, memory);
	if (r < 0)
		return r;
	if (memory->path) {
		path = strdup(memory->path);
		if (!path)
			return error_set(&vm->error, ERROR_HOST, -ENOMEM,
					 "out of memory");
	}
	free(c->path);
	*c = (struct mem_back_config){
		.backing = memory->backing,
		.path = path,
		.thp = memory->thp,
		.prealloc = memory->prealloc != 0,
		.lock = memory->lock != 0,
	};
	if (memory->backing == TRAPMAP_MEMORY_HUGETLB)
		c->page_size = memory->page_size ? memory->page_size : MIB(2);
	return 0;
}

int trapmap_vm_memory_fd(struct trapmap_vm *vm)
{
	if (!vm->mem.back.map)
		return -ESRCH;
	return vm->mem.back.fd < 0 ? -ENODEV : vm->mem.back.fd;
}
