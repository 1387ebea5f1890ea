// SPDX-License-Identifier: MIT
/*
 * The setters of the public interface: each checks its arguments, copies them
 * into struct vm_config, and does nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base.h"
#include "attach/attach.h"
#include "fw_cfg.h"
#include "vm.h"
#include "x86/processor.h"

/* The smallest option structs ever released; a later one is larger. */
#define SIZE_MACHINE sizeof(struct trapmap_machine)
#define SIZE_SOURCE sizeof(struct trapmap_source)
#define SIZE_DEVICE sizeof(struct trapmap_device)
#define SIZE_TRACE sizeof(struct trapmap_trace)

#define MEM_DEFAULT MIB(256)

/* The years 1 to 9999, in seconds since 1970. */
#define RTC_EPOCH_MIN INT64_C(-62135596800)
#define RTC_EPOCH_MAX INT64_C(253402300799)

static int fail(struct trapmap_vm *vm, int code, const char *text)
{
	return error_set(&vm->error, ERROR_INPUT, code, "%s", text);
}

/* Replaces *to by a copy of from, which may be NULL. */
static int replace_string(struct trapmap_vm *vm, char **to, const char *from)
{
	char *copy = NULL;

	if (from) {
		copy = strdup(from);
		if (!copy)
			return fail(vm, -ENOMEM, "out of memory");
	}
	free(*to);
	*to = copy;
	return 0;
}

int trapmap_vm_set_machine(struct trapmap_vm *vm,
			   const struct trapmap_machine *machine)
{
	struct vm_config *c = &vm->config;
	uint64_t mem;
	int r;

	r = vm_configurable(vm);
	if (r < 0)
		return r;
	if (machine->size != SIZE_MACHINE)
		return fail(vm, -EINVAL, "struct trapmap_machine: wrong size");
	mem = machine->mem ? machine->mem : MEM_DEFAULT;
	if (mem < MEM_MIN || mem % MEM_PAGE)
		return error_set(&vm->error, ERROR_INPUT, -EINVAL,
				 "guest memory of %llu bytes: expected whole "
				 "pages of %u bytes, at least 1 MiB in all",
				 (unsigned long long)mem, MEM_PAGE);
	if (machine->rtc_base > TRAPMAP_RTC_BASE_EPOCH ||
	    machine->rtc_clock > TRAPMAP_RTC_CLOCK_VM ||
	    machine->on_reset > TRAPMAP_ON_RESET_POWEROFF ||
	    machine->debug_exit > TRAPMAP_DEBUG_EXIT_PLAIN ||
	    machine->transport > TRAPMAP_TRANSPORT_PCI)
		return fail(vm, -EINVAL,
			    "struct trapmap_machine: unknown rtc_base, "
			    "rtc_clock, on_reset, debug_exit or transport");
	if (machine->rtc_base == TRAPMAP_RTC_BASE_EPOCH &&
	    (machine->rtc_epoch < RTC_EPOCH_MIN ||
	     machine->rtc_epoch > RTC_EPOCH_MAX))
		return fail(vm, -EINVAL,
			    "struct trapmap_machine: rtc_epoch is outside the "
			    "years 1 to 9999");

	if (machine->kick_signal < 0 || machine->kick_signal >= NSIG)
		return error_set(&vm->error, ERROR_INPUT, -EINVAL,
				 "struct trapmap_machine: kick_signal %d is no "
				 "signal",
				 machine->kick_signal);

	if (machine->cpu) {
		r = processor_check(machine->cpu, &vm->error);
		if (r < 0)
			return r;
	}
	r = replace_string(vm, &c->cpu, machine->cpu);
	if (r == 0)
		r = replace_string(vm, &c->kvm_path, machine->kvm_path);
	if (r < 0)
		return r;
	c->mem = mem;
	c->mem_given = machine->mem != 0;
	c->cpus = machine->cpus ? machine->cpus : 1;
	c->cpus_given = machine->cpus != 0;
	c->machine.rtc_base = machine->rtc_base;
	c->machine.rtc_clock = machine->rtc_clock;
	c->machine.rtc_epoch = machine->rtc_epoch;
	c->on_reset = machine->on_reset;
	c->debug_exit = machine->debug_exit;
	c->kick_signal = machine->kick_signal;
	c->strict_io = machine->strict_io != 0;
	c->watchdog_ms = machine->watchdog_ms;
	c->machine.test_device = machine->test_device != 0;
	c->transport_given = machine->transport != TRAPMAP_TRANSPORT_DEFAULT;
	c->transport = machine->transport ? machine->transport :
					    PLATFORM_TRANSPORT;
	return 0;
}

int vm_copy_source(struct trapmap_vm *vm, const struct trapmap_source *from,
		   struct source *ret_src)
{
	int r;

