// SPDX-License-Identifier: MIT
#include "postmortem/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base.h"
#include "core/device.h"

const char *words_kind(int kind)
{
	switch (kind) {
	case TRAPMAP_END_POWEROFF: return "power-off";
	case TRAPMAP_END_GUEST_STATUS: return "guest-status";
	case 2: return "not-run";
	case TRAPMAP_END_HOST_FAILURE: return "host-failure";
	case TRAPMAP_END_RESET: return "reset";
	case TRAPMAP_END_CRASH: return "crash";
	case TRAPMAP_END_PANIC: return "panic";
	case TRAPMAP_END_STUCK: return "stuck";
	case TRAPMAP_END_UNCLAIMED: return "unclaimed";
	case TRAPMAP_END_EXPECT: return "expect";
	case TRAPMAP_END_TIMEOUT: return "timeout";
	}
	return "stopped";
}

const char *words_kvm(enum trapmap_kvm_kind kind)
{
	switch (kind) {
	case TRAPMAP_KVM_VTX: return "VT-x";
	case TRAPMAP_KVM_AMDV: return "AMD-V";
	case TRAPMAP_KVM_SOFTWARE: return "software";
	case TRAPMAP_KVM_UNKNOWN: break;
	}
	return "unknown";
}

const char *words_state(enum pm_state state)
{
	switch (state) {
	case PM_NOT_STARTED: return "never started";
	case PM_WAITING: return "waiting for its startup IPI";
	case PM_RUNNING: return "running";
	case PM_IDLE: return "halted, interrupts on";
	case PM_HALTED: return "halted, interrupts off";
	case PM_UNKNOWN: break;
	}
	return "in an unknown state";
}

const char *words_mode(enum pm_mode mode)
{
	switch (mode) {
	case PM_REAL: return "real mode";
	case PM_VIRTUAL_8086: return "virtual-8086 mode";
	case PM_PROTECTED_16: return "16-bit protected mode";
	case PM_PROTECTED_32: return "32-bit protected mode";
	case PM_COMPATIBILITY_16: return "16-bit compatibility mode";
	case PM_COMPATIBILITY_32: return "32-bit compatibility mode";
	case PM_LONG: break;
	}
	return "64-bit mode";
}

const char *words_stream(enum watch_stream stream)
{
	switch (stream) {
	case WATCH_COM1: return "serial port";
	case WATCH_COM2: return "serial port COM2";
	case WATCH_COM3: return "serial port COM3";
	case WATCH_COM4: return "serial port COM4";
	case WATCH_DEBUGCON: return "debug console";
	default: return "virtio console";
	}
}

const char *words_walk(enum walk_end end)
{
	switch (end) {
	case WALK_MAPPED: return "mapped";
	case WALK_NO_PAGING: return "no-paging";
	case WALK_NOT_PRESENT: return "not-present";
	case WALK_RESERVED: return "reserved-bit";
	case WALK_NOT_RAM: return "table-not-in-ram";
	case WALK_NOT_CANONICAL: return "not-canonical";
	}
	return "unknown";
}

