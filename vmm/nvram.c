// SPDX-License-Identifier: MIT
/* The NVRAM's file: the setter of the public interface. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attach/attach.h"
#include "vm.h"

int trapmap_vm_set_nvram(struct trapmap_vm *vm, const struct trapmap_nvram *nvram)
{
	struct vm_config *c = &vm->config;
	char *path = NULL;
	int r = attach_check(vm, nvram->size, sizeof(*nvram), "trapmap_nvram");

	if (r < 0)
		return r;
	if (nvram->path && !*nvram->path)
		return error_set(&vm->error, ERROR_INPUT, -EINVAL,
				 "struct trapmap_nvram: the path is empty");
	if (nvram->path) {
		path = strdup(nvram->path);
		if (!path)
			return error_set(&vm->error, ERROR_HOST, -ENOMEM,
					 "out of memory");
	}
	free(c->nvram);
	c->nvram = path;
	c->machine.nvram = path;
	c->machine.nvram_set_clock = nvram->set_clock != 0;
	return 0;
}
