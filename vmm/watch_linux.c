// SPDX-License-Identifier: MIT
/*
 * The forms are those of Linux 4.19 to 6.19 as it prints them on x86. None is
 * tied to the beginning of the line, where a level, a time and a task may
 * stand; instead a word at the beginning of a form must begin in the line, too,
 * so that "DEBUG: " is no "BUG: ". A program of the guest's that prints such a
 * line is taken for the kernel.
 *
 * What programs also like to print ("WARNING: ", "Oops: ") counts only in the
 * kernel's forms. "cut here" and "Call Trace:" say nothing that the line beside
 * them does not say better.
 */
#include "watch_linux.h"

#include <stddef.h>
#include <string.h>

#include "core/base.h"

/* In a form: a run of at least one such character, taken as far as it goes. */
#define DIGITS "\1"
#define HEX "\2"
/* At least one character, as few as do. */
#define SOME "\3"

struct form {
	const char *name;
	const char *text;
};

static const char *const panics[] = {
	"Kernel panic - not syncing",
	"---[ end Kernel panic",
};

/* The first that fits names it, so the special ones come first. */
static const struct form splats[] = {
	{ "KASAN", "KASAN: " },
	{ "KMSAN", "BUG: KMSAN: " },
	{ "KCSAN", "BUG: KCSAN: " },
	{ "KFENCE", "BUG: KFENCE: " },
	{ "UBSAN", "UBSAN: " },
	{ "CFI failure", "CFI failure at " },

	{ "soft lockup", "BUG: soft lockup" },
	{ "hard lockup", "Watchdog detected hard LOCKUP" },
	{ "workqueue lockup", "BUG: workqueue lockup" },
	{ "RCU stall", "INFO: rcu" SOME " detected stalls on " },
	{ "RCU stall", "INFO: rcu" SOME " self-detected stall on " },
	{ "RCU stall", "INFO: rcu" SOME " detected expedited stalls on " },
	{ "RCU stall", "rcu: " SOME " kthread starved for " DIGITS " jiffies" },
	{ "hung task", "INFO: task " SOME " blocked for more than " },
	{ "hung task", "INFO: task " SOME " blocked in I/O wait for more than " },

	{ "lockdep", "WARNING: possible circular locking " },
	{ "lockdep", "WARNING: possible recursive locking " },
	{ "lockdep", "WARNING: possible irq lock inversion " },
	{ "lockdep", "WARNING: inconsistent lock state" },
	{ "lockdep", "WARNING: bad unlock balance " },
	{ "lockdep", "WARNING: bad contention " },
	{ "lockdep", "WARNING: held lock freed" },
	{ "lockdep", "WARNING: lock held " },
	{ "lockdep", "WARNING: Nested lock was not taken" },
	{ "lockdep", "WARNING: suspicious RCU usage" },
	{ "lockdep", "WARNING: " SOME "-safe -> " SOME "-unsafe lock order" },
	{ "lockdep", "BUG: Invalid wait context" },
	{ "lockdep", "BUG: MAX_LOCK" },
	/* Those had another word until Linux 4.11. */
	{ "lockdep", "INFO: possible circular locking " },
	{ "lockdep", "INFO: possible recursive locking " },
	{ "lockdep", "INFO: possible irq lock inversion " },
	{ "lockdep", "INFO: inconsistent lock state" },
	{ "lockdep", "INFO: suspicious RCU usage" },
	{ "lockdep", "INFO: trying to register non-static key" },
	{ "lockdep", "DEBUG_LOCKS_WARN_ON(" },

	{ "BUG", "kernel BUG at " },
	{ "BUG", "BUG: " },
	/* The slab allocator's: a cache, and whether the kernel is tainted. */
	{ "slab corruption", "BUG " SOME " (Not tainted): " },
	{ "slab corruption", "BUG " SOME " (Tainted: " },

	/* die(): a name, the error code and how many there have been. */
	{ "Oops", ": " HEX " [#" DIGITS "]" },
	{ "Oops", "Oops: general protection fault" },
	{ "Oops", "general protection fault, probably for " },
	{ "Oops", "general protection fault, maybe for " },
	{ "Oops", "Unable to handle kernel " },
	{ "Oops", "unable to handle kernel " },
	{ "double fault", "PANIC: double fault" },

	{ "WARNING", "WARNING: CPU: " DIGITS " PID: " },
	{ "WARNING", "WARNING: at " },
	/* FILE:LINE at FUNCTION, since Linux 6.19. */
	{ "WARNING", "WARNING: " SOME ":" DIGITS " at " },
	{ "WARNING", "WARNING: kernel stack regs at " },
	{ "WARNING", "WARNING: kernel stack frame pointer at " },
	{ "WARNING", "WARNING: stack recursion " },

	{ "list corruption", "list_add corruption" },
	{ "list corruption", "list_add double add" },
	{ "list corruption", "list_del corruption" },
	{ "refcount", "refcount_t: " },
	{ "sysfs duplicate", "sysfs: cannot create duplicate filename " },
	{ "RTNL assertion", "RTNL: assertion failed at " },
	{ "memory leak", "unreferenced object 0x" },
	{ "memory leak", "kmemleak: " DIGITS " new suspected memory leaks" },
};

/* <ctype.h> would ask the locale. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '_';
}

/*
 * Whether the line goes on with the form at s. A later SOME takes over from an
 * earlier one, as where the earlier one ended makes no difference to it: so
 * this takes at most (length of the line) * (length of the form) steps.
 */
static bool goes_on(const char *s, const char *form)
{
	const char *some = NULL, *from = NULL;

	for (;;) {
		const char *start = s;
		bool fits;

		switch (*form) {
		case '\0':
			return true;
		case '\1':
			while (is_digit(*s))
				s++;
			fits = s > start;
			break;
		case '\2':
			while (is_hex(*s))
				s++;
			fits = s > start;
			break;
		case '\3':
			if (!*s)
				return false;
			some = form + 1;
			from = ++s;
			fits = true;
			break;
		default:
			fits = *s == *form;
			s += fits;
			break;
		}
		if (fits) {
			form++;
			continue;
		}
		if (!some || !*from)
			return false;
		s = ++from;
		form = some;
	}
}

static bool has(const char *line, const char *form)
{
	bool starts_word = is_word(*form);
	const char *s;

	for (s = strchr(line, *form); s; s = strchr(s + 1, *form)) {
		if (starts_word && s > line && is_word(s[-1]))
			continue;
		if (goes_on(s, form))
			return true;
	}
	return false;
}

bool watch_linux_panic(const char *line)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(panics); i++)
		if (has(line, panics[i]))
			return true;
	return false;
}

const char *watch_linux_splat(const char *line)
{
	unsigned i;

	if (watch_linux_panic(line))
		return "panic";
	for (i = 0; i < ARRAY_SIZE(splats); i++)
		if (has(line, splats[i].text))
			return splats[i].name;
	return NULL;
}