	if (from->size != SIZE_SOURCE)
		return fail(vm, -EINVAL, "struct trapmap_source: wrong size");
	if (from->path && from->data)
		return fail(vm, -EINVAL,
			    "struct trapmap_source: both a path and data");
	if (from->path)
		r = source_from_path(ret_src, from->path);
	else if (from->data)
		r = source_from_data(ret_src,
				     from->name ? from->name : "(in memory)",
				     from->data, from->len);
	else
		r = source_from_fd(ret_src, from->fd);
	if (r < 0)
		return fail(vm, r, strerrordesc_np(-r));
	return 0;
}

static int replace_source(struct trapmap_vm *vm, struct source *to,
			  const struct trapmap_source *from)
{
	struct source src = { .fd = -1 };
	int r;

	r = vm_configurable(vm);
	if (r == 0)
		r = vm_copy_source(vm, from, &src);
	if (r < 0)
		return r;
	source_done(to);
	*to = src;
	return 0;
}

int trapmap_vm_set_kernel(struct trapmap_vm *vm,
			  const struct trapmap_source *source)
{
	return replace_source(vm, &vm->config.kernel, source);
}

int trapmap_vm_set_boot(struct trapmap_vm *vm, enum trapmap_boot boot)
{
	int r = vm_configurable(vm);

	if (r < 0)
		return r;
	if (boot > TRAPMAP_BOOT_UNPACK)
		return fail(vm, -EINVAL, "unknown boot protocol");
	vm->config.boot = boot;
	return 0;
}

int trapmap_vm_set_firmware(struct trapmap_vm *vm,
			    const struct trapmap_source *source)
{
	return replace_source(vm, &vm->config.firmware, source);
}

int trapmap_vm_add_fw_cfg(struct trapmap_vm *vm, const char *name,
			  const struct trapmap_source *source)
{
	struct vm_config *c = &vm->config;
	struct fw_file *file = &c->fw_file[c->fw_files];
	size_t len = strlen(name);
	unsigned i;
	int r;

	r = vm_configurable(vm);
	if (r < 0)
		return r;
	if (len == 0 || len > FW_CFG_NAME_MAX)
		return error_set(&vm->error, ERROR_INPUT, -EINVAL,
				 "fw_cfg file '%s': a name of 1 to %d bytes "
				 "expected",
				 name, FW_CFG_NAME_MAX);
	for (i = 0; i < c->fw_files && strcmp(c->fw_file[i].name, name); i++)
		;
	if (i < c->fw_files || strcmp(name, FW_ITEMS_E820) == 0)
		return error_set(&vm->error, ERROR_INPUT, -EEXIST,
				 "fw_cfg file '%s' is there already", name);
	if (c->fw_files == FW_FILES_MAX)
		return fail(vm, -E2BIG, "more than 32 fw_cfg files");
	r = vm_copy_source(vm, source, &file->source);
	if (r < 0)
		return r;
	file->name = strdup(name);
	if (!file->name) {
		source_done(&file->source);
		return fail(vm, -ENOMEM, "out of memory");
	}
	c->fw_files++;
	return 0;
}

int trapmap_vm_add_initrd(struct trapmap_vm *vm,
			  const struct trapmap_source *source)
{
	struct vm_config *c = &vm->config;
	int r;

	r = vm_configurable(vm);
	if (r < 0)
		return r;
	if (c->initrds == VM_MAX_INITRDS)
		return fail(vm, -E2BIG, "more than 64 initrds");
	r = vm_copy_source(vm, source, &c->initrd[c->initrds]);
	if (r < 0)
		return r;
	c->initrds++;
	return 0;
}

int trapmap_vm_set_cmdline(struct trapmap_vm *vm, const char *cmdline)
{
	int r = vm_configurable(vm);

	return r < 0 ? r : replace_string(vm, &vm->config.cmdline, cmdline);
}

/* A duplicate of fd, or -1 for -1; else -errno. */
static int dup_fd(int fd)
{
	int copy;

	if (fd < 0)
		return -1;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return copy < 0 ? -errno : copy;
}

/* Puts a duplicate of fd (-1: none) in the place of *to. */
static int replace_fd(struct trapmap_vm *vm, int *to, int fd, const char *what)
{
	int copy = dup_fd(fd);

	if (copy < -1)
		return error_set(&vm->error, ERROR_INPUT, copy, "%s: %s", what,
				 strerrordesc_np(-copy));
	if (*to >= 0)
		close(*to);
	*to = copy;
	return 0;
}

int trapmap_vm_set_debugcon(struct trapmap_vm *vm, int fd)
{
	int r = vm_configurable(vm);

	return r < 0 ? r
		     : replace_fd(vm, &vm->config.machine.debugcon_fd, fd,
				  "debug console");
}

int trapmap_vm_add_rule(struct trapmap_vm *vm, enum trapmap_rule rule,
			const char *regex)
{
	int r = vm_configurable(vm);

	return r < 0 ? r : watch_add(vm->config.watch, rule, regex, &vm->error);
}

