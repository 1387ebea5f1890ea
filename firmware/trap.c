// SPDX-License-Identifier: MIT
/*
 * trap.c: the IDT. An exception that nobody asked for is printed with what is
 * needed to find it, and ends the run as a failure instead of a triple fault.
 */
#include "guest.h"

struct idt_gate {
	uint16_t offset_low;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_mid;
	uint32_t offset_high;
	uint32_t reserved;
} __attribute__((packed));

struct idt_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

#define STUB_SIZE 16
#define GATE_INTERRUPT 0x8e /* present, ring 0, interrupts off on entry */
#define CODE_SELECTOR 0x10

extern const char trap_stubs[];
void trap_dispatch(struct trap_frame *frame);
void trap_load(void);

static struct idt_gate idt[VECTORS] __attribute__((aligned(16)));
static void (*handlers[VECTORS])(struct trap_frame *frame);

static const char *const exception_names[] = {
	"divide error",	     "debug",
	"NMI",		     "breakpoint",
	"overflow",	     "bound range",
	"invalid opcode",    "device not available",
	"double fault",	     "coprocessor overrun",
	"invalid TSS",	     "segment not present",
	"stack fault",	     "general protection",
	"page fault",	     "reserved",
	"x87 error",	     "alignment check",
	"machine check",     "SIMD error",
	"virtualization",    "control protection",
};

static _Noreturn void report(const struct trap_frame *f)
{
	const char *name = f->vector < ARRAY_SIZE(exception_names) ?
				   exception_names[f->vector] :
				   "reserved";

	print("exception %u (%s), error code 0x%x, at RIP 0x%lx\n",
	      (unsigned)f->vector, name, (unsigned)f->error, f->rip);
	print("CR2 0x%lx  CR3 0x%lx  RSP 0x%lx  RFLAGS 0x%lx\n",
	      read_cr2(), read_cr3(), f->rsp, f->rflags);
	test_exit(EXIT_EXCEPTION);
}

void trap_dispatch(struct trap_frame *frame)
{
	uint64_t v = frame->vector;

	if (handlers[v])
		handlers[v](frame);
	else if (v < VECTOR_IRQ)
		report(frame);

	if (v >= VECTOR_IRQ && v < VECTOR_APIC)
		pic_eoi((unsigned)v - VECTOR_IRQ);
	else if (v >= VECTOR_APIC && v < VECTOR_SPURIOUS)
		lapic_eoi();
}

void trap_handler(unsigned vector, void (*handler)(struct trap_frame *frame))
{
	handlers[vector] = handler;
}

/* Each processor does this for itself. */
void trap_load(void)
{
	struct idt_pointer p = { sizeof(idt) - 1, (uintptr_t)idt };

	asm volatile("lidt %0" : : "m"(p));
}

void trap_init(void)
{
	uint64_t stub = (uintptr_t)trap_stubs;
	unsigned i;

	for (i = 0; i < VECTORS; i++, stub += STUB_SIZE)
		idt[i] = (struct idt_gate){
			.offset_low = (uint16_t)stub,
			.selector = CODE_SELECTOR,
			.type = GATE_INTERRUPT,
			.offset_mid = (uint16_t)(stub >> 16),
			.offset_high = (uint32_t)(stub >> 32),
		};
	trap_load();
}
