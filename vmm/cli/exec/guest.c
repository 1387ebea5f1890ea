// SPDX-License-Identifier: MIT
#include "exec/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec/copy.h"
#include "exec/devices.h"
#include "exec/drivers.h"
#include "exec/plan.h"
#include "exec/program.h"
#include "say.h"

/* firmware/exec: a program for the guest. */
extern const uint8_t exec_init[], exec_init_end[];

/* ---- before ------------------------------------------------------------- */

/* A folder that is there, so that something can be mounted on it. */
static void make_folder(struct cpio *cpio, const char *path)
{
	char real[PATH_MAX];

	if (realpath(path, real) && real[1])
		cpio_add(cpio, real + 1, S_IFDIR | 0755, NULL, 0);
}

/* The program, what its arguments name, and what --copy names. */
static int copy_all(struct copy *copy, const struct guest *guest)
{
	const struct exec_opts *opts = guest->opts;
	char path[PATH_MAX];
	struct stat st;
	char **word;
	unsigned i;
	int r;

	r = copy_path(copy, guest->program);
	for (word = opts->command + 1; r == 0 && *word; word++)
		if (realpath(*word, path) && stat(path, &st) == 0 &&
		    S_ISREG(st.st_mode))
			r = copy_path(copy, path);
	for (i = 0; r == 0 && i < opts->copies; i++) {
		if (!realpath(opts->copy[i], path)) {
			r = -errno;
			snprintf(copy->err, sizeof(copy->err), "--copy '%s': %s",
				 opts->copy[i], strerror(errno));
			break;
		}
		r = copy_path(copy, path);
	}
	return r;
}

static int copy_files(struct guest *guest)
{
	const struct exec_opts *opts = guest->opts;
	struct cpio *cpio = &guest->initramfs;
	struct copy copy = { .cpio = cpio };
	unsigned i;
	int r;

	r = copy_all(&copy, guest);
	if (r < 0)
		say("%s", copy.err);
	copy_done(&copy);
	make_folder(cpio, opts->dir ? opts->dir : ".");
	for (i = 0; i < opts->shares; i++)
		make_folder(cpio, opts->share[i]);
	cpio_add(cpio, "tmp", S_IFDIR | 01777, NULL, 0);
	cpio_add(cpio, "run", S_IFDIR | 0755, NULL, 0);
	return r < 0 ? EXEC_CANNOT : 0;
}

static int make_initramfs(struct guest *guest, const struct modules *modules,
			  bool by_9p)
{
	struct cpio *cpio = &guest->initramfs;
	int status;

	status = by_9p ? 0 : copy_files(guest);
	if (status == 0)
		status = plan_make(cpio, guest->opts, modules, guest->program,
				   by_9p ? DEVICES_ROOT_TAG : NULL);
	if (status)
		return status;
	cpio_add(cpio, "init", S_IFREG | 0755, exec_init,
		 (uintptr_t)exec_init_end - (uintptr_t)exec_init);
	if (cpio_end(cpio) == 0)
		return 0;
	say("out of memory");
	return EXEC_CANNOT;
}

static int make_guest(struct guest *guest)
{
	struct modules modules = { 0 };
	bool by_9p = false;
	int status;

	status = drivers_find(guest->opts, &modules, &by_9p);
	if (status == 0)
		status = make_initramfs(guest, &modules, by_9p);
	modules_done(&modules);
	if (status)
		return status;
	return devices_attach(guest->opts, by_9p, guest->result[1], &guest->met);
}

int guest_prepare(struct guest *guest, struct exec_opts *opts)
{
	int status;

	*guest = (struct guest){ .opts = opts, .result = { -1, -1 } };
	status = program_find(opts->command[0], &guest->program);
	if (status)
		return status;
	if (access(opts->run.kernel, R_OK) < 0) {
		say("%s: %s", opts->run.kernel, strerror(errno));
		return EXEC_CANNOT;
	}
	if (pipe2(guest->result, O_CLOEXEC | O_NONBLOCK) < 0) {
		say("cannot make a pipe: %s", strerror(errno));
		return EXEC_CANNOT;
	}
	status = make_guest(guest);
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

/* ---- after -------------------------------------------------------------- */

/* "cannot ERRNO TEXT" */
static int could_not(const char *line)
{
	unsigned err = 0;
	int at = 0;

	if (sscanf(line, "cannot %u %n", &err, &at) != 1 || err > INT_MAX)
		return EXEC_CANNOT;
	say("in the guest: cannot %s: %s", line + at, strerror((int)err));
	if (strncmp(line + at, "run ", 4) != 0)
		return EXEC_CANNOT;
	return err == ENOENT ? EXEC_NOT_FOUND : EXEC_NOT_EXECUTABLE;
}

/* The guest's end says nothing of the command: what may have happened. */
static void explain(const struct guest *guest, int status)
{
	const struct exec_opts *opts = guest->opts;
	bool met = atomic_load(&guest->met);

	/* Nothing was run, or the host failed: that has been said. */
	if (status == STATUS_BAD_INPUT || status == STATUS_HOST_FAILURE)
		return;
	if (met && status == 0)
		say("the guest was powered off under the command");
	else if (status == 0)
		say("the kernel '%s' found no virtio console: it needs "
		    "CONFIG_VIRTIO_CONSOLE and CONFIG_VIRTIO_%s, built in or as "
		    "modules (--modules FOLDER)",
		    opts->run.kernel,
		    opts->run.machine.transport == TRAPMAP_TRANSPORT_PCI
			    ? "PCI"
			    : "MMIO");
	else
		say("the guest ended %s the command%s",
		    met ? "under" : "before it ran",
		    opts->log ? "" : "; --log FILE keeps what its kernel says");
}

int guest_status(struct guest *guest, int status)
{
	char line[1024];
	ssize_t n = read(guest->result[0], line, sizeof(line) - 1);
	unsigned number;

	/* The time ran out, a signal came, or output was lost. */
	if (status >= 124 || status == STATUS_HOST_FAILURE)
		return status >= 124 ? status : EXEC_CANNOT;
	line[n > 0 ? n : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "exit %u", &number) == 1)
		return (int)(number & 0xff);
	if (sscanf(line, "signal %u", &number) == 1)
		return 128 + (int)(number & 0x7f);
	if (strncmp(line, "cannot ", 7) == 0)
		return could_not(line);
	explain(guest, status);
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
