// SPDX-License-Identifier: MIT
/* The parts of "trapmap exec": archive, modules, release, program. */
#include "test.h"

#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/exec/copy.h"
#include "cli/exec/cpio.h"
#include "cli/exec/interp.h"
#include "cli/exec/modules.h"
#include "cli/exec/program.h"
#include "cli/exec/release.h"

static char dir[64];
static const char *const libc = "lib/x86_64-linux-gnu/libc.so.6";

static int setup(void **state)
{
	strcpy(dir, "/tmp/test-exec-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static const char *put(const char *name, const char *text)
{
	static char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	return path;
}

/* ---- cpio --------------------------------------------------------------- */

struct entry {
	char name[64];
	unsigned mode, size;
	const uint8_t *data;
};

/* Reads the entry at *at as the kernel does. Returns whether there is one. */
static bool next(const struct cpio *cpio, size_t *at, struct entry *e)
{
	const char *head = (const char *)cpio->data + *at;
	unsigned name_len;

	assert_true(*at % 4 == 0 && *at + 110 <= cpio->len);
	assert_memory_equal(head, "070701", 6);
	assert_int_equal(sscanf(head + 14, "%8x", &e->mode), 1);
	assert_int_equal(sscanf(head + 54, "%8x", &e->size), 1);
	assert_int_equal(sscanf(head + 94, "%8x", &name_len), 1);
	assert_true(name_len <= sizeof(e->name));
	memcpy(e->name, head + 110, name_len);
	assert_int_equal(e->name[name_len - 1], '\0');
	*at = (*at + 110 + name_len + 3) / 4 * 4;
	e->data = cpio->data + *at;
	*at = (*at + e->size + 3) / 4 * 4;
	assert_true(*at <= cpio->len);
	return strcmp(e->name, "TRAILER!!!") != 0;
}

static void an_archive_has_folders_before_what_is_in_them(void **state)
{
	struct cpio cpio = { 0 };
	struct entry e;
	size_t at = 0;

	cpio_add(&cpio, "a/b/c", S_IFREG | 0640, "hello", 5);
	assert_int_equal(cpio_add_file(&cpio, "d", S_IFREG | 0755,
				       put("file", "abc"), NULL, NULL),
			 0);
	cpio_add(&cpio, "e", S_IFLNK | 0777, "a/b", 3);
	assert_int_equal(cpio_end(&cpio), 0);
	assert_true(next(&cpio, &at, &e));
	assert_string_equal(e.name, "a");
	assert_int_equal(e.mode, S_IFDIR | 0755);
	assert_true(next(&cpio, &at, &e));
	assert_string_equal(e.name, "a/b");
	assert_true(next(&cpio, &at, &e));
	assert_string_equal(e.name, "a/b/c");
	assert_int_equal(e.mode, S_IFREG | 0640);
	assert_int_equal(e.size, 5);
	assert_memory_equal(e.data, "hello", 5);
	assert_true(next(&cpio, &at, &e));
	assert_memory_equal(e.data, "abc", 3);
	assert_true(next(&cpio, &at, &e));
	assert_int_equal(e.mode, S_IFLNK | 0777);
	assert_false(next(&cpio, &at, &e));
	assert_true(at == cpio.len);
	cpio_done(&cpio);
}

static void what_is_no_file_is_not_archived(void **state)
{
	struct cpio cpio = { 0 };
	char path[128];

	assert_int_equal(cpio_add_file(&cpio, "x", S_IFREG, "/nowhere", NULL,
				       NULL),
			 -ENOENT);
	assert_int_equal(cpio_add_file(&cpio, "x", S_IFREG, dir, NULL, NULL),
			 -EINVAL);
	assert_int_equal(cpio_add_file(&cpio, "x", S_IFREG, "/dev/null", NULL,
				       NULL),
			 -EINVAL);
	snprintf(path, sizeof(path), "%s", put("large", ""));
	assert_int_equal(truncate(path, (off_t)CPIO_FILE_MAX + 1), 0);
	assert_int_equal(cpio_add_file(&cpio, "x", S_IFREG, path, NULL, NULL),
			 -EFBIG);
	assert_true(cpio.len == 0);
	cpio_done(&cpio);
}

static void a_folder_is_added_once_in_a_row(void **state)
{
	static const char *const want[] = { "a", "a/b", "a/b/1", "a/b/2", "a/bc",
					    "a/bc/3", "a/d" };
	struct cpio cpio = { 0 };
	struct entry e;
	size_t at = 0, i;

	cpio_add(&cpio, "a/b/1", S_IFREG, "", 0);
	cpio_add(&cpio, "a/b/2", S_IFREG, "", 0);
	cpio_add(&cpio, "a/bc", S_IFDIR | 01777, NULL, 0);
	cpio_add(&cpio, "a/bc/3", S_IFREG, "", 0);
	cpio_add(&cpio, "a/d", S_IFREG, "", 0);
	cpio_end(&cpio);
	for (i = 0; i < sizeof(want) / sizeof(*want); i++) {
		assert_true(next(&cpio, &at, &e));
		assert_string_equal(e.name, want[i]);
		if (i == 4)
			assert_int_equal(e.mode, S_IFDIR | 01777);
	}
	assert_false(next(&cpio, &at, &e));
	cpio_done(&cpio);
}

/* ---- modules ------------------------------------------------------------ */

static void modules_come_after_what_they_need(void **state)
{
	struct modules m;

	put("modules.dep", "kernel/virtio/virtio.ko:\n"
			   "kernel/virtio/virtio_ring.ko: kernel/virtio/virtio.ko\n"
			   "kernel/fs/9p/9p.ko.xz: kernel/net/9pnet.ko kernel/fs/fscache.ko kernel/fs/netfs.ko\n"
			   "kernel/net/9pnet-virtio.ko: kernel/net/9pnet.ko kernel/virtio/virtio_ring.ko kernel/virtio/virtio.ko\n");
	put("modules.builtin", "kernel/drivers/char/virtio_console.ko\n");
	assert_int_equal(modules_init(&m, dir), 0);
	assert_int_equal(modules_add(&m, "virtio_console"), MODULES_BUILTIN);
	assert_int_equal(m.count, 0);
	assert_int_equal(modules_add(&m, "9pnet_virtio"), MODULES_FILE);
	assert_int_equal(m.count, 4);
	assert_string_equal(m.file[0], "kernel/virtio/virtio.ko");
	assert_string_equal(m.file[1], "kernel/virtio/virtio_ring.ko");
	assert_string_equal(m.file[2], "kernel/net/9pnet.ko");
	assert_string_equal(m.file[3], "kernel/net/9pnet-virtio.ko");
	/* What is there is not loaded twice. */
	assert_int_equal(modules_add(&m, "9p"), MODULES_FILE);
	assert_int_equal(m.count, 7);
	assert_string_equal(m.file[4], "kernel/fs/netfs.ko");
	assert_string_equal(m.file[5], "kernel/fs/fscache.ko");
	assert_string_equal(m.file[6], "kernel/fs/9p/9p.ko.xz");
	/* Not a name that only begins or ends the same. */
	assert_int_equal(modules_add(&m, "pnet"), MODULES_ABSENT);
	assert_int_equal(modules_add(&m, "virtio_rin"), MODULES_ABSENT);
	assert_int_equal(modules_add(&m, ""), MODULES_ABSENT);
	modules_done(&m);
}

static void without_lists_nothing_is_known(void **state)
{
	struct modules m;

	assert_int_equal(modules_init(&m, NULL), 0);
	assert_int_equal(modules_add(&m, "9p"), MODULES_UNKNOWN);
	modules_done(&m);
	assert_int_equal(modules_init(&m, dir), 0);
	assert_int_equal(modules_add(&m, "9p"), MODULES_UNKNOWN);
	modules_done(&m);
	/* Where no list of files is, what is not built in is not there. */
	put("modules.builtin", "kernel/fs/9p/9p.ko\n");
	assert_int_equal(modules_init(&m, dir), 0);
	assert_int_equal(modules_add(&m, "9p"), MODULES_BUILTIN);
	assert_int_equal(modules_add(&m, "9pnet"), MODULES_ABSENT);
	modules_done(&m);
}

static void a_damaged_list_names_no_module(void **state)
{
	static const char *const bad[] = {
		"", "\n", ":", ": :\n:", "kernel/a.ko", "a.ko: \n", "a.ko:   b.ko",
		"a.ko:b.ko\n\n\n", "/:/ /\n",
	};
	struct modules m;
	size_t i, k;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		put("modules.dep", bad[i]);
		assert_int_equal(modules_init(&m, dir), 0);
		modules_add(&m, "a");
		for (k = 0; k < m.count; k++)
			assert_true(*m.file[k]);
		modules_done(&m);
	}
}

/* ---- release ------------------------------------------------------------ */

static void a_kernel_says_its_release(void **state)
{
	uint8_t image[0x400] = { 0 };
	char release[RELEASE_MAX] = "";

	memcpy(image + 0x202, "HdrS", 4);
	image[0x20e] = 0x00;
	image[0x20f] = 0x01;
	memcpy(image + 0x300, "6.1.0-56-amd64 (x@y) #1", 24);
	assert_int_equal(release_find(image, sizeof(image), release), 0);
	assert_string_equal(release, "6.1.0-56-amd64");
	/* Beyond the image, without an end, with a path in it. */
	image[0x20f] = 0xff;
	assert_int_equal(release_find(image, sizeof(image), release), -ENOENT);
	image[0x20f] = 0x01;
	memset(image + 0x300, 'x', 0x100);
	assert_int_equal(release_find(image, sizeof(image), release), -ENOENT);
	assert_int_equal(release_find(image, 0x20f, release), -ENOENT);
	assert_string_equal(release, "6.1.0-56-amd64");
}

static void so_does_one_without_a_header(void **state)
{
	static const char image[] =
		"\177ELF...Linux version %s ...Linux version 6.9.1+ (gcc) ";
	char release[RELEASE_MAX] = "";

	assert_int_equal(release_find((const uint8_t *)image, sizeof(image),
				      release),
			 0);
	assert_string_equal(release, "6.9.1+");
	assert_int_equal(release_find((const uint8_t *)image, 30, release),
			 -ENOENT);
	assert_int_equal(release_of("/nowhere", release), -ENOENT);
	assert_int_equal(release_of(put("empty", ""), release), -EINVAL);
	assert_int_equal(release_of(put("k", image), release), 0);
}

/* ---- program ------------------------------------------------------------ */

static void a_word_is_looked_for_in_the_path(void **state)
{
	char *path = NULL, want[128];

	assert_int_equal(setenv("PATH", "/nowhere:/bin", 1), 0);
	assert_int_equal(program_find("sh", &path), 0);
	assert_string_equal(path, "/bin/sh");
	free(path);
	assert_int_equal(program_find("no-such-command", &path), 127);
	assert_int_equal(program_find("", &path), 127);
	assert_int_equal(program_find("/nowhere/x", &path), 127);
	assert_int_equal(program_find(dir, &path), 126);
	snprintf(want, sizeof(want), "%s", put("plain", "x"));
	assert_int_equal(program_find(want, &path), 126);
	assert_int_equal(chmod(want, 0755), 0);
	assert_int_equal(program_find(want, &path), 0);
	assert_string_equal(path, want);
	free(path);
	/* What is found and cannot be run is not "not found". */
	assert_int_equal(setenv("PATH", dir, 1), 0);
	assert_int_equal(chmod(want, 0644), 0);
	if (geteuid() != 0 || access(want, X_OK) != 0)
		assert_int_equal(program_find("plain", &path), 126);
	snprintf(want, sizeof(want), "%s/plain/x", dir);
	assert_int_equal(program_find(want, &path), 127);
	assert_int_equal(setenv("PATH", "/bin", 1), 0);
}

/* ---- what runs a file --------------------------------------------------- */

static void a_script_names_its_interpreter(void **state)
{
	static const struct {
		const char *text, *path, *word;
	} cases[] = {
		{ "#!/bin/sh\n", "/bin/sh", "" },
		{ "#! \t/bin/sh -e x\n", "/bin/sh", "-e" },
		{ "#!/usr/bin/env -S python3 -u\n", "/usr/bin/env", "python3" },
		{ "#!/bin/sh\r\n", "/bin/sh", "" },
		{ "#!/bin/sh", "/bin/sh", "" },
		{ "#!\n/bin/sh\n", "", "" },
		{ "#!", "", "" },
		{ "# !/bin/sh\n", "", "" },
		{ "", "", "" },
	};
	char path[INTERP_MAX], word[INTERP_MAX];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(interp_find((const uint8_t *)cases[i].text,
					     strlen(cases[i].text), path, word),
				 *cases[i].path ? INTERP_SCRIPT : INTERP_NONE);
		assert_string_equal(path, cases[i].path);
		assert_string_equal(word, cases[i].word);
	}
}

