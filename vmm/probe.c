// SPDX-License-Identifier: MIT
#include "probe.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "core/base.h"
#include "kvm.h"
#include "mem.h"
#include "vcpu.h"
#include "x86/regs.h"

#define PROBE_TIME_NS (250 * NSEC_PER_MSEC)

/* Where things lie in the probe's memory. */
#define PROBE_CODE 0x10000
#define PROBE_IDT 0x11000
#define PROBE_DATA 0x12000

/*
 * Every probe ends in HLT, which reaches us since there is no local APIC in
 * KVM. RSI is PROBE_DATA, RDI the address of an IDT descriptor.
 */
static const uint8_t code_base[] = {
	0xf4, /* hlt */
};

static const uint8_t code_int3[] = {
	0x0f, 0x01, 0x1f, /* lidt [rdi] */
	0xcc,		  /* int3: the handler, at +0x10, halts */
	0xeb, 0xfe,	  /* jmp . */
	0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90,
	0xf4, /* hlt */
};

static const uint8_t code_xsave[] = {
	0x0f, 0x20, 0xe0,		    /* mov rax, cr4 */
	0x0d, 0x00, 0x02, 0x04, 0x00,	    /* or eax, OSXSAVE | OSFXSR */
	0x0f, 0x22, 0xe0,		    /* mov cr4, rax */
	0x31, 0xc9,			    /* xor ecx, ecx */
	0x31, 0xd2,			    /* xor edx, edx */
	0xb8, 0x03, 0x00, 0x00, 0x00,	    /* mov eax, x87 | SSE */
	0x0f, 0x01, 0xd1,		    /* xsetbv */
	0x0f, 0xae, 0x26,		    /* xsave [rsi] */
	0x0f, 0xae, 0x2e,		    /* xrstor [rsi] */
	0xf4,				    /* hlt */
};

static const uint8_t code_cx16[] = {
	0xf0, 0x48, 0x0f, 0xc7, 0x0e, /* lock cmpxchg16b [rsi] */
	0xf4,			      /* hlt */
};

static const struct {
	const char *name;
	const uint8_t *code;
	size_t len;
	uint32_t cpuid_1_ecx; /* the feature bit; 0: always there */
} probes[PROBE_COUNT] = {
	[PROBE_BASE] = { "hlt", code_base, sizeof(code_base), 0 },
	[PROBE_INT3] = { "int3", code_int3, sizeof(code_int3), 0 },
	[PROBE_XSAVE] = { "xsave and xrstor", code_xsave, sizeof(code_xsave),
			  BIT(26) },
	[PROBE_CX16] = { "lock cmpxchg16b", code_cx16, sizeof(code_cx16),
			 BIT(13) },
};

struct probe_vm {
	int vm_fd;
	int fd;
	struct kvm_run *run;
	size_t run_size;
	struct mem mem;
};

const char *probe_name(enum probe probe)
{
	return probes[probe].name;
}

static bool is_offered(const struct kvm_cpuid2 *cpuid, uint32_t bits)
{
	unsigned i;

	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 1)
			return (cpuid->entries[i].ecx & bits) == bits;
	return false;
}

/* An interrupt gate for vector 3, and the descriptor that LIDT loads. */
static void write_idt(const struct gmem *gm)
{
	uint8_t *idt = gmem_ptr(gm, PROBE_IDT, 4096);
	uint8_t *gate = idt + 3 * 16;
	uint64_t handler = PROBE_CODE + 0x10;

	put_le16(gate, (uint16_t)handler);
	put_le16(gate + 2, 0x10); /* CS of the boot GDT */
	put_le16(gate + 4, 0x8e00);
	put_le16(gate + 6, (uint16_t)(handler >> 16));
	put_le16(idt + 1024, 4 * 16 - 1);
	put_le64(idt + 1026, PROBE_IDT);
}

static int set_registers(struct probe_vm *p)
{
	const struct boot_plan plan = { .protocol = BOOT_LINUX64,
					.entry = PROBE_CODE };
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	int r;

	r = kvm_ioctl(p->fd, KVM_GET_SREGS, &sregs);
	if (r < 0)
		return r;
	regs_start(&plan, &regs, &sregs);
	regs.rsi = PROBE_DATA;
	regs.rdi = PROBE_IDT + 1024;
	r = kvm_ioctl(p->fd, KVM_SET_SREGS, &sregs);
	if (r < 0)
		return r;
	return kvm_ioctl(p->fd, KVM_SET_REGS, &regs);
}

