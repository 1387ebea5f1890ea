// SPDX-License-Identifier: MIT
/*
 * Sources: SDM volume 3, chapters 2 (control registers), 3 (segments) and 4
 * (paging); the kernel's Documentation/arch/x86/boot.rst, "Running the Kernel",
 * "32-bit Boot Protocol" and "64-bit Boot Protocol"; Multiboot Specification
 * 0.6.96; Xen's docs/misc/pvh.pandoc.
 */
#include "x86/regs.h"

#include <stddef.h>
#include <string.h>

#include "boot/multiboot.h"
#include "core/base.h"
#include "layout.h"

#define CR0_PE BIT(0)
#define CR0_ET BIT(4)
#define CR0_NE BIT(5)
#define CR0_PG BIT(31)
#define CR4_PAE BIT(5)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define RFLAGS_FIXED BIT(1)

#define PTE_PRESENT BIT64(0)
#define PTE_WRITE BIT64(1)
#define PTE_LARGE BIT64(7)

/* Selectors that the boot protocol prescribes. */
#define BOOT_CS 0x10
#define BOOT_DS 0x18

/* Flat descriptors: code with L, data with B; both present, accessed. */
#define GDT_CODE64 UINT64_C(0x00af9b000000ffff)
#define GDT_CODE32 UINT64_C(0x00cf9b000000ffff) /* D in place of L */
#define GDT_DATA UINT64_C(0x00cf93000000ffff)
#define GDT_ENTRIES 4

/* A stack, as a courtesy: the protocol promises none. */
#define BOOT_STACK LAYOUT_CMDLINE

static void write_gdt(const struct gmem *gm, uint64_t code)
{
	uint64_t *gdt = gmem_ptr(gm, LAYOUT_BOOT_GDT,
				 GDT_ENTRIES * sizeof(*gdt));

	gdt[BOOT_CS / 8] = code;
	gdt[BOOT_DS / 8] = GDT_DATA;
}

static void write_page_tables(const struct gmem *gm)
{
	uint64_t low_end = 0;
	uint64_t *pml4, *pdpt, *pd;
	unsigned i;

	for (i = 0; i < gm->count; i++)
		if (gm->region[i].base < LAYOUT_HOLE)
			low_end = gm->region[i].base + gm->region[i].len;

	pml4 = gmem_ptr(gm, LAYOUT_BOOT_PML4, 4096);
	pml4[0] = LAYOUT_BOOT_PDPT | PTE_PRESENT | PTE_WRITE;

	pdpt = gmem_ptr(gm, LAYOUT_BOOT_PDPT, 4096);
	for (i = 0; i < LAYOUT_HOLE / GIB(1); i++)
		pdpt[i] = (LAYOUT_BOOT_PD + i * UINT64_C(4096)) | PTE_PRESENT |
			  PTE_WRITE;

	pd = gmem_ptr(gm, LAYOUT_BOOT_PD, LAYOUT_HOLE / GIB(1) * 4096);
	for (i = 0; i < align_up(low_end, MIB(2)) / MIB(2); i++)
		pd[i] = (i * MIB(2)) | PTE_PRESENT | PTE_WRITE | PTE_LARGE;
}

void regs_write_tables(const struct gmem *gm, enum boot_protocol protocol)
{
	if (protocol == BOOT_LINUX32)
		write_gdt(gm, GDT_CODE32);
	if (protocol != BOOT_LINUX64)
		return;
	write_gdt(gm, GDT_CODE64);
	write_page_tables(gm);
}

/* All 4 GiB. type: 0xb executes and reads, 0x3 reads and writes; accessed. */
static struct kvm_segment flat_segment(uint16_t selector, uint8_t type)
{
	return (struct kvm_segment){
		.selector = selector,
		.limit = 0xffffffff,
		.type = type,
		.s = 1,
		.present = 1,
		.g = 1,
	};
}

