// SPDX-License-Identifier: MIT
/*
 * What "trapmap exec" reads: the release in a kernel image, the head of a program or
 * a script, the lists of a kernel's modules.
 *
 * The first byte says which. Of lists the module's name comes first, then
 * modules.dep, then modules.builtin, each ended by a zero byte.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cli/exec/interp.h"
#include "cli/exec/modules.h"
#include "cli/exec/release.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void read_release(const uint8_t *data, size_t len)
{
	char text[RELEASE_MAX];
	size_t i, n;

	memset(text, '?', sizeof(text));
	if (release_find(data, len, text) < 0) {
		/* An output is untouched by a failure. */
		check(text[0] == '?' && text[RELEASE_MAX - 1] == '?');
		return;
	}
	n = strnlen(text, sizeof(text));
	check(n > 0 && n < sizeof(text));
	/* It becomes a part of a path. */
	for (i = 0; i < n; i++)
		check(text[i] > ' ' && text[i] < 0x7f && text[i] != '/');
}

static void read_head(const uint8_t *data, size_t len)
{
	static char path[INTERP_MAX], word[INTERP_MAX];
	enum interp interp;

	memset(path, '?', sizeof(path));
	memset(word, '?', sizeof(word));
	interp = interp_find(data, len, path, word);
	check(strnlen(path, sizeof(path)) < sizeof(path));
	check(strnlen(word, sizeof(word)) < sizeof(word));
	check((interp == INTERP_NONE) == !*path);
	check(interp == INTERP_SCRIPT || !*word);
}

static char *take(const uint8_t **data, size_t *len)
{
	size_t n = strnlen((const char *)*data, *len);
	char *text = strndup((const char *)*data, n);

	n += n < *len;
	*data += n;
	*len -= n;
	check(text != NULL);
	return text;
}

static void read_lists(const uint8_t *data, size_t len)
{
	char *name = take(&data, &len);
	struct modules m = { .folder = strdup("/") };
	enum modules_where first, second;
	size_t count, i, k;

	m.dep = take(&data, &len);
	m.builtin = take(&data, &len);
	first = modules_add(&m, name);
	count = m.count;
	check(count <= MODULES_MAX);
	check((first == MODULES_FILE) <= (count > 0));
	for (i = 0; i < count; i++) {
		check(*m.file[i] && !strchr(m.file[i], '\n'));
		for (k = 0; k < i; k++)
			check(strcmp(m.file[i], m.file[k]) != 0);
	}
	/* Once is enough. */
	second = modules_add(&m, name);
	check(second == first);
	check(first == MODULES_ABSENT || m.count == count);
	modules_done(&m);
	free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *copy;

	if (len < 1)
		return 0;
	/* So that each byte behind the end is found. */
	copy = malloc(len);
	check(copy != NULL);
	memcpy(copy, data, len);
	switch (copy[0] % 3) {
	case 0: read_release(copy + 1, len - 1); break;
	case 1: read_head(copy + 1, len - 1); break;
	case 2: read_lists(copy + 1, len - 1); break;
	}
	free(copy);
	return 0;
}
