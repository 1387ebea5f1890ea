// SPDX-License-Identifier: MIT
#include "postmortem/gather.h"

#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "host.h"
#include "kvm.h"
#include "loop.h"
#include "post_code.h"
#include "postmortem/disasm.h"
#include "postmortem/fault.h"
#include "postmortem/postmortem.h"
#include "postmortem/sentence.h"
#include "stats.h"
#include "vm.h"

/* The largest file of symbols that is read. */
#define SYMBOLS_MAX GIB(1)

/* ---- facts that cost little --------------------------------------------- */

static void gather_host(struct postmortem *pm)
{
	uint32_t eax, ebx = 0, ecx = 0, edx = 0;

	pm->kvm_kind = host_kind(&pm->nested_paging);
	if (!__get_cpuid(0, &eax, &ebx, &ecx, &edx))
		return;
	put_le32(pm->vendor, ebx);
	put_le32(pm->vendor + 4, edx);
	put_le32(pm->vendor + 8, ecx);
}

static void gather_guest(struct trapmap_vm *vm, struct postmortem *pm)
{
	const struct vm_config *c = &vm->config;
	const struct boot_plan *plan = &vm->loaded.plan;
	unsigned i;

	pm->kernel = c->kernel.name ? c->kernel.name : "";
	pm->format = plan->format;
	pm->boot = boot_name(plan->boot);
	pm->is_linux = plan->is_linux;
	pm->cmdline = c->cmdline ? c->cmdline : "";
	pm->mem = c->mem;
	pm->memory = vm->mem.back.map ? &vm->mem.back.config : &c->memory;
	pm->cpus = c->cpus;
	pm->initrd = calloc(c->initrds + 1, sizeof(*pm->initrd));
	for (i = 0; pm->initrd && i < c->initrds; i++)
		pm->initrd[pm->initrds++] = c->initrd[i].name;
}

