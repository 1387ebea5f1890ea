/* SPDX-License-Identifier: MIT */
/*
 * ktap.h: test results that a guest prints on its console: KTAP (the kernel's
 * Documentation/dev-tools/ktap.rst), TAP 12 to 14, and the lines of
 * kvm-unit-tests (its lib/report.c), which count where there is no TAP.
 *
 * What else the console says is passed over, and so is the time stamp that a
 * kernel puts before each line. Not read: what kselftest's runner indents by
 * "# " (its own result line says the sum of it), and TAP 14's pragmas.
 */
#ifndef TRAPMAP_CLI_TEST_KTAP_H
#define TRAPMAP_CLI_TEST_KTAP_H

#include <stdbool.h>
#include <stddef.h>

/* TAP's directive; in two parts, as it is none for this file. */
#define KTAP_TO_DO "TO" "DO"

#define KTAP_LINE 1024 /* of a longer line only the beginning counts */
#define KTAP_DEPTH 16 /* what is nested deeper counts as nested this deep */
#define KTAP_NAME 256 /* bytes of a name, with those of its parents */
#define KTAP_SUBS 10000 /* so many are kept, and as many failures more */

enum ktap_result {
	KTAP_PASS,
	KTAP_FAIL,
	KTAP_SKIP,
	KTAP_XFAIL, /* failed, as was to be expected */
	KTAP_RESULTS,
};

/* One test that has none below it. */
struct ktap_sub {
	char *name; /* "suite.test" */
	char *detail; /* why, as far as the guest said; or NULL */
	enum ktap_result result;
};

/* Results that are indented alike. */
struct ktap_level {
	size_t indent;
	long planned; /* -1: there was no plan yet */
	long seen;
	bool numbered;
	size_t first; /* of the subs: from here on, those of this level */
	size_t below; /* of the subs: from here on, those of the next result */
	char *name; /* from "# Subtest:", or NULL */
};

struct ktap {
	struct ktap_sub *subs;
	size_t count;
	size_t room;
	size_t dropped[KTAP_RESULTS]; /* counted, but not kept */
	int error; /* -ENOMEM */

	/* The parser's own. */
	char line[KTAP_LINE];
	size_t len;
	bool is_tap; /* a line of TAP was seen */
	bool summed; /* a SUMMARY told of failures */
	bool in_yaml;
	bool failed_last; /* a diagnostic line may still tell why */
	size_t yaml_indent;
	unsigned depth;
	struct ktap_level level[KTAP_DEPTH];
	char *subtest; /* the name of the level that comes */
	char *why; /* the first diagnostic line since the last result */
};

/* A struct of zeros is ready for it. The console's output, in any pieces. */
void ktap_feed(struct ktap *ktap, const void *buf, size_t len);

/* No more will come: a plan that is not fulfilled is a failure now. */
void ktap_finish(struct ktap *ktap);

/* How many ended so, those not kept included. */
size_t ktap_count(const struct ktap *ktap, enum ktap_result result);
size_t ktap_total(const struct ktap *ktap);

/* The first that failed, or NULL. */
const struct ktap_sub *ktap_first_failure(const struct ktap *ktap);

void ktap_done(struct ktap *ktap);

#endif