static void start_linux64(const struct boot_plan *plan, struct kvm_regs *regs,
			  struct kvm_sregs *sregs)
{
	struct kvm_segment code = flat_segment(BOOT_CS, 0xb);
	struct kvm_segment data = flat_segment(BOOT_DS, 0x3);

	code.l = 1;
	data.db = 1;
	regs->rip = plan->entry;
	regs->rsi = LAYOUT_BOOT_PARAMS;
	regs->rsp = BOOT_STACK;
	regs->rflags = RFLAGS_FIXED;

	sregs->cs = code;
	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
	/* kvm-intel takes no entry in long mode without a busy 64-bit TSS. */
	sregs->tr.type = 0xb;
	sregs->tr.present = 1;
	sregs->gdt.base = LAYOUT_BOOT_GDT;
	sregs->gdt.limit = GDT_ENTRIES * 8 - 1;
	sregs->idt.base = 0;
	sregs->idt.limit = 0;
	sregs->cr3 = LAYOUT_BOOT_PML4;
	sregs->cr4 = CR4_PAE;
	sregs->cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_PG;
	sregs->efer = EFER_LME | EFER_LMA;
}

/* Protected mode, flat, without paging. */
static void start_32(const struct boot_plan *plan, struct kvm_regs *regs,
		     struct kvm_sregs *sregs)
{
	struct kvm_segment code = flat_segment(BOOT_CS, 0xb);
	struct kvm_segment data = flat_segment(BOOT_DS, 0x3);

	code.db = 1;
	data.db = 1;
	regs->rip = plan->entry;
	regs->rsp = BOOT_STACK;
	regs->rflags = RFLAGS_FIXED;
	sregs->cs = code;
	sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
	sregs->cr0 = CR0_PE | CR0_ET;
}

/*
 * EBP, EDI and EBX are 0. The GDT is there in earnest, as a kernel may load its
 * segments from it.
 */
static void start_linux32(const struct boot_plan *plan, struct kvm_regs *regs,
			  struct kvm_sregs *sregs)
{
	start_32(plan, regs, sregs);
	regs->rsi = LAYOUT_BOOT_PARAMS;
	sregs->gdt.base = LAYOUT_BOOT_GDT;
	sregs->gdt.limit = GDT_ENTRIES * 8 - 1;
	sregs->cr0 |= CR0_NE;
}

/*
 * Multiboot Specification 0.6.96, 3.2. There is no GDT behind the selectors: the
 * kernel brings its own before it loads one.
 */
static void start_multiboot(const struct boot_plan *plan, struct kvm_regs *regs,
			    struct kvm_sregs *sregs)
{
	start_32(plan, regs, sregs);
	regs->rax = MULTIBOOT_LOADER_MAGIC;
	regs->rbx = LAYOUT_MULTIBOOT;
	sregs->cr0 |= CR0_NE;
}

/*
 * Of CR0 all that can be clear is but PE, and CR4 is. No GDT either; the task
 * register is as after LTR: a TSS that is busy.
 */
static void start_pvh(const struct boot_plan *plan, struct kvm_regs *regs,
		      struct kvm_sregs *sregs)
{
	start_32(plan, regs, sregs);
	regs->rbx = LAYOUT_PVH;
	sregs->cr4 = 0;
	sregs->tr = (struct kvm_segment){
		.limit = 0x67,
		.type = 0xb,
		.present = 1,
	};
}

static void start_real(const struct boot_plan *plan, struct kvm_regs *regs,
		       struct kvm_sregs *sregs)
{
	regs->rip = plan->entry;
	regs->rsp = plan->sp;
	regs->rflags = RFLAGS_FIXED;
	sregs->cs.selector = plan->cs;
	sregs->cs.base = (uint64_t)plan->cs << 4;
	sregs->ss.selector = plan->ss;
	sregs->ss.base = (uint64_t)plan->ss << 4;
	sregs->ds.selector = sregs->es.selector = plan->cs;
	sregs->ds.base = sregs->es.base = (uint64_t)plan->cs << 4;
}

