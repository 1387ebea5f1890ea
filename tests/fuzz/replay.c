// SPDX-License-Identifier: MIT
/*
 * Replays a corpus through a fuzz target without libFuzzer: each file of the
 * folder given, each of its prefixes at powers of two, and each with single
 * bytes changed. Deterministic, and within seconds.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* How many one-byte changes are tried per file. */
#define MUTATIONS 256

static void run_exact(const uint8_t *data, size_t len)
{
	/* A copy of its own size, so that ASan sees a read past the end. */
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	memcpy(copy, data, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static void run_variants(uint8_t *data, size_t len)
{
	uint32_t rnd = 1;
	size_t cut;
	int i;

	run_exact(data, len);
	for (cut = 1; cut < len; cut *= 2)
		run_exact(data, cut);
	for (i = 0; len > 0 && i < MUTATIONS; i++) {
		uint8_t *byte, old;

		rnd = rnd * 1664525 + 1013904223;
		byte = &data[(rnd >> 8) % len];
		old = *byte;
		*byte = (uint8_t)(rnd >> 24) ^ (uint8_t)(i & 1 ? 0xff : 0);
		run_exact(data, len);
		*byte = old;
	}
}

static int run_file(const char *dir, const char *name)
{
	static uint8_t buf[1 << 20];
	char path[4096];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	if (!f) {
		perror(path);
		return 1;
	}
	len = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	run_variants(buf, len);
	return 0;
}

int main(int argc, char **argv)
{
	struct dirent *entry;
	int files = 0, failed = 0;
	DIR *dir;

	if (argc != 2) {
		fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
		return 2;
	}
	dir = opendir(argv[1]);
	if (!dir) {
		perror(argv[1]);
		return 1;
	}
	run_exact((const uint8_t *)"", 0);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		failed += run_file(argv[1], entry->d_name);
		files++;
	}
	closedir(dir);
	printf("%d corpus files replayed\n", files);
	return failed || files == 0;
}
