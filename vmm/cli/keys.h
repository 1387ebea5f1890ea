/* SPDX-License-Identifier: MIT */
/*
 * keys.h: which of the keys that are pressed are Trapmap's own. Ctrl-A begins a
 * command and one more key says which; all else is the guest's.
 */
#ifndef TRAPMAP_CLI_KEYS_H
#define TRAPMAP_CLI_KEYS_H

#include <stdbool.h>

#include "manual.h"

#define KEYS_PREFIX 0x01 /* Ctrl-A */

enum keys_action {
	KEYS_PASS, /* *byte is the guest's */
	KEYS_SWALLOW, /* part of a command, or of one that does not exist */
	KEYS_END,
	KEYS_HELP,
	KEYS_BREAK,
	KEYS_RESUME,
	KEYS_POWER,
};

struct keys {
	bool prefixed; /* Ctrl-A was the last byte */
};

/*
 * What to do with the next byte; for KEYS_PASS, *byte becomes what the guest is
 * to get. Start from a zeroed struct keys.
 */
enum keys_action keys_feed(struct keys *keys, unsigned char *byte);

/* The keys and what they do, for people. */
extern const struct manual_item keys_help[];

#endif
