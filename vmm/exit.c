// SPDX-License-Identifier: MIT
#include "exit.h"

#include <linux/kvm.h>
#include <linux/kvm_para.h>
#include <stdio.h>

#include "core/base.h"
#include "core/bus.h"

/*
 * For what would make exit_handle()'s frame larger: a port access of one item
 * should save no register that it does not use.
 */
#define NOINLINE __attribute__((noinline))

/* An item of 1, 2, 4 or 8 bytes; a switch, so that each is one instruction. */
static inline uint64_t get_item(const uint8_t *p, unsigned size)
{
	switch (size) {
	case 1: return *p;
	case 2: return get_le16(p);
	case 4: return get_le32(p);
	default: return get_le64(p);
	}
}

static inline void put_item(uint8_t *p, unsigned size, uint64_t val)
{
	switch (size) {
	case 1: *p = (uint8_t)val; break;
	case 2: put_le16(p, (uint16_t)val); break;
	case 4: put_le32(p, (uint32_t)val); break;
	default: put_le64(p, val); break;
	}
}

/* Nothing answered. That is the end where the bus is strict. */
NOINLINE static enum exit_action unclaimed(const struct bus *bus,
					   const char *what, uint64_t addr,
					   unsigned size, bool is_write,
					   struct exit_end *end)
{
	if (!bus->strict)
		return EXIT_RESUME;
	end->kind = TRAPMAP_END_UNCLAIMED;
	snprintf(end->text, sizeof(end->text),
		 "%s of %u byte%s %s %s %#llx, which nothing claims",
		 is_write ? "write" : "read", size, size == 1 ? "" : "s",
		 is_write ? "to" : "from", what, (unsigned long long)addr);
	return EXIT_ENDED;
}

static enum exit_action io_item(struct bus *pio, const struct kvm_run *run,
				uint8_t *data, struct exit_end *end)
{
	bool is_write = run->io.direction == KVM_EXIT_IO_OUT, claimed;
	unsigned size = run->io.size;
	uint64_t val;

	if (is_write) {
		claimed = bus_write(pio, run->io.port, size,
				    get_item(data, size));
	} else {
		claimed = bus_read(pio, run->io.port, size, &val);
		put_item(data, size, val);
	}
	if (claimed)
		return EXIT_RESUME;
	return unclaimed(pio, "port", run->io.port, size, is_write, end);
}

/*
 * String input and output come as `count` items: the port stays, the data
 * advances.
 */
NOINLINE static enum exit_action handle_string_io(struct bus *pio,
						  struct kvm_run *run,
						  uint8_t *data,
						  struct exit_end *end)
{
	enum exit_action action = EXIT_RESUME;
	uint32_t count;

	for (count = run->io.count; count > 0 && action == EXIT_RESUME;
	     count--, data += run->io.size)
		action = io_item(pio, run, data, end);
	return action;
}

/* A port access. Most are of one item: those take no loop. */
static enum exit_action handle_io(struct bus *pio, struct kvm_run *run,
				  struct exit_end *end)
{
	uint8_t *data = (uint8_t *)run + run->io.data_offset;

	if (run->io.count != 1)
		return handle_string_io(pio, run, data, end);
	return io_item(pio, run, data, end);
}

static enum exit_action mmio_item(struct bus *mmio, struct kvm_run *run,
				  unsigned off, unsigned size,
				  struct exit_end *end)
{
	uint64_t addr = run->mmio.phys_addr + off;
	uint8_t *data = run->mmio.data + off;
	bool is_write = run->mmio.is_write, claimed;
	uint64_t val;

	if (is_write) {
		claimed = bus_write(mmio, addr, size, get_item(data, size));
	} else {
		claimed = bus_read(mmio, addr, size, &val);
		put_item(data, size, val);
	}
	if (claimed)
		return EXIT_RESUME;
	return unclaimed(mmio, "address", addr, size, is_write, end);
}

/*
 * A memory access. One that crosses a page can reach us as three, five, six or
 * seven bytes, which go to the bus as powers of two.
 */
NOINLINE static enum exit_action handle_mmio(struct bus *mmio,
					     struct kvm_run *run,
					     struct exit_end *end)
{
	enum exit_action action = EXIT_RESUME;
	unsigned len = run->mmio.len, off, size;

