// SPDX-License-Identifier: MIT
/*
 * A tick five times a second. From outside it sees whether a vCPU exits and
 * whether its thread takes time; only when all is quiet it asks the vCPUs to
 * look at themselves (struct vcpu_look), which takes each out of KVM_RUN once:
 * the guest sees nothing of that. One that was found idle is let sleep until it
 * runs again.
 *
 * A vCPU that has halted with interrupts off is woken by an NMI, an INIT or
 * another vCPU only. If all are found so twice in a row, with no exit between,
 * and no device's interrupt comes as one of these, nothing can wake any of them.
 *
 * For the watchdog a vCPU makes progress if it exits, if KVM has injected an
 * interrupt, or if it has interrupts on and waits or a timer of its local APIC
 * is armed (where the processor delivers interrupts without KVM, nothing else
 * would tell).
 */
#include "stuck.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base.h"
#include "core/loop.h"
#include "flight.h"
#include "irqchip.h"
#include "vm.h"

#define TICK_NS (200 * NSEC_PER_MSEC)
/* When answers to a question are to be there. */
#define ANSWER_NS (20 * NSEC_PER_MSEC)
/* A thread that takes less in a tick does nothing of note. */
#define QUIET_NS (20 * NSEC_PER_MSEC)

struct watched {
	uint64_t exits;
	int64_t cpu_ns;
	uint64_t interrupts; /* that KVM had injected by the last look */
};

struct stuck {
	struct trapmap_vm *vm;
	struct loop_timer *timer;
	struct watched *vcpu;
	uint64_t asked; /* the look that was last asked for; 0: none */
	unsigned dead; /* looks in a row that found all halted for good */
	bool asleep; /* the last look found all halted, but not for good */
	int64_t progress; /* LOOP_CLOCK_VM: when there was some last */
	int64_t due; /* LOOP_CLOCK_VM: when the next tick is to come */
};

/* ---- what is seen from outside ------------------------------------------ */