static void a_program_names_its_loader(void **state)
{
	char path[INTERP_MAX], word[INTERP_MAX];
	static union {
		uint8_t bytes[512];
		struct {
			Elf64_Ehdr eh;
			Elf64_Phdr ph[2];
			char text[32];
		} elf;
	} u;

	memcpy(u.elf.eh.e_ident, "\177ELF\2\1\1", 7);
	u.elf.eh.e_phoff = sizeof(u.elf.eh);
	u.elf.eh.e_phentsize = sizeof(Elf64_Phdr);
	u.elf.eh.e_phnum = 2;
	u.elf.ph[1].p_type = PT_INTERP;
	u.elf.ph[1].p_offset = offsetof(__typeof__(u.elf), text);
	u.elf.ph[1].p_filesz = 8;
	memcpy(u.elf.text, "/lib/ld", 8);
	assert_int_equal(interp_find(u.bytes, sizeof(u), path, word),
			 INTERP_LOADER);
	assert_string_equal(path, "/lib/ld");

#define REFUSED(change)                                                     \
	do {                                                                \
		__typeof__(u) kept = u;                                     \
                                                                            \
		change;                                                     \
		assert_int_equal(interp_find(u.bytes, sizeof(u), path, word), \
				 INTERP_NONE);                              \
		assert_string_equal(path, "");                              \
		u = kept;                                                   \
	} while (0)
	/* Beyond the file, around the end of all numbers, and too long. */
	REFUSED(u.elf.eh.e_phoff = sizeof(u));
	REFUSED(u.elf.eh.e_phoff = UINT64_MAX - sizeof(Elf64_Phdr) + 1);
	REFUSED(u.elf.eh.e_phoff = sizeof(u) - sizeof(Elf64_Phdr));
	REFUSED(u.elf.eh.e_phnum = 1);
	REFUSED(u.elf.eh.e_phentsize = 55);
	REFUSED(u.elf.eh.e_ident[4] = 3);
	REFUSED(u.elf.ph[1].p_offset = sizeof(u) - 7);
	REFUSED(u.elf.ph[1].p_offset = UINT64_MAX);
	REFUSED(u.elf.ph[1].p_filesz = UINT64_MAX);
	REFUSED(u.elf.ph[1].p_filesz = 0);
	REFUSED(u.elf.text[0] = '\0');
	assert_int_equal(interp_find(u.bytes, sizeof(Elf64_Ehdr) - 1, path,
				     word),
			 INTERP_NONE);
}

