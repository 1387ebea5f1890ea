// SPDX-License-Identifier: MIT
/* The NVRAM's file: the setter of the public interface. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vm.h"

int trapmap_vm_set_nvram(struct trapmap_vm *vm, const struct trapmap_nvram *nvram)
{
	struct vm_config *c = &vm->config;
	char *path = NULL;
	int r = vm_configurable(vm);

	if (r < 0)
		return r;
	if (nvram->size != sizeof(*nvram))
		return error_set(&vm->error, ERROR_INPUT, -EINVAL,
				 "struct trapmap_nvram: wrong size");
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
