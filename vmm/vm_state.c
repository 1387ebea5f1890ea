// SPDX-License-Identifier: MIT
/* Where in its life a VM is, for those who are told to wait for another time. */
#include "vm.h"

#include <errno.h>

enum vm_state vm_state_of(struct trapmap_vm *vm)
{
	enum vm_state state;

	pthread_mutex_lock(&vm->control.lock);
	state = vm->state;
	pthread_mutex_unlock(&vm->control.lock);
	return state;
}

int vm_configurable(struct trapmap_vm *vm)
{
	if (vm_state_of(vm) == VM_CONFIGURED)
		return 0;
	return error_set(&vm->error, ERROR_INPUT, -EBUSY,
			 "the VM has been started already");
}