static int64_t thread_time(pthread_t thread)
{
	struct timespec ts;
	clockid_t clock;

	if (pthread_getcpuclockid(thread, &clock) != 0 ||
	    clock_gettime(clock, &ts) < 0)
		return 0;
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/* What happened since the last tick, over all vCPUs. */
struct activity {
	bool exits;
	bool ran; /* a thread took any time at all */
	bool busy; /* a thread took time to speak of */
	bool waits; /* a vCPU stands until the trace has room */
};

/* With control.lock held. */
static struct activity look_from_outside(struct stuck *s)
{
	struct activity a = { 0 };
	unsigned i;

	for (i = 0; i < s->vm->config.cpus; i++) {
		const struct vcpu *vcpu = &s->vm->vcpu[i];
		struct watched *w = &s->vcpu[i];
		uint64_t exits = flight_total(vcpu->flight);
		int64_t ns = vcpu->running ? thread_time(vcpu->thread) : 0;

		a.exits |= exits != w->exits;
		a.ran |= ns != w->cpu_ns;
		a.busy |= ns < w->cpu_ns || ns - w->cpu_ns > QUIET_NS;
		a.waits |= vcpu->standing;
		w->exits = exits;
		w->cpu_ns = ns;
	}
	return a;
}

/* ---- what the vCPUs found ----------------------------------------------- */

/* With control.lock held. */
static void ask(struct stuck *s)
{
	struct trapmap_vm *vm = s->vm;

	s->asked = atomic_load(&vm->control.look) + 1;
	atomic_store(&vm->control.look, s->asked);
	vm_kick_all(vm);
}

static bool halted_for_good(const struct vcpu_look *look)
{
	return look->unborn ||
	       (look->halted && !look->interrupts_on && !look->nmi);
}

static bool makes_progress(const struct vcpu_look *look)
{
	return !look->unborn && look->interrupts_on &&
	       (look->halted || look->timer_armed);
}

/* What all of them found, with control.lock held. */
struct findings {
	bool complete; /* all have answered */
	bool dead;
	bool progress;
	bool interrupted; /* since the last tick, whether complete or not */
	bool unborn; /* one has never been started */
	unsigned spinners;
	unsigned spinning; /* the first of them */
	bool interruptible; /* that one */
};

static struct findings findings(struct stuck *s)
{
	struct findings f = {
		.complete = s->asked != 0,
		.dead = true,
	};
	unsigned i;

	for (i = 0; i < s->vm->config.cpus; i++) {
		const struct vcpu_look *look = &s->vm->vcpu[i].look;

		if (look->number != s->asked)
			f.complete = false;
		if (!halted_for_good(look)) {
			f.dead = false;
			if (!look->halted && f.spinners++ == 0) {
				f.spinning = i;
				f.interruptible = look->interrupts_on;
			}
		}
		f.unborn |= look->unborn;
		f.progress |= makes_progress(look);
		f.interrupted |= look->interrupts != s->vcpu[i].interrupts;
		s->vcpu[i].interrupts = look->interrupts;
	}
	return f;
}

static void end_dead(struct stuck *s, const struct findings *f)
{
	unsigned cpus = s->vm->config.cpus;

	if (cpus == 1)
		vm_end(s->vm, TRAPMAP_END_STUCK, TRAPMAP_END_STUCK, 0,
		       "the guest is stuck: it has halted with interrupts off, "
		       "and nothing can wake it");
	else
		vm_end(s->vm, TRAPMAP_END_STUCK, TRAPMAP_END_STUCK, -1,
		       "the guest is stuck: all %u vCPUs have halted with "
		       "interrupts off%s, so nothing can wake any of them",
		       cpus, f->unborn ? " or were never started" : "");
}

static void end_spinning(struct stuck *s, const struct findings *f)
{
	unsigned ms = s->vm->config.watchdog_ms;

	vm_end(s->vm, TRAPMAP_END_STUCK, TRAPMAP_END_STUCK, (int)f->spinning,
	       "the guest is stuck: no exit and no interrupt for %u.%03u s; "
	       "vCPU %u spins with interrupts %s",
	       ms / 1000, ms % 1000, f->spinning,
	       f->interruptible ? "on" : "off");
}

/* ---- the tick ------------------------------------------------------------ */

/*
 * A tick of a guest that runs. Returns what it found, to be reported, and in
 * *ret_delay when to come again.
 */
static struct findings tick(struct stuck *s, int64_t now, bool *ret_is_stuck,
			    int64_t *ret_delay)
{
	bool watchdog = s->vm->config.watchdog_ms != 0;
	struct activity a = look_from_outside(s);
	struct findings f = findings(s);

	*ret_is_stuck = false;
	if (a.exits || a.waits || f.interrupted ||
	    (f.complete && f.progress))
		s->progress = now;
	if (a.exits || a.waits || (a.busy && !watchdog)) {
		s->dead = 0;
		s->asked = 0;
		s->asleep = false;
		return f;
	}
	if (!s->asked && s->asleep && !a.ran) {
		s->progress = now;
		return f;
	}
	if (s->asked && !f.complete) {
		*ret_delay = ANSWER_NS;
		return f;
	}
	if (f.complete) {
		f.dead = f.dead && !irqchip_wakes_halted(s->vm->vm_fd);
		s->dead = f.dead ? s->dead + 1 : 0;
		s->asleep = !f.dead && f.spinners == 0;
		s->asked = 0;
		*ret_is_stuck = s->dead >= 2 ||
				(watchdog && f.spinners &&
				 now - s->progress >=
					 s->vm->config.watchdog_ms *
						 NSEC_PER_MSEC);
	}
	/* Once asked, wait a tick, unless the answer wants to be confirmed. */
	if ((!f.complete || s->dead) && !*ret_is_stuck) {
		ask(s);
		*ret_delay = ANSWER_NS;
	}
	return f;
}

static void fire(void *opaque)
{
	struct stuck *s = opaque;
	struct trapmap_vm *vm = s->vm;
	int64_t now = loop_now(vm->loop, LOOP_CLOCK_VM);
	int64_t delay = TICK_NS;
	bool runs, is_stuck = false;
	struct findings f = { 0 };

	/* Time in which we did not run (SIGSTOP, say) was none of the guest's. */
	if (now - s->due > TICK_NS)
		s->progress += now - s->due;
	pthread_mutex_lock(&vm->control.lock);
	runs = vm->state == VM_RUNNING && !vm->control.quit;
	if (runs && !vm->control.pause &&
	    !atomic_load(&vm->control.throttle)) {
		f = tick(s, now, &is_stuck, &delay);
	} else {
		s->progress = now;
		s->asked = 0;
		s->dead = 0;
		s->asleep = false;
	}
	pthread_mutex_unlock(&vm->control.lock);

	if (is_stuck && f.dead)
		end_dead(s, &f);
	else if (is_stuck)
		end_spinning(s, &f);
	s->due = now + delay;
	loop_timer_set(vm->loop, s->timer, s->due);
}

void stuck_reset(struct stuck *s)
{
	memset(s->vcpu, 0, s->vm->config.cpus * sizeof(*s->vcpu));
	s->asked = 0;
	s->dead = 0;
	s->asleep = false;
	s->progress = loop_now(s->vm->loop, LOOP_CLOCK_VM);
	s->due = s->progress + TICK_NS;
}

int stuck_new(struct trapmap_vm *vm, struct stuck **ret_stuck)
{
	struct stuck *s = calloc(1, sizeof(*s));
	int r = -ENOMEM;

	if (!s)
		return -ENOMEM;
	s->vm = vm;
	s->vcpu = calloc(vm->config.cpus, sizeof(*s->vcpu));
	if (s->vcpu)
		r = loop_timer_new(vm->loop, LOOP_CLOCK_VM, fire, s, &s->timer);
	if (r < 0) {
		free(s->vcpu);
		free(s);
		return r;
	}
	stuck_reset(s);
	loop_timer_set(vm->loop, s->timer, s->due);
	*ret_stuck = s;
	return 0;
}

struct stuck *stuck_free(struct stuck *s)
{
	if (!s)
		return NULL;
	loop_timer_free(s->vm->loop, s->timer);
	free(s->vcpu);
	free(s);
	return NULL;
}
