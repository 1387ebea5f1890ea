/* SPDX-License-Identifier: MIT */
/*
 * watch.h: reads the guest's consoles along, line by line, by the rules that
 * were given (enum trapmap_rule). It also counts what was said at all.
 */
#ifndef TRAPMAP_WATCH_H
#define TRAPMAP_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "trapmap/trapmap.h"

struct watch;

/* A line counts up to here; the rest of a longer one is not looked at. */
#define WATCH_LINE_MAX 4096

enum watch_stream {
	WATCH_COM1,
	WATCH_COM2,
	WATCH_COM3,
	WATCH_COM4,
	WATCH_DEBUGCON,
	WATCH_HVC, /* the first virtio console; the others follow */
	WATCH_STREAMS = WATCH_HVC + TRAPMAP_PORTS_MAX,
};

/* What a rule found first. */
struct watch_hit {
	enum trapmap_rule rule;
	const char *what; /* "panic", "BUG", "KASAN", or the expression */
	uint64_t number; /* of the line on its stream, from 1 */
	enum watch_stream stream;
	char line[256]; /* its beginning, control characters as '?' */
};

int watch_new(struct watch **ret_watch);
/* Accepts NULL. Returns NULL. */
struct watch *watch_free(struct watch *watch);

/* As trapmap_vm_add_rule(). Before the run only. */
int watch_add(struct watch *watch, enum trapmap_rule rule, const char *regex,
	      struct error *err);

/* Whether there is any rule at all. */
bool watch_has_rules(const struct watch *watch);

/*
 * Output of the guest's, in order. Any thread. Returns whether a panic line is
 * among it, so that the caller can give the guest its last second.
 */
bool watch_feed(struct watch *watch, enum watch_stream stream,
		const uint8_t *buf, size_t len);

/* The run is over: an unfinished last line counts as a line. */
void watch_finish(struct watch *watch);

/* The line that the panic rule found, or NULL. Any thread, at any time. */
const struct watch_hit *watch_panic(const struct watch *watch);

/* Bytes seen so far. Any thread. */
uint64_t watch_bytes(struct watch *watch, enum watch_stream stream);

/*
 * The first line that a failing rule (panic before all others) matched, or NULL.
 * Valid until watch_free(); after watch_finish() only.
 */
const struct watch_hit *watch_failure(const struct watch *watch);

/* The first expression of TRAPMAP_RULE_EXPECT that no line matched, or NULL. */
const char *watch_missing(const struct watch *watch);

/* All that matched, one a rule, for the report. */
size_t watch_hits(const struct watch *watch, const struct watch_hit **ret_hits);

#endif
