/* SPDX-License-Identifier: MIT */
/* test_manual.h: the options of "trapmap test", by number. */
#ifndef TRAPMAP_CLI_TEST_TEST_MANUAL_H
#define TRAPMAP_CLI_TEST_TEST_MANUAL_H

#include "optscan.h"

/* Those with a short form are their letter. */
enum {
	OPT_TREE = OPT_LONG,
	OPT_GROUP,
	OPT_PASS_STATUS,
	OPT_SKIP_STATUS,
	OPT_TIMEOUT,
	OPT_FAIL_FAST,
	OPT_LIST,
	OPT_ARTIFACTS,
	OPT_TAP,
	OPT_JUNIT,
};

#endif