/* SDM volume 3, 10.1.1 and 10.1.4; the segments are as the reset left them. */
static void start_reset(struct kvm_regs *regs, struct kvm_sregs *sregs)
{
	regs->rip = 0xfff0;
	regs->rflags = RFLAGS_FIXED;
	sregs->cs.selector = 0xf000;
	sregs->cs.base = 0xffff0000;
}

/* boot.rst, "Running the Kernel": all data segments are the setup code's own. */
static void start_linux16(const struct boot_plan *plan, struct kvm_regs *regs,
			  struct kvm_sregs *sregs)
{
	start_real(plan, regs, sregs);
	sregs->ds.selector = sregs->es.selector = sregs->ss.selector;
	sregs->fs.selector = sregs->gs.selector = sregs->ss.selector;
	sregs->ds.base = sregs->es.base = sregs->ss.base;
	sregs->fs.base = sregs->gs.base = sregs->ss.base;
}

void regs_start(const struct boot_plan *plan, struct kvm_regs *regs,
		struct kvm_sregs *sregs)
{
	memset(regs, 0, sizeof(*regs));
	switch (plan->protocol) {
	case BOOT_LINUX64: start_linux64(plan, regs, sregs); break;
	case BOOT_MULTIBOOT: start_multiboot(plan, regs, sregs); break;
	case BOOT_REAL: start_real(plan, regs, sregs); break;
	case BOOT_RESET: start_reset(regs, sregs); break;
	case BOOT_LINUX32: start_linux32(plan, regs, sregs); break;
	case BOOT_LINUX16: start_linux16(plan, regs, sregs); break;
	case BOOT_PVH: start_pvh(plan, regs, sregs); break;
	}
}

/* ---- names -------------------------------------------------------------- */

struct reg_name {
	const char *name;
	bool special;
	uint16_t offset;
	uint8_t size;
};

#define GPR(n) { #n, false, offsetof(struct kvm_regs, n), 8 }
#define CTL(n) { #n, true, offsetof(struct kvm_sregs, n), 8 }
#define SEG(n, field)                                                    \
	{ n, true, offsetof(struct kvm_sregs, field.selector), 2 },      \
	{                                                                \
		n ".base", true, offsetof(struct kvm_sregs, field.base), 8 \
	}

static const struct reg_name reg_names[] = {
	GPR(rax), GPR(rbx), GPR(rcx), GPR(rdx), GPR(rsi), GPR(rdi),
	GPR(rsp), GPR(rbp), GPR(r8), GPR(r9), GPR(r10), GPR(r11),
	GPR(r12), GPR(r13), GPR(r14), GPR(r15), GPR(rip), GPR(rflags),
	CTL(cr0), CTL(cr2), CTL(cr3), CTL(cr4), CTL(cr8), CTL(efer),
	CTL(apic_base), SEG("cs", cs), SEG("ds", ds), SEG("es", es),
	SEG("fs", fs), SEG("gs", gs), SEG("ss", ss), SEG("tr", tr),
	SEG("ldtr", ldt),
};

const struct reg_name *regs_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(reg_names); i++)
		if (!strcmp(reg_names[i].name, name))
			return &reg_names[i];
	return NULL;
}

bool regs_is_special(const struct reg_name *reg)
{
	return reg->special;
}

uint64_t regs_name_get(const struct reg_name *reg, const struct kvm_regs *regs,
		       const struct kvm_sregs *sregs)
{
	const char *from = reg->special ? (const char *)sregs :
					  (const char *)regs;
	uint64_t val = 0;

	memcpy(&val, from + reg->offset, reg->size);
	return val;
}

void regs_name_set(const struct reg_name *reg, struct kvm_regs *regs,
		   struct kvm_sregs *sregs, uint64_t val)
{
	char *to = reg->special ? (char *)sregs : (char *)regs;

	memcpy(to + reg->offset, &val, reg->size);
}