/* The places of a PC that guests try, found or not. */
static const struct {
	bool is_mmio;
	uint64_t first, last;
	const char *name;
} places[] = {
	{ false, 0x0000, 0x001f, "DMA controller" },
	{ false, 0x0022, 0x0023, "chipset configuration" },
	{ false, 0x0081, 0x008f, "DMA page registers" },
	{ false, 0x0092, 0x0092, "system control port A, fast A20" },
	{ false, 0x00b2, 0x00b3, "SMI command" },
	{ false, 0x00c0, 0x00df, "DMA controller" },
	{ false, 0x00ed, 0x00ed, "I/O delay" },
	{ false, 0x00f0, 0x00f1, "coprocessor" },
	{ false, 0x0170, 0x0177, "IDE, secondary" },
	{ false, 0x01ce, 0x01d0, "Bochs VBE display" },
	{ false, 0x01f0, 0x01f7, "IDE, primary" },
	{ false, 0x0278, 0x027f, "parallel port 2" },
	{ false, 0x02e8, 0x02ef, "serial port 4" },
	{ false, 0x02f8, 0x02ff, "serial port 2" },
	{ false, 0x0376, 0x0376, "IDE, secondary" },
	{ false, 0x0378, 0x037f, "parallel port 1" },
	{ false, 0x03b0, 0x03df, "VGA registers" },
	{ false, 0x03e8, 0x03ef, "serial port 3" },
	{ false, 0x03f0, 0x03f5, "floppy" },
	{ false, 0x03f6, 0x03f6, "IDE, primary" },
	{ false, 0x0510, 0x051b, "fw_cfg" },
	{ false, 0x0cf8, 0x0cff, "PCI configuration" },
	{ false, 0x5658, 0x5659, "VMware backdoor" },
	{ true, 0xa0000, 0xaffff, "VGA graphics memory" },
	{ true, 0xb0000, 0xb7fff, "VGA text memory, monochrome" },
	{ true, 0xb8000, 0xbffff, "VGA text memory" },
	{ true, 0xfed00000, 0xfed003ff, "HPET" },
	{ true, 0xfed40000, 0xfed44fff, "TPM" },
};

const char *words_place(bool is_mmio, uint64_t addr, uint64_t *ret_first,
			uint64_t *ret_last)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		if (places[i].is_mmio != is_mmio || addr < places[i].first ||
		    addr > places[i].last)
			continue;
		*ret_first = places[i].first;
		*ret_last = places[i].last;
		return places[i].name;
	}
	return NULL;
}

struct bit {
	unsigned bit;
	const char *name;
};

/* SDM volume 3, 2.5, 2.2.1, and volume 1, 3.4.3; NULL ends. */
static const struct bit cr0_bits[] = {
	{ 31, "PG" }, { 30, "CD" }, { 29, "NW" }, { 18, "AM" }, { 16, "WP" },
	{ 5, "NE" },  { 4, "ET" },  { 3, "TS" },  { 2, "EM" },	{ 1, "MP" },
	{ 0, "PE" },  { 0, NULL },
};
static const struct bit cr4_bits[] = {
	{ 32, "FRED" },	     { 28, "LAM_SUP" }, { 25, "UINTR" },
	{ 24, "PKS" },	     { 23, "CET" },	{ 22, "PKE" },
	{ 21, "SMAP" },	     { 20, "SMEP" },	{ 19, "KL" },
	{ 18, "OSXSAVE" },   { 17, "PCIDE" },	{ 16, "FSGSBASE" },
	{ 14, "SMXE" },	     { 13, "VMXE" },	{ 12, "LA57" },
	{ 11, "UMIP" },	     { 10, "OSXMMEXCPT" }, { 9, "OSFXSR" },
	{ 8, "PCE" },	     { 7, "PGE" },	{ 6, "MCE" },
	{ 5, "PAE" },	     { 4, "PSE" },	{ 3, "DE" },
	{ 2, "TSD" },	     { 1, "PVI" },	{ 0, "VME" },
	{ 0, NULL },
};
static const struct bit efer_bits[] = {
	{ 15, "TCE" }, { 14, "FFXSR" }, { 13, "LMSLE" }, { 12, "SVME" },
	{ 11, "NXE" }, { 10, "LMA" },	{ 8, "LME" },	 { 0, "SCE" },
	{ 0, NULL },
};
static const struct bit rflags_bits[] = {
	{ 21, "ID" }, { 20, "VIP" }, { 19, "VIF" }, { 18, "AC" }, { 17, "VM" },
	{ 16, "RF" }, { 14, "NT" },  { 11, "OF" },  { 10, "DF" }, { 9, "IF" },
	{ 8, "TF" },  { 7, "SF" },   { 6, "ZF" },   { 4, "AF" },  { 2, "PF" },
	{ 0, "CF" },  { 0, NULL },
};