static int by_address(const void *a, const void *b)
{
	const struct pm_unclaimed *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

static unsigned gather_unclaimed(struct bus *bus, struct pm_unclaimed *ret)
{
	unsigned i, n = 0;

	for (i = 0; i < BUS_UNCLAIMED_MAX; i++) {
		struct bus_unclaimed *u = &bus->unclaimed[i];
		uint64_t key = atomic_load(&u->key);

		if (key)
			ret[n++] = (struct pm_unclaimed){
				.addr = key - 1,
				.reads = atomic_load(&u->reads),
				.writes = atomic_load(&u->writes),
			};
	}
	qsort(ret, n, sizeof(*ret), by_address);
	return n;
}

static void gather_board(struct trapmap_vm *vm, struct postmortem *pm)
{
	struct post_code_entry post[PM_POST_CODES];
	struct machine *m = &vm->machine;
	int64_t now;
	size_t i;

	pm->pio = &m->pio;
	pm->mmio = &m->mmio;
	pm->pio_unclaimed_len = gather_unclaimed(&m->pio, pm->pio_unclaimed);
	pm->mmio_unclaimed_len = gather_unclaimed(&m->mmio, pm->mmio_unclaimed);
	pm->pio_others = atomic_load(&m->pio.unclaimed_others);
	pm->mmio_others = atomic_load(&m->mmio.unclaimed_others);
	if (!m->post)
		return;
	/* At the end, not now: it may have taken the vCPUs a while to stop. */
	now = loop_now(vm->loop, LOOP_CLOCK_VM);
	if (vm->over.ns)
		now -= (int64_t)(tsc_mark().ns - vm->over.ns);
	pm->posts = (unsigned)post_code_history(m->post, post, PM_POST_CODES);
	for (i = 0; i < pm->posts; i++)
		pm->post[i] = (struct pm_post){
			.code = post[i].code,
			.count = post[i].count,
			.before_ns = now - post[i].ns,
		};
}

/* What may still change until the rules for the consoles have been looked at. */
static void gather_end(struct trapmap_vm *vm, struct postmortem *pm)
{
	struct watch *watch = vm->config.watch;
	unsigned i;

	pm->end = vm->end;
	pm->began = vm->began;
	pm->over = vm->over;
	if (vm->state == VM_FAILED)
		pm->end = (struct trapmap_end){
			.size = sizeof(pm->end),
			.kind = (enum trapmap_end_kind)vm->error.status,
			.status = (int)vm->error.status,
			.vcpu = -1,
			.text = vm->error.text,
		};
	for (i = 0; i < WATCH_STREAMS; i++)
		pm->bytes[i] = watch_bytes(watch, (enum watch_stream)i);
	for (i = WATCH_HVC; i < WATCH_STREAMS; i++)
		pm->hvc_bytes += pm->bytes[i];
	for (i = WATCH_COM1; i <= WATCH_COM4; i++)
		pm->serial_bytes += pm->bytes[i];
	pm->debugcon_connected = vm->config.machine.debugcon_fd >= 0;
	pm->silent = pm->serial_bytes == 0 && pm->hvc_bytes == 0 &&
		     (pm->bytes[WATCH_DEBUGCON] == 0 || !pm->debugcon_connected);
	pm->stats = vm->observe.total;
	pm->hits = watch_hits(watch, &pm->hit);
	pm->missing = watch_missing(watch);
}

/* ---- the vCPUs ---------------------------------------------------------- */

static void gather_vcpus(struct trapmap_vm *vm, struct postmortem *pm)
{
	struct disasm *disasm = NULL;
	unsigned i;
	int r;

	pm->vcpu = calloc(vm->config.cpus, sizeof(*pm->vcpu));
	if (!pm->vcpu)
		return;
	r = disasm_new(&disasm);
	if (r < 0)
		snprintf(pm->disasm_note, sizeof(pm->disasm_note), "%s",
			 r == -ENOSYS	? "(built without a disassembler)"
			 : r == -ENOENT ? "(no disassembly: libZydis is not "
					  "installed)"
					: "(no disassembly: out of memory)");
	for (i = 0; i < vm->config.cpus; i++)
		gather_vcpu(i, vm->vcpu[i].fd, vm->vcpu[i].flight,
			    &vm->mem.gmem, disasm, &pm->vcpu[i]);
	pm->vcpus = vm->config.cpus;
	disasm_free(disasm);
}

/* ---- symbols ------------------------------------------------------------ */

/* How a vCPU translates that has paging on, the one that ended it first. */
static void find_mode(struct trapmap_vm *vm, struct walk_mode *ret_mode)
{
	unsigned i, n = vm->config.cpus;
	unsigned first = vm->end.vcpu > 0 ? (unsigned)vm->end.vcpu : 0;

	*ret_mode = (struct walk_mode){ 0 };
	for (i = 0; i < n; i++) {
		const struct vcpu *vcpu = &vm->vcpu[(first + i) % n];
		struct kvm_sregs s;

		if (kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &s) < 0 ||
		    !(s.cr0 & BIT64(31)))
			continue;
		*ret_mode = (struct walk_mode){
			.cr0 = s.cr0,
			.cr3 = s.cr3,
			.cr4 = s.cr4,
			.efer = s.efer,
		};
		return;
	}
}

static void gather_symbols(struct trapmap_vm *vm, struct postmortem *pm)
{
	bool own = !vm->config.symbols.name;
	struct source *src = own ? &vm->config.kernel : &vm->config.symbols;
	struct pm_symbols *s = &pm->symbols;
	struct walk_mode mode;
	struct error err = { 0 };
	int r;

	if (s->tried || !src->name)
		return;
	s->tried = true;
	r = symbols_load(src, SYMBOLS_MAX, &s->table, &err);
	/* A kernel that is no ELF, or stripped, is nothing to complain of. */
	if (r < 0 && own)
		return;
	s->file = strdup(src->name);
	if (r < 0) {
		snprintf(s->note, sizeof(s->note), "%s", err.text);
		return;
	}
	find_mode(vm, &mode);
	s->fit = symbols_locate(s->table, &vm->mem.gmem, &mode, &s->offset);
	if (s->fit == SYMBOLS_MISFIT)
		snprintf(s->note, sizeof(s->note),
			 "the symbols of '%s' are of another kernel than the "
			 "one in memory, so no names are shown",
			 src->name);
	else if (s->fit == SYMBOLS_UNKNOWN && !own)
		snprintf(s->note, sizeof(s->note),
			 "nothing in memory tells whether the symbols of '%s' "
			 "are this kernel's; names are shown as if they were, "
			 "and as if it had not moved",
			 src->name);
}

