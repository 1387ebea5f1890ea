// SPDX-License-Identifier: MIT
#include "exec/devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attached.h"
#include "exec/program.h"
#include "opts_parts.h"
#include "say.h"

/* A port of the console, or a folder. */
struct exec_device {
	struct attached attached;
	struct trapmap_port port;
	struct trapmap_share share;
	char tag[16];
};

static int port_add(struct attached *a, struct trapmap_vm *vm)
{
	return trapmap_vm_add_port(vm, &((struct exec_device *)a)->port);
}

static int share_add(struct attached *a, struct trapmap_vm *vm)
{
	struct exec_device *dev = (struct exec_device *)a;

	dev->share.tag = dev->tag;
	return trapmap_vm_add_share(vm, &dev->share);
}

static void device_free(struct attached *a)
{
	free(a);
}

static const struct attached_ops port_ops = {
	.option = "",
	.add = port_add,
	.free = device_free,
};

static const struct attached_ops share_ops = {
	.option = "--share: ",
	.add = share_add,
	.free = device_free,
};

static int keep(struct exec_opts *opts, const struct exec_device *from)
{
	struct exec_device *dev = malloc(sizeof(*dev));
	char err[OPTS_ERR_SIZE] = "out of memory";

	if (dev) {
		*dev = *from;
		if (attached_keep(&opts->run, &dev->attached, err) == 0)
			return 0;
	}
	say("%s", err);
	return EXEC_CANNOT;
}

static void on_opened(void *opaque, int open)
{
	if (open)
		atomic_store((atomic_bool *)opaque, true);
}

/* met may be NULL. */
static int add_port(struct exec_opts *opts, const char *name, int in_fd,
		    int out_fd, atomic_bool *met)
{
	struct exec_device dev = { .attached = { &port_ops },
				   .port = TRAPMAP_PORT_INIT };

	dev.port.name = name;
	dev.port.in_fd = in_fd;
	dev.port.out_fd = out_fd;
	if (met) {
		dev.port.opened = on_opened;
		dev.port.opaque = met;
	}
	return keep(opts, &dev);
}

static int add_share(struct exec_opts *opts, const char *path, const char *tag,
		     bool read_only)
{
	struct exec_device dev = { .attached = { &share_ops },
				   .share = TRAPMAP_SHARE_INIT };

	dev.share.path = path;
	dev.share.read_only = read_only;
	snprintf(dev.tag, sizeof(dev.tag), "%s", tag);
	return keep(opts, &dev);
}

int devices_attach(struct exec_opts *opts, bool by_9p, int result_fd,
		   atomic_bool *met)
{
	char tag[16];
	unsigned i;
	int status;

	status = add_port(opts, "stdin", STDIN_FILENO, -1, NULL) ?:
		 add_port(opts, "stdout", -1, STDOUT_FILENO, NULL) ?:
		 add_port(opts, "stderr", -1, STDERR_FILENO, NULL) ?:
		 add_port(opts, "result", -1, result_fd, met);
	if (status == 0 && by_9p)
		status = add_share(opts, "/", DEVICES_ROOT_TAG, true);
	for (i = 0; status == 0 && i < opts->shares; i++) {
		snprintf(tag, sizeof(tag), DEVICES_SHARE_TAG, i);
		status = add_share(opts, opts->share[i], tag, false);
	}
	return status;
}

int devices_log(struct exec_opts *opts)
{
	struct opts_rule *panic = &opts->run.rules[opts->run.rule_count++];
	struct opts_sink *log = &opts->run.serial[0];

	panic->rule = TRAPMAP_RULE_PANIC;
	log->kind = OPTS_SINK_NULL;
	if (!opts->log)
		return 0;
	log->kind = OPTS_SINK_FILE;
	log->option = "--log";
	log->path = strdup(opts->log);
	if (log->path)
		return 0;
	say("out of memory");
	return EXEC_CANNOT;
}