void words_bits(enum words_register which, uint64_t val, char *text,
		size_t size)
{
	static const struct bit *const tables[] = {
		[WORDS_CR0] = cr0_bits,
		[WORDS_CR4] = cr4_bits,
		[WORDS_EFER] = efer_bits,
		[WORDS_RFLAGS] = rflags_bits,
	};
	const struct bit *b;
	size_t n = 0;

	text[0] = '\0';
	for (b = tables[which]; b->name && n < size; b++)
		if (val & BIT64(b->bit))
			n += (size_t)snprintf(text + n, size - n, "%s%s",
					      n ? " " : "", b->name);
	if (which == WORDS_RFLAGS && n < size && (val >> 12 & 3))
		snprintf(text + n, size - n, "%sIOPL=%u", n ? " " : "",
			 (unsigned)(val >> 12 & 3));
}

void words_segment(const struct kvm_segment *seg, char *text, size_t size)
{
	const char *kind, *width = seg->db ? ", 32-bit" : ", 16-bit";

	if (seg->unusable) {
		snprintf(text, size, "unusable");
		return;
	}
	if (!seg->s) {
		/* SDM volume 3, table 3-2; bit 3 of a TSS tells its width. */
		kind = seg->type == 2 ? "LDT" :
		       (seg->type & 5) == 1 ?
			       (seg->type & 2 ? "TSS, busy" : "TSS") :
			       "system";
		snprintf(text, size, "%s%s%s", kind,
			 (seg->type & 5) == 1 && !(seg->type & 8) ? ", 16-bit" :
								    "",
			 seg->present ? "" : ", not present");
		return;
	}
	if (seg->type & 8) {
		kind = seg->type & 2 ? "code, readable" : "code";
		if (seg->l)
			width = ", 64-bit";
	} else {
		kind = seg->type & 2 ? "data, writable" : "data";
	}
	snprintf(text, size, "%s%s%s, DPL %u%s", kind,
		 seg->type & 4 ? (seg->type & 8 ? ", conforming" :
						  ", expand-down") :
				 "",
		 width, seg->dpl, seg->present ? "" : ", not present");
}

/* Farther from a symbol than this, its name would say nothing. */
#define SYMBOL_REACH MIB(1)

bool words_symbol(const struct postmortem *pm, uint64_t addr, char *text,
		  size_t size)
{
	const struct pm_symbols *s = &pm->symbols;
	const char *name = NULL;
	uint64_t off = 0;

	text[0] = '\0';
	if (s->table && s->fit != SYMBOLS_MISFIT)
		name = symbols_find(s->table,
				    addr - (s->fit == SYMBOLS_FIT ? s->offset :
								    0),
				    &off);
	if (!name || off >= SYMBOL_REACH)
		return false;
	if (off)
		snprintf(text, size, "%s+%#" PRIx64, name, off);
	else
		snprintf(text, size, "%s", name);
	return true;
}

unsigned words_cpl(const struct pm_vcpu *vcpu)
{
	return vcpu->mode == PM_REAL ? 0 : vcpu->sregs.ss.dpl & 3u;
}

double words_when(const struct postmortem *pm, uint64_t tsc)
{
	const struct tsc_mark *from = &pm->began, *to = &pm->over;

	if (tsc > to->tsc)
		return (double)tsc_to_ns(from, to, tsc - to->tsc) / 1e3;
	return -(double)tsc_to_ns(from, to, to->tsc - tsc) / 1e3;
}

const char *words_device(const struct postmortem *pm,
			 const struct flight_record *rec)
{
	const struct device *dev;

	if (!pm->pio || !pm->mmio)
		return NULL;
	dev = flight_device(rec, pm->pio, pm->mmio);
	return dev ? dev->ops->name : NULL;
}
