// SPDX-License-Identifier: MIT
#include <errno.h>

#include <trapmap/trapmap.h>

#include "say.h"

int say_refused(const struct trapmap_vm *vm, const char *what, int r)
{
	say("%s%s", what, trapmap_vm_error(vm));
	return r == -EINVAL || r == -E2BIG || r == -EBADF || r == -EEXIST
		       ? STATUS_BAD_INPUT
		       : STATUS_HOST_FAILURE;
}
