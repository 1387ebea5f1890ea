// SPDX-License-Identifier: MIT
#include "exec/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec/copy.h"
#include "exec/devices.h"
#include "exec/init_image.h"
#include "exec/modules.h"
#include "exec/program.h"
#include "exec/release.h"
#include "say.h"

extern char **environ;

/* Of the plan, which firmware/exec/init.h describes. */
#define PLAN_MAX (1 << 20)
#define SHARE_TAG "share%u"

/* ---- the plan ----------------------------------------------------------- */

/* Its items, one after another; the first error stays. */
struct plan {
	char *text;
	size_t len;
	FILE *file;
};

__attribute__((format(printf, 2, 3))) static void item(struct plan *plan,
						       const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(plan->file, fmt, ap);
	va_end(ap);
	fputc('\0', plan->file);
}

/* Modules go where the plan says that they are. */
static int plan_modules(struct plan *plan, struct cpio *cpio,
			const struct modules *modules)
{
	char from[PATH_MAX], to[32];
	size_t i;
	int r;

	for (i = 0; i < modules->count; i++) {
		const char *file = modules->file[i];
		const char *suffix = strstr(file, ".ko");

		snprintf(from, sizeof(from), "%s/%s", modules->folder, file);
		snprintf(to, sizeof(to), "modules/%zu%.8s", i, suffix);
		r = cpio_add_file(cpio, to, S_IFREG | 0644, from);
		if (r < 0) {
			say("cannot read the module '%s': %s", from,
			    strerror(-r));
			return EXEC_CANNOT;
		}
		item(plan, "module=/%s", to);
	}
	return 0;
}

static int plan_shares(struct plan *plan, const struct exec_opts *opts)
{
	char path[PATH_MAX];
	unsigned i;

	for (i = 0; i < opts->shares; i++) {
		if (!realpath(opts->share[i], path)) {
			say("--share '%s': %s", opts->share[i],
			    strerror(errno));
			return EXEC_CANNOT;
		}
		item(plan, "share=" SHARE_TAG " %s", i, path);
	}
	return 0;
}

static int plan_command(struct plan *plan, const struct guest *guest)
{
	const struct exec_opts *opts = guest->opts;
	char path[PATH_MAX];
	char **word;

	if (!realpath(opts->dir ? opts->dir : ".", path)) {
		say("--chdir '%s': %s", opts->dir ? opts->dir : ".",
		    strerror(errno));
		return EXEC_CANNOT;
	}
	item(plan, "dir=%s", path);
	for (word = environ; *word; word++)
		item(plan, "env=%s", *word);
	item(plan, "arg=%s", guest->program);
	for (word = opts->command + 1; *word; word++)
		item(plan, "arg=%s", *word);
	return 0;
}

/* ---- the host's files --------------------------------------------------- */

/* The program, what its arguments name, and what --copy names. */
static int copy_files(struct guest *guest)
{
	const struct exec_opts *opts = guest->opts;
	char err[COPY_ERR_SIZE], path[PATH_MAX];
	struct stat st;
	unsigned i;
	char **word;
	int r;

	r = copy_path(&guest->initramfs, guest->program, err);
	for (word = opts->command + 1; r == 0 && *word; word++)
		if (realpath(*word, path) && stat(path, &st) == 0 &&
		    S_ISREG(st.st_mode))
			r = copy_path(&guest->initramfs, path, err);
	for (i = 0; r == 0 && i < opts->copies; i++) {
		if (realpath(opts->copy[i], path)) {
			r = copy_path(&guest->initramfs, path, err);
			continue;
		}
		say("--copy '%s': %s", opts->copy[i], strerror(errno));
		return EXEC_CANNOT;
	}
	if (r == 0 && realpath(opts->dir ? opts->dir : ".", path))
		cpio_add(&guest->initramfs, path + 1, S_IFDIR | 0755, NULL, 0);
	cpio_add(&guest->initramfs, "tmp", S_IFDIR | 01777, NULL, 0);
	if (r < 0)
		say("%s", err);
	return r < 0 ? EXEC_CANNOT : 0;
}

/* ---- the kernel's drivers ----------------------------------------------- */

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Where the kernel's modules are; NULL: nowhere. */
static char *modules_folder(const struct exec_opts *opts)
{
	char release[RELEASE_MAX], path[PATH_MAX + 128], real[PATH_MAX];
	char *slash;

	if (opts->modules)
		return strdup(opts->modules);
	if (release_of(opts->run.kernel, release) < 0)
		return NULL;
	/* Of a package that was unpacked: boot/vmlinuz, lib/modules. */
	if (realpath(opts->run.kernel, real)) {
		slash = strrchr(real, '/');
		*slash = '\0';
		snprintf(path, sizeof(path), "%s/../lib/modules/%s", real,
			 release);
		if (is_folder(path))
			return strdup(path);
	}
	snprintf(path, sizeof(path), "/lib/modules/%s", release);
	return is_folder(path) ? strdup(path) : NULL;
}

static int missing(const struct exec_opts *opts, const struct modules *modules,
		   const char *driver)
{
	say("the kernel '%s' has no %s, neither built in nor as a module in '%s'",
	    opts->run.kernel, driver, modules->folder);
	return EXEC_CANNOT;
}

