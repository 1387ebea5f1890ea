/* SPDX-License-Identifier: MIT */
/*
 * insight.h: what "trapmap run" has a guest watched for, and where what was seen
 * goes: report, trace, statistics, debug console.
 */
#ifndef TRAPMAP_CLI_INSIGHT_H
#define TRAPMAP_CLI_INSIGHT_H

#include <stdbool.h>

#include <trapmap/trapmap.h>

#include "opts.h"
#include "outfile.h"
#include "outfiles.h"

struct insight {
	const struct run_opts *opts;
	struct trapmap_vm *vm;
	struct outfiles *files;
	struct outfile report;
};

#define INSIGHT_INIT { .report = OUTFILE_INIT }

/*
 * Hands the VM the rules, symbols and all that is no file to write. Returns 0,
 * or an exit status, having said why.
 */
int insight_rules(struct insight *in);

/* Then opens the files. Returns as insight_rules(). */
int insight_files(struct insight *in);

/*
 * Opens a file that is written as it goes; behind the option's name it says what
 * is wrong. Returns a descriptor or -errno.
 */
int insight_open(struct outfiles *files, const char *option, const char *path);

/*
 * After the end: statistics, post-mortem, and how the trace ended; that all is
 * well with it only where `well` is asked for.
 */
void insight_tell(struct insight *in, bool well);

/*
 * After the end, or a start that failed: writes the report. Returns false,
 * having said why, where it could not.
 */
bool insight_report(struct insight *in);

void insight_done(struct insight *in);

#endif
