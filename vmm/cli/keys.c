// SPDX-License-Identifier: MIT
#include "keys.h"

#include <stddef.h>

const struct manual_item keys_help[] = {
	{ "Ctrl-A x", "end the run (exit status 130)" },
	{ "Ctrl-A h", "list these keys" },
	{ "Ctrl-A c", "send a break (Ctrl-A b does too)" },
	{ "Ctrl-A p", "press the power button" },
	{ "Ctrl-A r", "resume a guest that waits for room on the host" },
	{ "Ctrl-A Ctrl-A", "send Ctrl-A (Ctrl-A a does too)" },
	{ NULL, NULL },
};

enum keys_action keys_feed(struct keys *keys, unsigned char *byte)
{
	if (!keys->prefixed) {
		keys->prefixed = *byte == KEYS_PREFIX;
		return keys->prefixed ? KEYS_SWALLOW : KEYS_PASS;
	}
	keys->prefixed = false;
	switch (*byte) {
	case KEYS_PREFIX:
	case 'a': *byte = KEYS_PREFIX; return KEYS_PASS;
	case 'x': return KEYS_END;
	case 'h':
	case '?': return KEYS_HELP;
	case 'b':
	case 'c': return KEYS_BREAK;
	case 'p': return KEYS_POWER;
	case 'r': return KEYS_RESUME;
	}
	return KEYS_SWALLOW;
}
