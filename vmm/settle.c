// SPDX-License-Identifier: MIT
#include "settle.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/base.h"
#include "core/loop.h"
#include "vm.h"

/* How long a panicked guest may be silent, and how long it may talk. */
#define SILENCE_NS NSEC_PER_SEC
#define LAST_WORDS_NS (5 * NSEC_PER_SEC)

/* How much of a line or an expression a sentence has. */
#define SHOWN_LINE 160
#define SHOWN_RULE 60

/* Before "console line"; of COM1 there is no need. */
static const char *stream_word(enum watch_stream stream)
{
	switch (stream) {
	case WATCH_COM1: return "";
	case WATCH_COM2: return "COM2 ";
	case WATCH_COM3: return "COM3 ";
	case WATCH_COM4: return "COM4 ";
	case WATCH_DEBUGCON: return "debug ";
	default: return "virtio ";
	}
}

/* ---- a panicked guest's last second ------------------------------------- */

/* The console, the line's number, the line. */
#define PANIC_FMT "the guest panicked: %sconsole line %llu: \"%.*s%s\""
#define SAID_FMT "its %sconsole said, line %llu: \"%.*s%s\""
#define LINE_ARGS(hit)                                              \
	stream_word((hit)->stream), \
		(unsigned long long)(hit)->number, SHOWN_LINE,      \
		(hit)->line, strlen((hit)->line) > SHOWN_LINE ? "..." : ""

static void on_panic_timer(void *opaque)
{
	struct trapmap_vm *vm = opaque;
	struct settle *s = &vm->settle;
	const struct watch_hit *hit = watch_panic(vm->config.watch);
	int64_t now = loop_now(vm->loop, LOOP_CLOCK_VM);
	int64_t until = atomic_load(&s->panic_at) + LAST_WORDS_NS;
	int64_t silent = atomic_load(&s->spoke_at) + SILENCE_NS;

	/* One that we keep from talking is not silent. */
	if (atomic_load(&vm->control.throttle))
		until = silent = now + SILENCE_NS;
	if (silent < until)
		until = silent;
	if (now < until) {
		loop_timer_set(vm->loop, s->timer, until);
		return;
	}
	vm_end(vm, TRAPMAP_END_PANIC, TRAPMAP_END_PANIC, -1,
	       PANIC_FMT, LINE_ARGS(hit));
}

void settle_output(struct trapmap_vm *vm, enum watch_stream stream,
		   const uint8_t *buf, size_t len)
{
	struct settle *s = &vm->settle;
	bool panic = watch_feed(vm->config.watch, stream, buf, len);
	int64_t now;

	if (!panic && !watch_panic(vm->config.watch))
		return;
	now = loop_now(vm->loop, LOOP_CLOCK_VM);
	atomic_store(&s->spoke_at, now);
	if (!panic)
		return;
	atomic_store(&s->panic_at, now);
	loop_timer_set(vm->loop, s->timer, now + SILENCE_NS);
}

int settle_init(struct trapmap_vm *vm)
{
	return loop_timer_new(vm->loop, LOOP_CLOCK_VM, on_panic_timer, vm,
			      &vm->settle.timer);
}

void settle_done(struct trapmap_vm *vm)
{
	if (vm->loop)
		loop_timer_free(vm->loop, vm->settle.timer);
	vm->settle.timer = NULL;
}

/* ---- the end ------------------------------------------------------------ */

static bool guests_choice(enum trapmap_end_kind kind)
{
	return kind == TRAPMAP_END_POWEROFF ||
	       kind == TRAPMAP_END_GUEST_STATUS || kind == TRAPMAP_END_RESET;
}

/* Which rule it was, after the line: " (splat: KASAN)". */
static void name_rule(const struct watch_hit *hit, char *ret, size_t size)
{
	switch (hit->rule) {
	case TRAPMAP_RULE_PANIC:
		snprintf(ret, size, " (panic)");
		return;
	case TRAPMAP_RULE_SPLAT:
		snprintf(ret, size, " (splat: %s)", hit->what);
		return;
	default:
		snprintf(ret, size, " (matches '%.*s%s')", SHOWN_RULE,
			 hit->what,
			 strlen(hit->what) > SHOWN_RULE ? "..." : "");
		return;
	}
}

/* Adds to the sentence. */
__attribute__((format(printf, 2, 3)))
static void go_on(struct trapmap_vm *vm, const char *fmt, ...)
{
	size_t n = strlen(vm->end_text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(vm->end_text + n, sizeof(vm->end_text) - n, fmt, ap);
	va_end(ap);
}

static void become(struct trapmap_vm *vm, enum trapmap_end_kind kind)
{
	vm->end.kind = kind;
	vm->end.status = (int)kind;
}

/* Of an end that the guest did not choose: the line is worth a mention. */
static void mention(struct trapmap_vm *vm, const struct watch_hit *hit)
{
	char rule[SHOWN_RULE + 32];

	switch (vm->end.kind) {
	case TRAPMAP_END_STUCK:
		/* A panicked kernel that halts for good is not stuck. */
		if (hit->rule == TRAPMAP_RULE_PANIC)
			become(vm, TRAPMAP_END_PANIC);
		break;
	case TRAPMAP_END_PANIC:
		/* The console's own verdict has it already. */
		if (strstr(vm->end_text, "console line "))
			return;
		break;
	case TRAPMAP_END_CRASH:
	case TRAPMAP_END_TIMEOUT:
		break;
	default:
		return;
	}
	name_rule(hit, rule, sizeof(rule));
	go_on(vm, "; " SAID_FMT "%s", LINE_ARGS(hit), rule);
}

/* Called with control.lock held. */
static void settle(struct trapmap_vm *vm)
{
	const struct watch_hit *hit = watch_failure(vm->config.watch);
	const char *missing = watch_missing(vm->config.watch);
	char rule[SHOWN_RULE + 32];

	if (!guests_choice(vm->end.kind)) {
		if (hit)
			mention(vm, hit);
		return;
	}
	if (hit) {
		become(vm, TRAPMAP_END_PANIC);
		name_rule(hit, rule, sizeof(rule));
		go_on(vm, ", but " SAID_FMT "%s", LINE_ARGS(hit), rule);
	} else if (vm->crashloaded) {
		become(vm, TRAPMAP_END_PANIC);
		go_on(vm, ", but it had panicked and loaded a crash kernel "
			  "(pvpanic)");
	} else if (missing) {
		become(vm, TRAPMAP_END_EXPECT);
		go_on(vm, ", but no line of its console matched '%.*s%s'",
		      SHOWN_RULE, missing,
		      strlen(missing) > SHOWN_RULE ? "..." : "");
	}
}

void vm_settle(struct trapmap_vm *vm)
{
	if (vm->settle.done)
		return;
	vm->settle.done = true;
	watch_finish(vm->config.watch);
	pthread_mutex_lock(&vm->control.lock);
	settle(vm);
	pthread_mutex_unlock(&vm->control.lock);
}