/* ---- copy --------------------------------------------------------------- */

static unsigned count(const struct cpio *cpio, const char *name)
{
	unsigned found = 0;
	struct entry e;
	size_t at = 0;

	while (at < cpio->len) {
		next(cpio, &at, &e);
		found += strcmp(e.name, name) == 0;
	}
	return found;
}

static void a_program_comes_with_its_loader_and_libraries(void **state)
{
	struct cpio cpio = { 0 };
	struct copy copy = { .cpio = &cpio };
	char script[128];

	snprintf(script, sizeof(script), "%s",
		 put("script", "#!/usr/bin/env sh\n"));
	assert_int_equal(chmod(script, 0755), 0);
	assert_int_equal(copy_path(&copy, script), 0);
	assert_int_equal(copy_path(&copy, "/bin/ls"), 0);
	assert_int_equal(copy_path(&copy, script), 0);
	assert_int_equal(count(&cpio, script + 1), 1);
	assert_int_equal(count(&cpio, "usr/bin/env"), 1);
	assert_int_equal(count(&cpio, "bin/sh"), 1);
	assert_int_equal(count(&cpio, "lib64/ld-linux-x86-64.so.2"), 1);
	assert_int_equal(count(&cpio, libc), 1);
	copy_done(&copy);
	cpio_done(&cpio);
}

