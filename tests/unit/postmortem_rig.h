/* SPDX-License-Identifier: MIT */
/*
 * postmortem_rig.h: made-up runs for the tests of the post-mortem and of the
 * report: 1 MiB of guest memory, a vCPU or a few with registers of choice, and a
 * board with one device.
 */
#ifndef TRAPMAP_POSTMORTEM_RIG_H
#define TRAPMAP_POSTMORTEM_RIG_H

#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "core/bus.h"
#include "core/gmem.h"
#include "postmortem/gather.h"
#include "postmortem/postmortem.h"

#define RIG_RAM MIB(1)
#define RIG_CODE 0x8000
#define RIG_STACK 0x9000
#define RIG_PML4 0x1000
#define RIG_VCPUS 255

#define RIG_END 5000000 /* the end, in ticks of a nanosecond */

struct rig {
	struct gmem gm;
	uint8_t *ram;
	struct device dev;
	struct bus pio, mmio;
	struct postmortem pm;
};

static const struct device_ops rig_ops = { .name = "toy", .sizes = 1 };

static inline void rig_init(struct rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	rig->ram = calloc(1, RIG_RAM);
	assert_non_null(rig->ram);
	assert_int_equal(gmem_add(&rig->gm, 0, RIG_RAM, rig->ram), 0);
	device_init(&rig->dev, &rig_ops);
	bus_init(&rig->pio, 0xffff);
	bus_init(&rig->mmio, UINT64_MAX - 1);
	assert_int_equal(bus_add(&rig->pio, 0x70, 2, &rig->dev, 0), 0);

	rig->pm = (struct postmortem){
		.depth = PM_FULL,
		.end = { .size = sizeof(struct trapmap_end),
			 .kind = TRAPMAP_END_TIMEOUT,
			 .status = 124,
			 .vcpu = -1,
			 .text = "the time limit ran out" },
		.began = { .tsc = 0, .ns = 1 },
		.over = { .tsc = RIG_END, .ns = 1 + RIG_END },
		.kvm_kind = TRAPMAP_KVM_SOFTWARE,
		.nested_paging = -1,
		.vendor = "GenuineIntel",
		.kernel = "vmlinuz",
		.format = "bzImage",
		.boot = "linux64",
		.is_linux = true,
		.cmdline = "console=ttyS0 earlyprintk=ttyS0",
		.mem = MIB(256),
		.cpus = 1,
		.bytes = { 100, 0 },
		.serial_bytes = 100,
		.pio = &rig->pio,
		.mmio = &rig->mmio,
	};
	rig->pm.vcpu = calloc(RIG_VCPUS, sizeof(struct pm_vcpu));
	assert_non_null(rig->pm.vcpu);
}

static inline void rig_done(struct rig *rig)
{
	postmortem_done(&rig->pm);
	bus_done(&rig->pio);
	bus_done(&rig->mmio);
	device_done(&rig->dev);
	free(rig->ram);
}

/* One more vCPU, in real mode at 0:RIG_CODE. */
static inline struct pm_vcpu *rig_vcpu(struct rig *rig)
{
	struct pm_vcpu *v = &rig->pm.vcpu[rig->pm.vcpus];

	v->id = rig->pm.vcpus++;
	v->state = PM_RUNNING;
	v->has_regs = true;
	v->regs.rip = RIG_CODE;
	v->regs.rsp = RIG_STACK;
	v->regs.rflags = 2;
	v->sregs.cs = (struct kvm_segment){
		.limit = 0xffff, .type = 11, .s = 1, .present = 1,
	};
	v->sregs.ss = v->sregs.ds = v->sregs.es = v->sregs.fs = v->sregs.gs =
		(struct kvm_segment){
			.limit = 0xffff, .type = 3, .s = 1, .present = 1,
		};
	v->sregs.idt.limit = 0x3ff;
	return v;
}

/* 32-bit protected mode without paging, flat. */
static inline void rig_protected(struct pm_vcpu *v)
{
	v->sregs.cr0 = 0x11;
	v->sregs.cs.db = v->sregs.ss.db = 1;
	v->sregs.cs.limit = v->sregs.ss.limit = UINT32_MAX;
	v->sregs.cs.selector = 8;
	v->sregs.idt.limit = 0x7ff;
}

/* Long mode; the first 2 MiB are mapped to themselves. */
static inline void rig_long(struct rig *rig, struct pm_vcpu *v)
{
	put_le64(rig->ram + RIG_PML4, 0x2003);
	put_le64(rig->ram + 0x2000, 0x3003);
	put_le64(rig->ram + 0x3000, 0x83);
	rig_protected(v);
	v->sregs.cr0 = 0x80010011;
	v->sregs.cr4 = 0x20;
	v->sregs.efer = 0x500;
	v->sregs.cr3 = RIG_PML4;
	v->sregs.cs.l = 1;
	v->sregs.cs.db = 0;
	v->sregs.idt.limit = 0xfff;
}

/* One more exit, so many microseconds before the end. */
static inline struct flight_record *rig_exit(struct pm_vcpu *v, uint32_t reason,
					     uint64_t before_us)
{
	struct flight_record *rec;

	if (!v->exit) {
		v->exit = calloc(FLIGHT_RECORDS, sizeof(*v->exit));
		assert_non_null(v->exit);
	}
	rec = &v->exit[v->exit_count++];
	v->exits++;
	*rec = (struct flight_record){
		.reason = reason,
		.tsc = RIG_END - before_us * 1000,
		.count = 1,
	};
	return rec;
}

static inline void rig_port(struct pm_vcpu *v, uint64_t before_us, uint64_t port,
			    uint64_t value, unsigned flags)
{
	struct flight_record *rec = rig_exit(v, KVM_EXIT_IO, before_us);

	rec->addr = port;
	rec->value = value;
	rec->size = 1;
	rec->flags = (uint8_t)flags;
}

/* The run crashed by what its first vCPU did. */
static inline void rig_crash(struct rig *rig, uint32_t reason, uint64_t detail)
{
	rig->pm.end.kind = TRAPMAP_END_CRASH;
	rig->pm.end.status = 8;
	rig->pm.end.vcpu = 0;
	rig->pm.end.text = "vCPU 0 crashed";
	rig_exit(&rig->pm.vcpu[0], reason, 0)->value = detail;
}

#endif