	if (len == 4 || len == 8 || len == 1 || len == 2)
		return mmio_item(mmio, run, 0, len, end);
	if (len > sizeof(run->mmio.data))
		len = sizeof(run->mmio.data);
	for (off = 0; off < len && action == EXIT_RESUME; off += size) {
		for (size = 8; size > len - off;)
			size /= 2;
		action = mmio_item(mmio, run, off, size, end);
	}
	return action;
}

static enum exit_action ended(struct exit_end *end, enum trapmap_end_kind kind,
			      const char *text)
{
	end->kind = kind;
	snprintf(end->text, sizeof(end->text), "%s", text);
	return EXIT_ENDED;
}

static enum exit_action handle_internal_error(const struct kvm_run *run,
					      struct exit_end *end)
{
	static const char *const name[] = {
		[KVM_INTERNAL_ERROR_EMULATION] =
			"KVM could not emulate an instruction",
		[KVM_INTERNAL_ERROR_SIMUL_EX] =
			"an exception arose while KVM delivered another",
		[KVM_INTERNAL_ERROR_DELIVERY_EV] =
			"an exit arose while KVM delivered an event",
		[KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON] =
			"KVM met an exit reason that it does not know",
	};
	uint32_t suberror = run->internal.suberror;
	const char *text = "KVM gave up";

	if (suberror < ARRAY_SIZE(name) && name[suberror])
		text = name[suberror];
	end->kind = TRAPMAP_END_CRASH;
	snprintf(end->text, sizeof(end->text),
		 "%s (KVM_EXIT_INTERNAL_ERROR, suberror %u)", text, suberror);
	return EXIT_ENDED;
}

static enum exit_action handle_system_event(const struct kvm_run *run,
					    struct exit_end *end)
{
	switch (run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
		return ended(end, TRAPMAP_END_POWEROFF, "KVM system event");
	case KVM_SYSTEM_EVENT_RESET:
		return ended(end, TRAPMAP_END_RESET, "KVM system event");
	case KVM_SYSTEM_EVENT_CRASH:
		return ended(end, TRAPMAP_END_CRASH,
			     "the guest reported a crash to KVM");
	}
	end->kind = TRAPMAP_END_HOST_FAILURE;
	snprintf(end->text, sizeof(end->text),
		 "KVM reported a system event of unknown type %u",
		 run->system_event.type);
	return EXIT_ENDED;
}

/* All but accesses. Not inlined: it needs registers that accesses do not. */
static __attribute__((noinline)) enum exit_action
handle_other(struct kvm_run *run, struct exit_end *ret_end)
{
	switch (run->exit_reason) {
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_SET_TPR:
		return EXIT_RESUME;

	case KVM_EXIT_HLT:
		return EXIT_HALTED;

	case KVM_EXIT_HYPERCALL:
		/* None is offered yet; a guest that probes learns just that. */
		run->hypercall.ret = (uint64_t)-KVM_ENOSYS;
		return EXIT_RESUME;

	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR:
		run->msr.error = 1; /* #GP, as for an MSR that is not there */
		return EXIT_RESUME;

	case KVM_EXIT_SHUTDOWN:
		return ended(ret_end, TRAPMAP_END_CRASH,
			     "triple fault (KVM_EXIT_SHUTDOWN)");

	case KVM_EXIT_FAIL_ENTRY:
		ret_end->kind = TRAPMAP_END_CRASH;
		snprintf(ret_end->text, sizeof(ret_end->text),
			 "the processor refused to enter the guest "
			 "(KVM_EXIT_FAIL_ENTRY, reason %#llx)",
			 (unsigned long long)run->fail_entry
				 .hardware_entry_failure_reason);
		return EXIT_ENDED;

	case KVM_EXIT_INTERNAL_ERROR:
		return handle_internal_error(run, ret_end);

	case KVM_EXIT_SYSTEM_EVENT:
		return handle_system_event(run, ret_end);
	}

	ret_end->kind = TRAPMAP_END_HOST_FAILURE;
	snprintf(ret_end->text, sizeof(ret_end->text),
		 "KVM gave exit reason %u, which was not asked for",
		 run->exit_reason);
	return EXIT_ENDED;
}

enum exit_action exit_handle(struct bus *pio, struct bus *mmio,
			     struct kvm_run *run, struct exit_end *ret_end)
{
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		return handle_io(pio, run, ret_end);

	case KVM_EXIT_MMIO:
		return handle_mmio(mmio, run, ret_end);

	default:
		return handle_other(run, ret_end);
	}
}