static void scripts_that_run_each_other_come_to_an_end(void **state)
{
	struct cpio cpio = { 0 };
	struct copy copy = { .cpio = &cpio };
	char a[128], b[128], text[160];

	snprintf(a, sizeof(a), "%s/a", dir);
	snprintf(text, sizeof(text), "#!%s\n", a);
	snprintf(b, sizeof(b), "%s", put("b", text));
	snprintf(text, sizeof(text), "#!%s\n", b);
	put("a", text);
	chmod(a, 0755);
	chmod(b, 0755);
	assert_int_equal(copy_path(&copy, a), 0);
	assert_int_equal(count(&cpio, a + 1), 1);
	assert_int_equal(count(&cpio, b + 1), 1);
	copy_done(&copy);
	cpio_done(&cpio);
}

static void a_program_whose_loader_is_not_there_is_refused(void **state)
{
	struct cpio cpio = { 0 };
	struct copy copy = { .cpio = &cpio };
	char script[128];

	snprintf(script, sizeof(script), "%s", put("s", "#!/nowhere/sh\n"));
	chmod(script, 0755);
	assert_int_equal(copy_path(&copy, script), -ENOENT);
	assert_string_equal(copy.err, "cannot copy '/nowhere/sh': No such file "
				      "or directory");
	copy_done(&copy);
	cpio_done(&cpio);
}

