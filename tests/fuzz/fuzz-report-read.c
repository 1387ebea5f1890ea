// SPDX-License-Identifier: MIT
/*
 * Any report that a guest had a hand in, and the sentence from it on its way
 * into each output.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/test/report_read.h"
#include "cli/test/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* What came out is one line (or XML's text) of clean UTF-8. */
static void check_clean(const char *text, size_t len, bool one_line)
{
	size_t n;
	int32_t c;

	for (; len; text += n, len -= n) {
		c = text_char(text, len, &n);
		check(c != TEXT_BAD);
		check(c >= 0x20 || (!one_line && (c == '\n' || c == '\t')));
	}
}

static void write_all_ways(const char *text, size_t len)
{
	char *out;
	size_t n;
	FILE *f;
	int way;

	for (way = 0; way < 4; way++) {
		out = NULL;
		f = open_memstream(&out, &n);
		check(f);
		if (way == 0)
			text_visible(f, text, len);
		else if (way == 1)
			text_quoted(f, text, len);
		else
			text_xml(f, text, len, way == 2);
		check(fclose(f) == 0);
		check_clean(out, n, way < 3);
		if (way >= 2)
			check(!memchr(out, '<', n) && !memchr(out, '"', n));
		free(out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *sentence = NULL;
	int r;

	r = report_parse((const char *)data, len, &sentence);
	check((r == 0) == (sentence != NULL));
	check(r == 0 || r == -EBADMSG);
	if (sentence) {
		check(*sentence);
		write_all_ways(sentence, strlen(sentence));
	}
	free(sentence);
	write_all_ways((const char *)data, len);
	return 0;
}