int trapmap_vm_set_trace(struct trapmap_vm *vm,
			 const struct trapmap_trace *trace)
{
	const uint32_t known = TRAPMAP_TRACE_PIO | TRAPMAP_TRACE_MMIO |
			       TRAPMAP_TRACE_MSR | TRAPMAP_TRACE_HYPERCALL |
			       TRAPMAP_TRACE_OTHER;
	struct trapmap_trace *t = &vm->config.trace;
	int r = vm_configurable(vm);

	if (r < 0)
		return r;
	if (trace->size != SIZE_TRACE || trace->fd < 0 ||
	    trace->kinds & ~known || trace->first > trace->last)
		return fail(vm, -EINVAL,
			    "struct trapmap_trace: wrong size or fd, unknown "
			    "kinds, or first above last");
	r = replace_fd(vm, &t->fd, trace->fd, "trace");
	if (r < 0)
		return r;
	t->kinds = trace->kinds ? trace->kinds : known;
	t->first = trace->first;
	t->last = trace->last ? trace->last : UINT64_MAX;
	return 0;
}

int trapmap_vm_set_stats(struct trapmap_vm *vm, int on)
{
	int r = vm_configurable(vm);

	if (r == 0)
		vm->config.stats = on != 0;
	return r;
}

int trapmap_vm_set_symbols(struct trapmap_vm *vm,
			   const struct trapmap_source *source)
{
	return replace_source(vm, &vm->config.symbols, source);
}

static bool overlap(const struct trapmap_device *a,
		    const struct trapmap_device *b)
{
	return a->space == b->space && a->base <= b->base + (b->len - 1) &&
	       b->base <= a->base + (a->len - 1);
}

int trapmap_vm_add_device(struct trapmap_vm *vm,
			  const struct trapmap_device *device)
{
	struct vm_config *c = &vm->config;
	struct trapmap_device *grown;
	uint64_t limit;
	unsigned i;
	int r;

	r = vm_configurable(vm);
	if (r < 0)
		return r;
	if (device->size != SIZE_DEVICE || !device->name || !device->read ||
	    !device->write || device->space > TRAPMAP_SPACE_MMIO ||
	    device->sizes > 15)
		return fail(vm, -EINVAL,
			    "struct trapmap_device: wrong size, space or "
			    "sizes, or no name, read or write");
	limit = device->space == TRAPMAP_SPACE_PIO ? 0xffff : UINT64_MAX - 1;
	if (device->len == 0 || device->len - 1 > limit ||
	    device->base > limit - (device->len - 1))
		return error_set(&vm->error, ERROR_INPUT, -EINVAL,
				 "device '%s': its range is empty or ends "
				 "beyond %#llx",
				 device->name, (unsigned long long)limit);
	for (i = 0; i < c->devices; i++)
		if (overlap(&c->device[i], device))
			return error_set(&vm->error, ERROR_INPUT, -EEXIST,
					 "device '%s' overlaps device '%s'",
					 device->name, c->device[i].name);

	grown = reallocarray(c->device, c->devices + 1, sizeof(*grown));
	if (!grown)
		return fail(vm, -ENOMEM, "out of memory");
	c->device = grown;
	c->machine.extra = c->device;
	grown[c->devices] = *device;
	grown[c->devices].name = strdup(device->name);
	if (!grown[c->devices].name)
		return fail(vm, -ENOMEM, "out of memory");
	c->devices++;
	c->machine.extra_count = c->devices;
	return 0;
}

int vm_config_init(struct vm_config *c)
{
	c->mem = MEM_DEFAULT;
	c->cpus = 1;
	c->kernel.fd = -1;
	c->firmware.fd = -1;
	c->machine.debugcon_fd = -1;
	c->transport = PLATFORM_TRANSPORT;
	c->symbols.fd = -1;
	c->trace = (struct trapmap_trace)TRAPMAP_TRACE_INIT;
	return watch_new(&c->watch);
}

void vm_config_done(struct vm_config *c)
{
	unsigned i;

	source_done(&c->kernel);
	source_done(&c->firmware);
	for (i = 0; i < c->fw_files; i++) {
		source_done(&c->fw_file[i].source);
		free(c->fw_file[i].name);
	}
	for (i = 0; i < c->initrds; i++)
		source_done(&c->initrd[i]);
	for (i = 0; i < c->devices; i++)
		free((char *)(uintptr_t)c->device[i].name);
	free(c->device);
	for (i = 0; i < c->machine.attached_count; i++)
		attach_free(c->attached[i]);
	free(c->cpu);
	free(c->memory.path);
	free(c->affinity);
	free(c->kvm_path);
	free(c->nvram);
	free(c->cmdline);
	board_config_done(&c->board);
	source_done(&c->symbols);
	watch_free(c->watch);
	if (c->machine.debugcon_fd >= 0)
		close(c->machine.debugcon_fd);
	if (c->trace.fd >= 0)
		close(c->trace.fd);
	vm_serial_config_done(c);
}
