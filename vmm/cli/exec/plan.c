// SPDX-License-Identifier: MIT
#include "exec/plan.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec/devices.h"
#include "exec/program.h"
#include "say.h"

extern char **environ;

/* As large as the init's. */
#define PLAN_MAX (4 << 20)

/* Where the guest has filesystems of its own, by the init's files.c. */
static const char *const covered[] = { "/tmp/", "/run/", "/dev/shm/" };

struct plan {
	FILE *file;
	const struct exec_opts *opts;
	char kept[PATH_MAX]; /* the folder that was kept last */
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

/* ---- modules ------------------------------------------------------------ */

/* They go where the plan says that they are. */
static int add_modules(struct plan *plan, struct cpio *cpio,
		       const struct modules *modules)
{
	char from[PATH_MAX], to[32];
	size_t i;
	int r;

	for (i = 0; i < modules->count; i++) {
		const char *file = modules->file[i];
		const char *name = strrchr(file, '/');

		snprintf(from, sizeof(from), "%s/%s", modules->folder, file);
		snprintf(to, sizeof(to), "modules/%zu%.8s", i,
			 strstr(name ? name : file, ".ko"));
		r = cpio_add_file(cpio, to, S_IFREG | 0644, from, NULL, NULL);
		if (r < 0) {
			say("cannot read the module '%s': %s", from,
			    strerror(-r));
			return EXEC_CANNOT;
		}
		item(plan, "module=/%s", to);
	}
	return 0;
}

/* ---- files -------------------------------------------------------------- */

static bool is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 &&
	       (path[len] == '/' || !path[len]);
}

static bool is_covered(const char *path)
{
	size_t i;

	for (i = 0; i < sizeof(covered) / sizeof(covered[0]); i++)
		if (strncmp(path, covered[i], strlen(covered[i])) == 0 &&
		    path[strlen(covered[i])])
			return true;
	return false;
}

static void keep(struct plan *plan, const char *path, bool folder)
{
	if (!is_covered(path) || (*plan->kept && is_below(path, plan->kept)))
		return;
	item(plan, "keep=%s", path);
	if (folder)
		snprintf(plan->kept, sizeof(plan->kept), "%s", path);
}

/* The folder that a file is in, or the file if that folder is all of them. */
static void keep_beside(struct plan *plan, const char *path)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%.*s",
		 (int)(strrchr(path, '/') - path), path);
	if (is_covered(folder))
		keep(plan, folder, true);
	else
		keep(plan, path, false);
}

/* What the command is about stays, wherever it lies. */
static void keep_all(struct plan *plan, const char *dir, const char *program)
{
	char path[PATH_MAX];
	struct stat st;
	char **word;

	keep(plan, dir, true);
	keep_beside(plan, program);
	if (realpath(program, path))
		keep_beside(plan, path);
	for (word = plan->opts->command + 1; *word; word++)
		if (realpath(*word, path) && stat(path, &st) == 0)
			keep(plan, path, S_ISDIR(st.st_mode));
}

static int add_shares(struct plan *plan)
{
	const struct exec_opts *opts = plan->opts;
	char path[PATH_MAX];
	struct stat st;
	unsigned i;

	for (i = 0; i < opts->shares; i++) {
		if (!realpath(opts->share[i], path)) {
			say("--share '%s': %s", opts->share[i], strerror(errno));
			return EXEC_CANNOT;
		}
		if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
			say("--share '%s': is not a folder", opts->share[i]);
			return EXEC_CANNOT;
		}
		if (strcmp(path, "/") == 0) {
			say("--share '%s': a folder is expected, not all files "
			    "of the host",
			    opts->share[i]);
			return EXEC_CANNOT;
		}
		item(plan, "share=" DEVICES_SHARE_TAG " %s", i, path);
	}
	return 0;
}

/* ---- all of it ---------------------------------------------------------- */

static void add_command(struct plan *plan, const char *dir, const char *program)
{
	mode_t mask = umask(0);
	char **word;

	umask(mask);
	item(plan, "umask=%o", (unsigned)mask);
	item(plan, "dir=%s", dir);
	for (word = environ; *word; word++)
		item(plan, "env=%s", *word);
	item(plan, "arg=%s", program);
	for (word = plan->opts->command + 1; *word; word++)
		item(plan, "arg=%s", *word);
}

static int add_items(struct plan *plan, struct cpio *cpio,
		     const struct modules *modules, const char *program,
		     const char *root)
{
	const char *dir = plan->opts->dir ? plan->opts->dir : ".";
	char path[PATH_MAX], real[PATH_MAX];
	int status;

	status = add_modules(plan, cpio, modules);
	if (status)
		return status;
	if (!realpath(dir, path)) {
		say("--chdir '%s': %s", dir, strerror(errno));
		return EXEC_CANNOT;
	}
	if (root) {
		item(plan, "root=%s", root);
		if (modules->folder && realpath(modules->folder, real))
			item(plan, "modules=%s", real);
		keep_all(plan, path, program);
	}
	status = add_shares(plan);
	if (status)
		return status;
	add_command(plan, path, program);
	return 0;
}

int plan_make(struct cpio *cpio, const struct exec_opts *opts,
	      const struct modules *modules, const char *program,
	      const char *root)
{
	struct plan plan = { .opts = opts };
	char *text = NULL;
	size_t len = 0;
	int status;

	plan.file = open_memstream(&text, &len);
	if (!plan.file) {
		say("out of memory");
		return EXEC_CANNOT;
	}
	status = add_items(&plan, cpio, modules, program, root);
	if (fclose(plan.file) != 0 && status == 0) {
		say("out of memory");
		status = EXEC_CANNOT;
	}
	if (status == 0 && len >= PLAN_MAX) {
		say("the command's arguments and environment are more than %d "
		    "bytes",
		    PLAN_MAX);
		status = EXEC_CANNOT;
	}
	if (status == 0)
		cpio_add(cpio, "trapmap", S_IFREG | 0600, text, len);
	free(text);
	return status;
}
