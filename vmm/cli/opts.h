/* SPDX-License-Identifier: MIT */
/* opts.h: what "trapmap run" was asked to do. */
#ifndef TRAPMAP_CLI_OPTS_H
#define TRAPMAP_CLI_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <trapmap/trapmap.h>

#define OPTS_INITRD_MAX 64
#define OPTS_ERR_SIZE 1024

enum opts_serial {
	OPTS_SERIAL_STDIO = 0,
	OPTS_SERIAL_NULL,
	OPTS_SERIAL_FILE, /* run_opts.serial_path */
};

struct run_opts {
	struct trapmap_machine machine;
	const char *kernel; /* NULL: the built-in guest */
	const char *initrd[OPTS_INITRD_MAX];
	unsigned initrd_count;
	const char *params; /* NULL: none was given */
	enum opts_serial serial;
	char *serial_path;
	int64_t timeout_ms; /* 0: none */
	const char *dump_dtb; /* NULL: not asked for */
	bool quiet;
};

enum {
	OPTS_RUN = 0,
	OPTS_HELP = 1,
	OPTS_VERSION = 2,
};

/*
 * Reads the words behind "run"; argv[0] is not looked at. Returns OPTS_RUN with
 * *ret_opts filled (it points into argv; released by run_opts_done()),
 * OPTS_HELP, OPTS_VERSION, or -EINVAL with a line in err.
 */
int run_opts_parse(int argc, char **argv, struct run_opts *ret_opts,
		   char err[OPTS_ERR_SIZE]);

void run_opts_done(struct run_opts *opts);

void run_opts_help(FILE *out);

#endif
