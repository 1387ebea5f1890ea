// SPDX-License-Identifier: MIT
/* opts_console.c: --console. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "opts_console.h"
#include "opts_parts.h"
#include "outfiles.h"
#include "say.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* As long as a port's may be. */
#define NAME_MAX_LEN 63

static const struct opts_key keys[] = {
	{ "to", OPTS_KEY_TEXT, offsetof(struct opts_console, to) },
	{ "file", OPTS_KEY_TEXT, offsetof(struct opts_console, file) },
	{ "socket", OPTS_KEY_TEXT, offsetof(struct opts_console, socket) },
	{ "name", OPTS_KEY_TEXT, offsetof(struct opts_console, name) },
};

static int console_open(struct attached *a, struct outfiles *files)
{
	struct opts_console *con = (struct opts_console *)a;

	if (!con->file)
		return STATUS_OK;
	con->out_fd = outfiles_open(files, con->file);
	if (con->out_fd >= 0)
		return STATUS_OK;
	say("--console: cannot write '%s': %s", con->file,
	    strerror(-con->out_fd));
	return STATUS_BAD_INPUT;
}

static int console_add(struct attached *a, struct trapmap_vm *vm)
{
	struct opts_console *con = (struct opts_console *)a;
	struct trapmap_port port = TRAPMAP_PORT_INIT;
	int r;

	port.name = con->name;
	port.in_fd = con->in_fd;
	port.out_fd = con->out_fd;
	port.socket = con->socket;
	r = trapmap_vm_add_port(vm, &port);
	/* The VM has its own copy. */
	if (con->file && con->out_fd > STDERR_FILENO)
		close(con->out_fd);
	con->in_fd = con->out_fd = -1;
	return r;
}

static const char *console_file(const struct attached *a)
{
	return ((const struct opts_console *)a)->file;
}

static void console_free(struct attached *a)
{
	opts_keys_done(keys, COUNT(keys), a);
	free(a);
}

static const struct attached_ops console_ops = {
	.option = "--console: ",
	.what = "a console's output",
	.open = console_open,
	.add = console_add,
	.file = console_file,
	.writes = true,
	.free = console_free,
};

static bool is_stdio(const struct opts_console *con)
{
	return con->to && !strcmp(con->to, "stdio");
}

/* The i-th of those that are attached, if it is a console. */
static struct opts_console *console(const struct run_opts *opts, unsigned i)
{
	struct attached *a = opts->attached[i];

	return a->ops == &console_ops ? (struct opts_console *)a : NULL;
}

struct opts_console *opts_console_stdio(const struct run_opts *opts)
{
	unsigned i;

	for (i = 0; i < opts->attached_count; i++) {
		struct opts_console *con = console(opts, i);

		if (con && is_stdio(con))
			return con;
	}
	return NULL;
}

static int check_name(const char *name, char *err)
{
	const char *p;

	for (p = name; *p > ' ' && *p <= '~' && *p != '/'; p++)
		;
	if (*p || p - name > NAME_MAX_LEN)
		return opts_fail(err,
				 "--console name '%s': 1 to %d printable "
				 "characters without blanks and '/' are "
				 "expected",
				 name, NAME_MAX_LEN);
	return 0;
}

static int check(const char *text, const struct run_opts *opts,
		 struct opts_console *con, char *err)
{
	unsigned i;

	if (!!con->to + !!con->file + !!con->socket != 1 ||
	    (con->to && !is_stdio(con) && strcmp(con->to, "null") != 0))
		return opts_fail(err,
				 "--console '%s': 'stdio', 'null', 'file=PATH' "
				 "or 'socket=PATH' is expected, then perhaps "
				 "',name=NAME'",
				 text);
	if (con->name && check_name(con->name, err))
		return -EINVAL;
	for (i = 0; i < opts->attached_count; i++) {
		const struct opts_console *other = console(opts, i);

		if (!other)
			continue;
		con->port++;
		if (is_stdio(con) && is_stdio(other))
			return opts_fail(err, "--console: two of them are "
					      "'stdio'; one can be");
		if (con->name && other->name && !strcmp(con->name, other->name))
			return opts_fail(err,
					 "--console: two of them are named "
					 "'%s'",
					 con->name);
		if (con->socket && other->socket &&
		    !strcmp(con->socket, other->socket))
			return opts_fail(err,
					 "--console: two of them are at the "
					 "socket '%s'",
					 con->socket);
	}
	if (con->port == TRAPMAP_PORTS_MAX)
		return opts_fail(err, "more than %d --console",
				 TRAPMAP_PORTS_MAX);
	return 0;
}

int opts_console(const char *text, struct run_opts *opts, char *err)
{
	struct opts_console *con = calloc(1, sizeof(*con));
	int r;

	if (!con)
		return opts_fail(err, "out of memory");
	con->attached.ops = &console_ops;
	con->in_fd = con->out_fd = -1;
	r = opts_keys("--console", text, keys, COUNT(keys), con, err);
	if (r == 0)
		r = check(text, opts, con, err);
	if (r) {
		console_free(&con->attached);
		return r;
	}
	return attached_keep(opts, &con->attached, err);
}

int opts_console_check(struct run_opts *opts, char *err)
{
	unsigned i;

	if (!opts_console_stdio(opts))
		return 0;
	for (i = 0; i < opts->serial_count; i++)
		if (opts->serial[i].kind == OPTS_SINK_STDIO)
			return opts_fail(err, "--serial and --console are both "
					      "'stdio'; one of them can be");
	if (opts->serial_count == 0)
		opts->serial[0].kind = OPTS_SINK_NULL;
	return 0;
}
