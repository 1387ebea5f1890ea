/* SPDX-License-Identifier: MIT */
/*
 * modules.h: which modules of a kernel must be loaded, and in which order, for it to
 * have certain drivers: modules.dep(5), modules.builtin.
 */
#ifndef TRAPMAP_CLI_EXEC_MODULES_H
#define TRAPMAP_CLI_EXEC_MODULES_H

#include <stdbool.h>
#include <stddef.h>

#define MODULES_MAX 64

enum modules_where {
	MODULES_UNKNOWN, /* nobody says what is built in */
	MODULES_ABSENT,
	MODULES_BUILTIN,
	MODULES_FILE,
};

struct modules {
	char *folder; /* that of modules.dep; NULL: none */
	char *dep, *builtin; /* the lists' text; NULL: not there */
	/* To load, in this order; paths below folder. */
	char *file[MODULES_MAX];
	size_t count;
};

/*
 * Reads the lists in folder, which may be NULL. Returns 0, or -errno: they are there
 * and cannot be read. modules_done() is due either way.
 */
int modules_init(struct modules *modules, const char *folder);

/*
 * Adds a module, and before it what it needs. Where it was found; MODULES_ABSENT
 * too if there were more than MODULES_MAX.
 */
enum modules_where modules_add(struct modules *modules, const char *name);

void modules_done(struct modules *modules);

#endif
