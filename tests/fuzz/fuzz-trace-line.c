// SPDX-License-Identifier: MIT
/* Any line as one of a trace: what is taken for an exit can be printed. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/trace_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_text(const char *s, size_t size)
{
	size_t i;

	for (i = 0; i < size && s[i]; i++)
		if (s[i] < ' ' || s[i] > '~')
			abort();
	if (i == size)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char err[TRACE_LINE_ERR] = "";
	struct trace_line line;

	if (trace_line_parse((const char *)data, len, &line, err) < 0) {
		if (!*err)
			abort();
		return 0;
	}
	if (line.kind != TRACE_LINE_EXIT)
		return 0;
	check_text(line.reason, sizeof(line.reason));
	check_text(line.dir, sizeof(line.dir));
	check_text(line.device, sizeof(line.device));
	if (!line.kind_bit || !line.reason[0] || !(line.ts >= 0) ||
	    !(line.dur >= 0) || (line.dir[0] && !line.has_addr))
		abort();
	return 0;
}