static int build(struct probe_vm *p, int sys_fd, const struct kvm_cpuid2 *cpuid,
		 enum probe probe)
{
	const struct platform pc = platform_pc(MEM_MIN, 1, PLATFORM_TRANSPORT);
	int size = kvm_ioctl_val(sys_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	struct error err;
	int r;

	if (size < 0)
		return size;
	p->run_size = (size_t)size;
	p->vm_fd = kvm_ioctl_val(sys_fd, KVM_CREATE_VM, 0);
	if (p->vm_fd < 0)
		return p->vm_fd;
	r = mem_init(&p->mem, &pc, &err);
	if (r == 0)
		r = mem_attach(&p->mem, p->vm_fd, &err);
	if (r < 0)
		return r;
	p->fd = kvm_ioctl_val(p->vm_fd, KVM_CREATE_VCPU, 0);
	if (p->fd < 0)
		return p->fd;
	r = kvm_map_run(p->fd, p->run_size, &p->run);
	if (r == 0)
		r = kvm_ioctl(p->fd, KVM_SET_CPUID2, (void *)(uintptr_t)cpuid);
	if (r == 0)
		r = kvm_set_signal(p->fd, vcpu_kick_signal());
	if (r < 0)
		return r;
	regs_write_tables(&p->mem.gmem, BOOT_LINUX64);
	write_idt(&p->mem.gmem);
	(void)gmem_write(&p->mem.gmem, PROBE_CODE, probes[probe].code,
			 probes[probe].len);
	return set_registers(p);
}

static void destroy(struct probe_vm *p)
{
	if (p->run)
		munmap(p->run, p->run_size);
	if (p->fd >= 0)
		close(p->fd);
	if (p->vm_fd >= 0)
		close(p->vm_fd);
	mem_done(&p->mem);
}

/*
 * KVM_RUN until it exits or time is up. The time's signal is blocked in this
 * thread, so it is pending at most and taken off again.
 */
static enum probe_result run_for_a_while(struct probe_vm *p)
{
	const struct itimerspec limit = {
		.it_value.tv_nsec = PROBE_TIME_NS,
	};
	const struct timespec now = { 0 };
	struct sigevent ev = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = vcpu_kick_signal(),
	};
	sigset_t kick, old;
	timer_t timer;
	int r;

	sigemptyset(&kick);
	sigaddset(&kick, vcpu_kick_signal());
	ev._sigev_un._tid = gettid();
	if (timer_create(CLOCK_MONOTONIC, &ev, &timer) < 0)
		return PROBE_FAILED;
	pthread_sigmask(SIG_BLOCK, &kick, &old);
	timer_settime(timer, 0, &limit, NULL);
	r = ioctl(p->fd, KVM_RUN, NULL) < 0 ? -errno : 0;
	timer_delete(timer);
	while (sigtimedwait(&kick, NULL, &now) > 0)
		;
	pthread_sigmask(SIG_SETMASK, &old, NULL);

	if (r == -EINTR)
		return PROBE_STUCK;
	if (r < 0)
		return PROBE_REFUSED;
	return p->run->exit_reason == KVM_EXIT_HLT ? PROBE_RAN : PROBE_REFUSED;
}

enum probe_result probe_run(int sys_fd, enum probe probe)
{
	struct probe_vm p = { .vm_fd = -1, .fd = -1 };
	enum probe_result result = PROBE_FAILED;
	struct kvm_cpuid2 *cpuid;

	if (kvm_supported_cpuid(sys_fd, 0, &cpuid) < 0)
		return PROBE_FAILED;
	if (!is_offered(cpuid, probes[probe].cpuid_1_ecx))
		result = PROBE_NOT_OFFERED;
	else if (build(&p, sys_fd, cpuid, probe) == 0)
		result = run_for_a_while(&p);
	destroy(&p);
	free(cpuid);
	return result;
}
