/* SPDX-License-Identifier: MIT */
/* opts.h: what "trapmap run" was asked to do. */
#ifndef TRAPMAP_CLI_OPTS_H
#define TRAPMAP_CLI_OPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <trapmap/trapmap.h>

#include "opts_cpus.h"
#include "opts_mem.h"

struct attached;

#define OPTS_INITRD_MAX 64
/* The library knows how many there may be of a kind. */
#define OPTS_ATTACHED_MAX (TRAPMAP_ATTACHED_MAX + 32)
#define OPTS_ERR_SIZE 1024

/* Where a console leads. */
enum opts_sink_kind {
	OPTS_SINK_STDIO = 0,
	OPTS_SINK_STDERR,
	OPTS_SINK_NULL,
	OPTS_SINK_FILE, /* opts_sink.path */
	OPTS_SINK_PTY,
	OPTS_SINK_SOCKET, /* opts_sink.path */
};

struct opts_sink {
	enum opts_sink_kind kind;
	char *path;
	const char *option; /* which asked for it; NULL: its own */
};

struct opts_rule {
	enum trapmap_rule rule;
	char *regex; /* NULL: the rule has none */
};

struct opts_trace {
	char *path; /* NULL: not asked for */
	uint32_t kinds; /* TRAPMAP_TRACE_*; 0: all of them */
	uint64_t first;
	uint64_t last; /* 0: any address */
};

/* What --rtc has for struct trapmap_nvram. */
struct opts_nvram {
	char *path; /* NULL: none */
	bool set_clock; /* a base was given */
};

struct run_opts {
	struct trapmap_machine machine;
	struct opts_cpus cpus; /* how many is in machine */
	struct opts_mem mem; /* how much is in machine */
	const char *kernel; /* NULL: the built-in guest */
	const char *firmware; /* NULL: none */
	const char *initrd[OPTS_INITRD_MAX];
	unsigned initrd_count;
	enum trapmap_boot boot;
	const void *initrd_data; /* behind the others; NULL: none */
	size_t initrd_len;
	const char *params; /* NULL: none was given */
	struct attached *attached[OPTS_ATTACHED_MAX];
	unsigned attached_count;
	/* COM1 and on: see opts_serial_ports(). */
	struct opts_sink serial[TRAPMAP_SERIAL_PORTS];
	unsigned serial_count; /* that were asked for */
	struct opts_sink debugcon;
	struct opts_rule rules[TRAPMAP_RULES_MAX];
	unsigned rule_count;
	/* The first SIGTERM presses the power button. */
	bool sigterm_button;
	bool stats;
	bool quiet;
	struct opts_nvram nvram;
	int64_t timeout_ms; /* 0: none */
	/* Files to write and one to read; NULL: not asked for. */
	const char *report;
	const char *dump_dtb;
	const char *board; /* --machine */
	const char *dtb; /* "auto", "none" or a file; NULL: the default */
	const char *symbols;
	struct opts_trace trace;
};

#define RUN_OPTS_INIT                               \
	{                                           \
		.machine = TRAPMAP_MACHINE_INIT,    \
		.cpus = OPTS_CPUS_INIT,             \
		.debugcon = { .kind = OPTS_SINK_NULL } \
	}

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

/* How many serial ports are to be connected: COM1 is, whether asked for or not. */
unsigned opts_serial_ports(const struct run_opts *opts);

#endif