/* ---- the whole ---------------------------------------------------------- */

static struct postmortem *begin(struct trapmap_vm *vm)
{
	struct postmortem *pm;

	if (vm->pm)
		return vm->pm;
	pm = calloc(1, sizeof(*pm));
	if (!pm)
		return NULL;
	gather_host(pm);
	gather_guest(vm, pm);
	if (vm->state != VM_FAILED)
		gather_board(vm, pm);
	vm->pm = pm;
	return pm;
}

static enum pm_depth depth_for(const struct postmortem *pm)
{
	switch (pm->end.kind) {
	case TRAPMAP_END_CRASH:
	case TRAPMAP_END_PANIC:
	case TRAPMAP_END_STUCK:
	case TRAPMAP_END_UNCLAIMED:
	case TRAPMAP_END_TIMEOUT: return PM_FULL;
	case TRAPMAP_END_POWEROFF: return PM_REPORT;
	default: return pm->silent ? PM_SHORT : PM_REPORT;
	}
}

/* How many bytes of the instruction KVM gives that it failed to emulate. */
static unsigned kvm_insn_len(const struct kvm_run *run)
{
	const unsigned max = sizeof(run->emulation_failure.insn_bytes);
	unsigned len = run->emulation_failure.insn_size;

	if (run->emulation_failure.ndata < 3 ||
	    !(run->emulation_failure.flags &
	      KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES))
		return 0;
	return len < max ? len : max;
}

/*
 * KVM with VT-x gives up where the way to a handler leads through what is not RAM,
 * a stack above all: by its own error, or by that of the emulator, which it asked.
 */
static bool delivers(const struct pm_vcpu *v, const struct flight_record *last)
{
	return last->reason == KVM_EXIT_INTERNAL_ERROR && v->has_events &&
	       v->events.exception.injected;
}

/* What the last exit of the vCPU that crashed tells, in a sentence. */
static void explain(struct trapmap_vm *vm, struct postmortem *pm,
		    const struct pm_vcpu *v)
{
	const uint8_t *kvm_bytes =
		vm->vcpu[v->id].run->emulation_failure.insn_bytes;
	unsigned kvm_len = kvm_insn_len(vm->vcpu[v->id].run);
	const struct flight_record *last = &v->exit[v->exit_count - 1];
	struct sentence_crash crash = {
		.reason = last->reason,
		.detail = last->value,
		.insn = v->insns ? v->insn[0].text : "",
		.bytes = v->code,
		.len = v->insns ? v->insn[0].len : v->code_len,
	};
	char fault[sizeof(vm->end_text)] = "", text[sizeof(vm->end_text)];

	crash.fault = fault;
	if ((last->reason == KVM_EXIT_SHUTDOWN || delivers(v, last)) &&
	    v->has_regs && !v->after_reset)
		fault_explain(&v->regs, &v->sregs,
			      v->has_events ? &v->events : NULL, &vm->mem.gmem,
			      fault, sizeof(fault));
	/* What KVM read counts, where guest memory says otherwise by now. */
	if (last->reason == KVM_EXIT_INTERNAL_ERROR && kvm_len > 0 &&
	    memcmp(v->code, kvm_bytes,
		   crash.len < kvm_len ? crash.len : kvm_len)) {
		crash.insn = "";
		crash.bytes = kvm_bytes;
		crash.len = kvm_len;
	}
	if (!sentence_crash(pm, v, &crash, text, sizeof(text)))
		return;
	pthread_mutex_lock(&vm->control.lock);
	memcpy(vm->end_text, text, sizeof(text));
	pthread_mutex_unlock(&vm->control.lock);
}

