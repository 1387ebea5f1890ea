/* SPDX-License-Identifier: MIT */
/*
 * io.h: the instructions that C has no words for. Nothing beyond the base
 * x86-64 set: a KVM that emulates ring 0 must know each of them.
 */
#ifndef FIRMWARE_IO_H
#define FIRMWARE_IO_H

#include <stdint.h>

static inline void outb(uint16_t port, uint8_t val)
{
	asm volatile("outb %0, %1" : : "a"(val), "Nd"(port));
}

static inline void outw(uint16_t port, uint16_t val)
{
	asm volatile("outw %0, %1" : : "a"(val), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t val)
{
	asm volatile("outl %0, %1" : : "a"(val), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t val;

	asm volatile("inb %1, %0" : "=a"(val) : "Nd"(port));
	return val;
}

static inline uint16_t inw(uint16_t port)
{
	uint16_t val;

	asm volatile("inw %1, %0" : "=a"(val) : "Nd"(port));
	return val;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t val;

	asm volatile("inl %1, %0" : "=a"(val) : "Nd"(port));
	return val;
}

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return lo | (uint64_t)hi << 32;
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return lo | (uint64_t)hi << 32;
}

static inline void wrmsr(uint32_t msr, uint64_t val)
{
	asm volatile("wrmsr"
		     :
		     : "c"(msr), "a"((uint32_t)val), "d"((uint32_t)(val >> 32))
		     : "memory");
}

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;

	asm volatile("cpuid"
		     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
		     : "a"(leaf), "c"(subleaf));
	return r;
}

static inline uint64_t read_cr2(void)
{
	uint64_t val;

	asm volatile("mov %%cr2, %0" : "=r"(val));
	return val;
}

static inline uint64_t read_cr3(void)
{
	uint64_t val;

	asm volatile("mov %%cr3, %0" : "=r"(val));
	return val;
}

/* Also drops every translation that is not global. */
static inline void write_cr3(uint64_t val)
{
	asm volatile("mov %0, %%cr3" : : "r"(val) : "memory");
}

static inline void interrupts_off(void)
{
	asm volatile("cli" : : : "memory");
}

static inline void interrupts_on(void)
{
	asm volatile("sti" : : : "memory");
}

/*
 * Sleeps until an interrupt and takes it. The shadow of STI closes the gap in
 * which one could slip by before the HLT. Interrupts are off afterwards, so
 * that the caller can look at what changed without a race.
 */
static inline void wait_for_interrupt(void)
{
	asm volatile("sti; hlt; cli" : : : "memory");
}

static inline void cpu_relax(void)
{
	asm volatile("pause" : : : "memory");
}

/* Returns what was there before. */
static inline uint32_t atomic_add(volatile uint32_t *p, uint32_t n)
{
	asm volatile("lock xaddl %0, %1" : "+r"(n), "+m"(*p) : : "memory");
	return n;
}

/* Memory-mapped registers: one access of just this width each. */
static inline uint32_t mmio_read32(uint64_t addr)
{
	uint32_t val;

	asm volatile("movl (%1), %0" : "=r"(val) : "r"(addr) : "memory");
	return val;
}

static inline void mmio_write32(uint64_t addr, uint32_t val)
{
	asm volatile("movl %0, (%1)" : : "r"(val), "r"(addr) : "memory");
}

#endif
