/* SPDX-License-Identifier: MIT */
/*
 * unittests_cfg.h: the sections of a unittests.cfg and their keys, as text.
 */
#ifndef TRAPMAP_CLI_TEST_UNITTESTS_CFG_H
#define TRAPMAP_CLI_TEST_UNITTESTS_CFG_H

#include <stddef.h>

#include "test/suite.h"

enum unittests_key {
	UNITTESTS_FILE,
	UNITTESTS_SMP,
	UNITTESTS_PARAMS, /* qemu_params; extra_params in older trees */
	UNITTESTS_TEST_ARGS,
	UNITTESTS_ARCH,
	UNITTESTS_GROUPS,
	UNITTESTS_ACCEL,
	UNITTESTS_TIMEOUT,
	UNITTESTS_CHECK,
	UNITTESTS_KEYS
};

extern const char *const unittests_keys[UNITTESTS_KEYS];

struct unittests_section {
	char *name;
	size_t line;
	char *values[UNITTESTS_KEYS]; /* NULL: not there. A file always is. */
	char *unknown; /* the first key that is none of them */
	size_t unknown_line;
};

struct unittests_cfg {
	const char *path;
	char *err;
	struct unittests_section *sections;
	size_t count;
	size_t room;
};

/*
 * Reads it from memory. Returns 0, -EINVAL or -ENOMEM with a line in err. To be
 * released by unittests_cfg_done() in any case.
 */
int unittests_cfg_read(struct unittests_cfg *cfg, const char *path,
		       const char *buf, size_t len, char err[TEST_ERR_SIZE]);
void unittests_cfg_done(struct unittests_cfg *cfg);

/* Puts the place and the text into cfg->err. Returns -EINVAL. */
int unittests_bad(const struct unittests_cfg *cfg, size_t line, size_t column,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