/* Of a failed emulation: what the host can do at all. */
static void ask_doctor(struct trapmap_vm *vm, struct postmortem *pm)
{
	struct trapmap_host host = TRAPMAP_HOST_INIT;

	if (trapmap_host_probe(vm->config.kvm_path, &host) < 0)
		return;
	if (host.error == 0)
		snprintf(pm->doctor, sizeof(pm->doctor), "%s",
			 host.boots_linux_text);
	trapmap_host_done(&host);
}

/* Adds where the vCPU is that the verdict names. */
static void add_place(struct trapmap_vm *vm, const struct postmortem *pm,
		      const struct pm_vcpu *v)
{
	size_t n = strlen(vm->end_text);
	char place[200];

	sentence_place(pm, v, place, sizeof(place));
	pthread_mutex_lock(&vm->control.lock);
	snprintf(vm->end_text + n, sizeof(vm->end_text) - n, "%s", place);
	pthread_mutex_unlock(&vm->control.lock);
}

void vm_explain_end(struct trapmap_vm *vm)
{
	bool crash = vm->end.kind == TRAPMAP_END_CRASH;
	struct postmortem *pm;
	const struct pm_vcpu *v;
	const struct flight_record *last;

	if ((!crash && vm->end.kind != TRAPMAP_END_STUCK) || vm->end.vcpu < 0 ||
	    vm->pm || vm->unwanted)
		return;
	pm = begin(vm);
	if (!pm)
		return;
	gather_symbols(vm, pm);
	gather_vcpus(vm, pm);
	if ((unsigned)vm->end.vcpu >= pm->vcpus)
		return;
	v = &pm->vcpu[vm->end.vcpu];
	if (!crash) {
		add_place(vm, pm, v);
		return;
	}
	if (v->exit_count == 0)
		return;
	last = &v->exit[v->exit_count - 1];
	if (last->reason == KVM_EXIT_INTERNAL_ERROR &&
	    last->value == KVM_INTERNAL_ERROR_EMULATION)
		ask_doctor(vm, pm);
	explain(vm, pm, v);
}

void vm_take_postmortem(struct trapmap_vm *vm)
{
	struct postmortem end = { 0 }, *pm;

	if (vm->postmortem || vm->unwanted)
		return;
	gather_end(vm, &end);
	if (depth_for(&end) == PM_REPORT)
		return; /* vm_report() comes when it is asked for */
	pm = begin(vm);
	if (!pm)
		return;
	gather_end(vm, pm);
	pm->depth = depth_for(pm);
	gather_symbols(vm, pm);
	if (!pm->vcpu)
		gather_vcpus(vm, pm);
	vm->postmortem = postmortem_text(pm);
}

const char *vm_report(struct trapmap_vm *vm)
{
	struct postmortem *pm;

	if (vm->report)
		return vm->report;
	pm = begin(vm);
	if (!pm)
		return NULL;
	gather_end(vm, pm);
	vm->report = postmortem_report(pm);
	return vm->report;
}

uint64_t vm_kernel_offset(struct trapmap_vm *vm)
{
	struct postmortem *pm = begin(vm);

	if (!pm)
		return 0;
	gather_symbols(vm, pm);
	return pm->symbols.fit == SYMBOLS_FIT ? pm->symbols.offset : 0;
}

void postmortem_done(struct postmortem *pm)
{
	unsigned i;

	for (i = 0; i < pm->vcpus; i++)
		free(pm->vcpu[i].exit);
	free(pm->vcpu);
	free(pm->initrd);
	free(pm->symbols.file);
	symbols_free(pm->symbols.table);
}

void vm_postmortem_done(struct trapmap_vm *vm)
{
	if (vm->pm)
		postmortem_done(vm->pm);
	free(vm->pm);
	free(vm->postmortem);
	free(vm->report);
	vm->pm = NULL;
	vm->postmortem = NULL;
	vm->report = NULL;
}
