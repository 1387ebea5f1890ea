// SPDX-License-Identifier: MIT
/* args.c: test_args, of which the first says how many there are. */
#include "kut.h"

static const char *file_name(const char *path)
{
	const char *name = path;

	for (; *path; path++)
		if (*path == '/')
			name = path + 1;
	return name;
}

int test_main(int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++) {
		put("argv[");
		put_number((uint64_t)i);
		put("] = ");
		put(argv[i]);
		put("\n");
	}
	report(argc > 0 && same(file_name(argv[0]), "args.flat"),
	       "argv[0] is the program");
	if (argc < 2)
		report_skip("no arguments to count");
	else
		report(number(argv[1]) == (uint64_t)argc - 1,
		       "as many arguments as there should be");
	return report_summary();
}
