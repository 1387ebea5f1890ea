// SPDX-License-Identifier: MIT
/* Any console: the results stay within their bounds, however it comes in. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/test/ktap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_text(const char *text)
{
	for (; *text; text++)
		check((unsigned char)*text >= 0x20);
}

static void check_all(const struct ktap *ktap)
{
	size_t sum = 0, i;
	int r;

	check(ktap->error == 0 && ktap->depth == 0);
	for (i = 0; i < ktap->count; i++) {
		const struct ktap_sub *sub = &ktap->subs[i];

		check(*sub->name && strlen(sub->name) <= KTAP_NAME);
		check_text(sub->name);
		if (sub->detail)
			check_text(sub->detail);
	}
	for (r = 0; r < KTAP_RESULTS; r++)
		sum += ktap_count(ktap, (enum ktap_result)r);
	check(sum == ktap_total(ktap));
	check(!ktap_count(ktap, KTAP_FAIL) == !ktap_first_failure(ktap));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ktap whole = { 0 }, pieces = { 0 };
	size_t at, n, i;

	ktap_feed(&whole, data, len);
	ktap_finish(&whole);
	check_all(&whole);
	for (at = 0; at < len; at += n) {
		n = 1 + at % 7;
		if (n > len - at)
			n = len - at;
		ktap_feed(&pieces, data + at, n);
	}
	ktap_finish(&pieces);
	check(pieces.count == whole.count);
	for (i = 0; i < whole.count; i++)
		check(whole.subs[i].result == pieces.subs[i].result &&
		      strcmp(whole.subs[i].name, pieces.subs[i].name) == 0);
	ktap_done(&whole);
	ktap_done(&pieces);
	return 0;
}