/* Finds the modules to load, and whether the host's files come by 9p. */
static int find_drivers(const struct exec_opts *opts, struct modules *modules,
			bool *ret_9p)
{
	const char *transport =
		opts->run.machine.transport == TRAPMAP_TRANSPORT_PCI ?
			"virtio_pci" :
			"virtio_mmio";
	char *folder = modules_folder(opts);
	bool has_9p = opts->root != EXEC_ROOT_COPY;
	int r;

	if (opts->modules && !is_folder(opts->modules)) {
		say("--modules '%s': no such folder", opts->modules);
		free(folder);
		return EXEC_CANNOT;
	}
	r = modules_init(modules, folder);
	free(folder);
	if (r < 0) {
		say("cannot read the lists of modules in '%s': %s",
		    modules->folder ? modules->folder : "", strerror(-r));
		return EXEC_CANNOT;
	}
	if (modules_add(modules, transport) == MODULES_ABSENT)
		return missing(opts, modules, transport);
	if (modules_add(modules, "virtio_console") == MODULES_ABSENT)
		return missing(opts, modules, "virtio_console");
	if (has_9p || opts->shares)
		has_9p = modules_add(modules, "9pnet_virtio") !=
				 MODULES_ABSENT &&
			 modules_add(modules, "9p") != MODULES_ABSENT;
	if (!has_9p && opts->shares)
		return missing(opts, modules, "9p, which --share needs");
	if (!has_9p && opts->root == EXEC_ROOT_9P)
		return missing(opts, modules, "9p");
	*ret_9p = has_9p && opts->root != EXEC_ROOT_COPY;
	return 0;
}

/* ---- all of it ---------------------------------------------------------- */

static int make_initramfs(struct guest *guest, struct modules *modules)
{
	struct exec_opts *opts = guest->opts;
	struct plan plan = { 0 };
	bool by_9p;
	int status;

	status = find_drivers(opts, modules, &by_9p);
	if (status)
		return status;
	plan.file = open_memstream(&plan.text, &plan.len);
	if (!plan.file)
		return EXEC_CANNOT;
	status = plan_modules(&plan, &guest->initramfs, modules);
	if (by_9p)
		item(&plan, "root=" DEVICES_ROOT_TAG);
	else if (status == 0)
		status = copy_files(guest);
	if (status == 0)
		status = plan_shares(&plan, opts);
	if (status == 0)
		status = plan_command(&plan, guest);
	if (fclose(plan.file) != 0 || plan.len >= PLAN_MAX) {
		if (status == 0)
			say("the command's arguments and environment are more than %d bytes",
			    PLAN_MAX);
		status = EXEC_CANNOT;
	}
	if (status == 0) {
		cpio_add(&guest->initramfs, "trapmap", S_IFREG | 0600,
			 plan.text, plan.len);
		cpio_add(&guest->initramfs, "init", S_IFREG | 0755, exec_init,
			 (uintptr_t)exec_init_end - (uintptr_t)exec_init);
		if (cpio_end(&guest->initramfs) < 0) {
			say("out of memory");
			status = EXEC_CANNOT;
		}
	}
	free(plan.text);
	return status ? status : devices_attach(opts, by_9p, guest->result[1]);
}

int guest_prepare(struct guest *guest, struct exec_opts *opts)
{
	struct modules modules = { 0 };
	int status;

	*guest = (struct guest){ .opts = opts, .result = { -1, -1 } };
	status = program_find(opts->command[0], &guest->program);
	if (status)
		return status;
	if (pipe2(guest->result, O_CLOEXEC | O_NONBLOCK) < 0) {
		say("cannot make a pipe: %s", strerror(errno));
		return EXEC_CANNOT;
	}
	status = make_initramfs(guest, &modules);
	modules_done(&modules);
	if (status)
		return status;
	if (asprintf(&guest->params, "console=ttyS0 quiet panic=-1%s%s",
		     opts->run.params ? " " : "",
		     opts->run.params ? opts->run.params : "") < 0) {
		guest->params = NULL;
		say("out of memory");
		return EXEC_CANNOT;
	}
	opts->run.params = guest->params;
	opts->run.initrd_data = guest->initramfs.data;
	opts->run.initrd_len = guest->initramfs.len;
	return devices_log(opts);
}

/* "cannot TEXT: ERRNO" */
static int could_not(char *line)
{
	char *colon = strrchr(line, ':');
	int err = colon ? atoi(colon + 1) : 0;
	bool run = strncmp(line, "cannot run ", 11) == 0;

	if (colon)
		*colon = '\0';
	say("in the guest: %s: %s", line, strerror(err));
	if (!run)
		return EXEC_CANNOT;
	return err == ENOENT ? EXEC_NOT_FOUND : EXEC_NOT_EXECUTABLE;
}

int guest_status(struct guest *guest, int status)
{
	char line[1024];
	ssize_t n = read(guest->result[0], line, sizeof(line) - 1);
	unsigned number;

	line[n > 0 ? n : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "exit %u", &number) == 1)
		return (int)(number & 0xff);
	if (sscanf(line, "signal %u", &number) == 1)
		return 128 + (int)(number & 0x7f);
	if (strncmp(line, "cannot ", 7) == 0)
		return could_not(line);
	if (status >= 124)
		return status; /* the time ran out, a signal came */
	if (status == 0)
		say("the guest ended without a word of the command; --log /dev/stderr shows what its kernel says");
	return EXEC_CANNOT;
}

void guest_done(struct guest *guest)
{
	int i;

	for (i = 0; i < 2; i++)
		if (guest->result[i] >= 0)
			close(guest->result[i]);
	free(guest->program);
	free(guest->params);
	cpio_done(&guest->initramfs);
}
