// SPDX-License-Identifier: MIT
/* opts_serial.c: --serial and --debugcon: where what a guest says leads. */
#include <stdlib.h>
#include <string.h>

#include "kv.h"
#include "nearest.h"
#include "opts_parts.h"

struct sink_names {
	const char *option;
	const char *expected;
	const char *names[5];
	enum opts_sink_kind kinds[5];
	size_t count;
};

static bool has_path(enum opts_sink_kind kind)
{
	return kind == OPTS_SINK_FILE || kind == OPTS_SINK_SOCKET;
}

static int parse_sink(const struct sink_names *n, const char *text,
		      struct opts_sink *sink, char *err)
{
	struct kv_list list = kv_list(text);
	char *path = NULL;
	const char *name;
	struct kv kv;
	int r = kv_next(&list, &kv);
	size_t i;

	if (r < 0)
		return opts_bad_list(err, n->option, text, r);
	name = kv.key ? kv.key : kv.value;
	for (i = 0; i < n->count && strcmp(name, n->names[i]); i++)
		;
	if (i == n->count) {
		const char *known = nearest(name, n->names, n->count);

		if (known)
			return opts_fail(err, "%s '%s': did you mean '%s'?",
					 n->option, text, known);
		return opts_fail(err, "%s '%s': %s is expected", n->option,
				 text, n->expected);
	}
	if (!has_path(n->kinds[i])) {
		if (kv.key)
			return opts_fail(err, "%s '%s': '%s' takes no value",
					 n->option, text, name);
	} else {
		if (!kv.key || !kv.value || !*kv.value)
			return opts_fail(err,
					 "%s '%s': '%s' needs a path: %s=PATH",
					 n->option, text, name, name);
		path = strdup(kv.value);
		if (!path)
			return opts_fail(err, "out of memory");
	}
	free(sink->path);
	sink->path = path;
	sink->kind = n->kinds[i];
	r = kv_next(&list, &kv);
	if (r < 0)
		return opts_bad_list(err, n->option, text, r);
	if (r > 0)
		return opts_fail(err,
				 "%s: unknown key '%s' (a comma in a path is "
				 "written twice)",
				 n->option, kv.key);
	return 0;
}

/* Whether a port is asked for what another one has. */
static int check_serial(const struct run_opts *opts, unsigned port, char *err)
{
	const struct opts_sink *sink = &opts->serial[port];
	unsigned i;

	for (i = 0; i < port; i++) {
		if (opts->serial[i].kind != sink->kind)
			continue;
		if (sink->kind == OPTS_SINK_STDIO)
			return opts_fail(err, "--serial: two of them are "
					      "'stdio'; one can be");
		if (sink->kind == OPTS_SINK_SOCKET &&
		    strcmp(opts->serial[i].path, sink->path) == 0)
			return opts_fail(err,
					 "--serial: two of them are at the "
					 "socket '%s'",
					 sink->path);
	}
	return 0;
}

int opts_serial(const char *text, struct run_opts *opts, char *err)
{
	static const struct sink_names names = {
		.option = "--serial",
		.expected = "'stdio', 'null', 'pty', 'file=PATH' or "
			    "'socket=PATH'",
		.names = { "stdio", "null", "pty", "file", "socket" },
		.kinds = { OPTS_SINK_STDIO, OPTS_SINK_NULL, OPTS_SINK_PTY,
			   OPTS_SINK_FILE, OPTS_SINK_SOCKET },
		.count = 5,
	};
	int r;

	if (opts->serial_count == TRAPMAP_SERIAL_PORTS)
		return opts_fail(err, "more than %d --serial: there are COM1 "
				      "to COM4",
				 TRAPMAP_SERIAL_PORTS);
	r = parse_sink(&names, text, &opts->serial[opts->serial_count], err);
	if (r == 0)
		r = check_serial(opts, opts->serial_count, err);
	opts->serial_count += r == 0;
	return r;
}

unsigned opts_serial_ports(const struct run_opts *opts)
{
	return opts->serial_count ? opts->serial_count : 1;
}

int opts_debugcon(const char *text, struct opts_sink *sink, char *err)
{
	static const struct sink_names names = {
		.option = "--debugcon",
		.expected = "'stdio', 'stderr', 'null' or 'file=PATH'",
		.names = { "stdio", "stderr", "null", "file" },
		.kinds = { OPTS_SINK_STDIO, OPTS_SINK_STDERR, OPTS_SINK_NULL,
			   OPTS_SINK_FILE },
		.count = 4,
	};

	return parse_sink(&names, text, sink, err);
}
