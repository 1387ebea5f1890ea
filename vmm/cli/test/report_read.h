/* SPDX-License-Identifier: MIT */
/* report_read.h: what "trapmap run --report" wrote (docs/report.md), read back. */
#ifndef TRAPMAP_CLI_TEST_REPORT_READ_H
#define TRAPMAP_CLI_TEST_REPORT_READ_H

#include <stddef.h>

#define REPORT_MAX (16u << 20)

/*
 * The verdict's sentence out of a report of len bytes, for the caller to
 * free(). Returns 0; -EBADMSG: it is not a report; or -ENOMEM.
 */
int report_parse(const char *buf, size_t len, char **ret_sentence);

/* The same of a file. Returns also -EFBIG, or the -errno of what failed. */
int report_read(const char *path, char **ret_sentence);

#endif
