// SPDX-License-Identifier: MIT
/* test_manual.c: how to use "trapmap test". */
#include <stddef.h>

#include "manual.h"
#include "test/test_manual.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct opt table[] = {
	{ 0, NULL, NULL, "What it runs:" },
	{ 'f', "manifest", "FILE.yaml",
	  "the tests of a manifest; may be given several times" },
	{ OPT_TREE, "kvm-unit-tests", "DIR",
	  "the x86 tests of a kvm-unit-tests tree that is built; also its x86/unittests.cfg" },
	{ OPT_GROUP, "group", "NAME",
	  "of such a tree, the tests of this group (default: all but those of the group \"nodefault\")" },
	{ 't', "filter", "GLOB",
	  "only tests whose name matches, as 'vmexit_*'; may be given several times" },
	{ OPT_LIST, "list", NULL,
	  "show the tests and what each would be run with, and run none" },

	{ 0, NULL, NULL, "How it runs them:" },
	{ 'j', "jobs", "N",
	  "so many at a time (default: as the host's processors and memory allow)" },
	{ OPT_TIMEOUT, "timeout", "SECONDS",
	  "the time limit of a test that sets none of its own; other units: 500ms, 2m (default: 60)" },
	{ OPT_FAIL_FAST, "fail-fast", NULL,
	  "start no more tests once one has failed" },
	{ OPT_PASS_STATUS, "pass-status", "N",
	  "the exit status of \"trapmap run\" by which a KERNEL has passed (default: 0); 33 for kernels that write 0x10 to port 0xf4" },
	{ OPT_SKIP_STATUS, "skip-status", "N",
	  "the exit status by which a KERNEL says that it cannot be tested here (default: none)" },

	{ 0, NULL, NULL, "What it leaves behind:" },
	{ OPT_ARTIFACTS, "artifacts", "DIR",
	  "keep each test's console, messages and report in DIR/NAME/" },
	{ OPT_TAP, "tap", NULL, "write TAP version 13 to stdout, not a table" },
	{ OPT_JUNIT, "junit", "FILE", "write the results to FILE as JUnit XML" },

	{ 0, NULL, NULL, "Others:" },
	{ 'q', "quiet", NULL, "no lines for tests that passed" },
	{ 'h', "help", NULL, "show this" },
	{ 'V', "version", NULL, "show the version" },
};

static const struct manual_item statuses[] = {
	{ "0", "all tests passed, but for some that were skipped" },
	{ "1", "at least one test failed" },
	{ "2",
	  "nothing was run: a bad option, a bad manifest, no test that matches, or a folder or file that cannot be written" },
	{ "4", "the host failed: no usable KVM, no memory, or an I/O error; or it failed every guest that was run" },
	{ "77", "all tests were skipped" },
	{ "128+N", "signal N ended it; 130 after Ctrl-C" },
	{ NULL, NULL },
};

static const struct manual_item examples[] = {
	{ "trapmap test build/*.elf --pass-status 33 -- -m 64M",
	  "kernels that report through port 0xf4, each with 64 MiB" },
	{ "trapmap test -f tests.yaml --artifacts out --junit out/junit.xml",
	  "the tests of a manifest, with all that a CI system wants to keep" },
	{ "trapmap test --kvm-unit-tests ~/kvm-unit-tests -t 'vmexit_*' -j1",
	  "some of kvm-unit-tests, one at a time" },
	{ NULL, NULL },
};

static const struct manual_item manifest_example[] = {
	{ "version: 1", "always" },
	{ "defaults: { memory: 512M, timeout: 2m }", "for all tests; optional" },
	{ "tests:", "a list of tests; docs/test.md has every key" },
	{ "  - name: boots", "names its line and its artifacts" },
	{ "    kernel: build/bzImage", "as seen from the manifest's folder" },
	{ "    params: console=ttyS0", "the kernel's command line" },
	{ "    expect: \"login:\"", "a line that must come" },
	{ NULL, NULL },
};

static const struct manual_section sections[] = {
	{ "Manifest", "A YAML file:", manifest_example },
	{ "Exit status", NULL, statuses },
	{ "Examples", NULL, examples },
	{ NULL, NULL, NULL },
};

const struct manual test_manual = {
	.name = "test",
	.summary = "run many guests and tell which failed, for CI",
	.synopsis = "[KERNEL...] [OPTION...] [-- RUN-OPTION...]",
	.text = "Runs each test as a guest of its own, several at a time, each with a time "
		"limit, and ends with a table. Tests come from the command line (each "
		"KERNEL is one), from manifests, and from kvm-unit-tests trees. What follows "
		"-- is given to \"trapmap run\" for every test, behind the test's own "
		"options.\n"
		"\n"
		"A test passes if \"trapmap run\" ends with status 0, or the status that "
		"its manifest, its tree or --pass-status says. A test that cannot be run "
		"as it asks to be is skipped, and the reason shown.",
	.table = table,
	.count = COUNT(table),
	.sections = sections,
};