static void a_folder_is_copied_with_its_links(void **state)
{
	struct cpio cpio = { 0 };
	struct copy copy = { .cpio = &cpio };
	char path[128];

	put("one", "1");
	snprintf(path, sizeof(path), "%s/link", dir);
	assert_int_equal(symlink("nowhere", path), 0);
	assert_int_equal(copy_path(&copy, dir), 0);
	assert_int_equal(count(&cpio, path + 1), 1);
	snprintf(path, sizeof(path), "%s/one", dir);
	assert_int_equal(count(&cpio, path + 1), 1);
	assert_int_equal(copy_path(&copy, "/dev/null"), -EINVAL);
	assert_string_equal(copy.err, "cannot copy '/dev/null': neither a file "
				      "nor a folder");
	assert_int_equal(copy_path(&copy, "/nowhere"), -ENOENT);
	assert_string_equal(copy.err,
			    "cannot copy '/nowhere': No such file or directory");
	assert_int_equal(truncate(path, (off_t)CPIO_FILE_MAX + 1), 0);
	assert_int_equal(copy_path(&copy, dir), -EFBIG);
	copy_done(&copy);
	cpio_done(&cpio);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_archive_has_folders_before_what_is_in_them),
		T(what_is_no_file_is_not_archived),
		T(a_folder_is_added_once_in_a_row),
		T(modules_come_after_what_they_need),
		T(without_lists_nothing_is_known),
		T(a_damaged_list_names_no_module),
		T(a_kernel_says_its_release),
		T(so_does_one_without_a_header),
		T(a_word_is_looked_for_in_the_path),
		T(a_script_names_its_interpreter),
		T(a_program_names_its_loader),
		T(a_program_comes_with_its_loader_and_libraries),
		T(scripts_that_run_each_other_come_to_an_end),
		T(a_program_whose_loader_is_not_there_is_refused),
		T(a_folder_is_copied_with_its_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
