// SPDX-License-Identifier: MIT
#include "insight.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

int insight_open(struct outfiles *files, const char *option, const char *path)
{
	int fd = outfiles_open(files, path);

	if (fd < 0)
		say("%s: cannot write '%s': %s", option, path, strerror(-fd));
	return fd;
}

/* ---- before ------------------------------------------------------------ */

static const char *rule_option(const struct opts_rule *rule)
{
	return rule->rule == TRAPMAP_RULE_EXPECT ? "--expect: " : "--fail-on: ";
}

int insight_rules(struct insight *in)
{
	const struct run_opts *opts = in->opts;
	struct trapmap_source symbols = { .size = sizeof(symbols) };
	unsigned i;
	int r;

	for (i = 0; i < opts->rule_count; i++) {
		const struct opts_rule *rule = &opts->rules[i];

		r = trapmap_vm_add_rule(in->vm, rule->rule, rule->regex);
		if (r)
			return say_refused(in->vm, rule_option(rule), r);
	}
	if (opts->symbols) {
		symbols.path = opts->symbols;
		r = trapmap_vm_set_symbols(in->vm, &symbols);
		if (r)
			return say_refused(in->vm, "--symbols: ", r);
	}
	r = trapmap_vm_set_stats(in->vm, opts->stats);
	return r ? say_refused(in->vm, "--stats: ", r) : STATUS_OK;
}

static int connect_debugcon(struct insight *in)
{
	int fd = -1, r;

	switch (in->opts->debugcon.kind) {
	case OPTS_SINK_PTY:
	case OPTS_SINK_SOCKET:
	case OPTS_SINK_NULL: return STATUS_OK;
	case OPTS_SINK_STDIO: fd = STDOUT_FILENO; break;
	case OPTS_SINK_STDERR: fd = STDERR_FILENO; break;
	case OPTS_SINK_FILE:
		fd = insight_open(in->files, "--debugcon",
				  in->opts->debugcon.path);
		if (fd < 0)
			return STATUS_BAD_INPUT;
		break;
	}
	r = trapmap_vm_set_debugcon(in->vm, fd);
	if (fd > STDERR_FILENO)
		close(fd);
	return r ? say_refused(in->vm, "--debugcon: ", r) : STATUS_OK;
}

static int connect_trace(struct insight *in)
{
	const struct opts_trace *asked = &in->opts->trace;
	struct trapmap_trace trace = TRAPMAP_TRACE_INIT;
	int r;

	if (!asked->path)
		return STATUS_OK;
	trace.kinds = asked->kinds;
	trace.first = asked->first;
	trace.last = asked->last;
	trace.fd = insight_open(in->files, "--trace", asked->path);
	if (trace.fd < 0)
		return STATUS_BAD_INPUT;
	r = trapmap_vm_set_trace(in->vm, &trace);
	close(trace.fd);
	return r ? say_refused(in->vm, "--trace: ", r) : STATUS_OK;
}

int insight_files(struct insight *in)
{
	const char *path = in->opts->report;
	int status, r;

	if (path) {
		r = outfile_open(&in->report, path);
		if (r) {
			say("--report: cannot write '%s': %s", path,
			    strerror(-r));
			return STATUS_BAD_INPUT;
		}
	}
	status = connect_debugcon(in);
	return status ? status : connect_trace(in);
}

/* ---- after ------------------------------------------------------------- */

static void write_text(const char *text)
{
	write_all(STDERR_FILENO, text, strlen(text));
}

static void tell_trace(const struct insight *in, bool well)
{
	const char *path = in->opts->trace.path;
	uint64_t exits = 0;
	int r;

	if (!path)
		return;
	r = trapmap_vm_trace_status(in->vm, &exits);
	if (r == -ESRCH)
		return; /* it never began */
	if (r)
		say("trace: %s ended after %" PRIu64 " exits: %s", path, exits,
		    strerror(-r));
	else if (well)
		say("trace: %" PRIu64 " exits in %s", exits, path);
}

void insight_tell(struct insight *in, bool well)
{
	write_text(trapmap_vm_stats(in->vm));
	write_text(trapmap_vm_postmortem(in->vm));
	tell_trace(in, well);
}

bool insight_report(struct insight *in)
{
	const char *text;
	char *file = NULL;
	int len, r;

	if (!in->opts->report)
		return true;
	text = trapmap_vm_report(in->vm);
	len = text ? asprintf(&file, "%s\n", text) : -1;
	if (len < 0) {
		say("--report: no memory for it");
		return false;
	}
	r = outfile_write(&in->report, file, (size_t)len);
	free(file);
	if (r)
		say("--report: cannot write '%s': %s", in->opts->report,
		    strerror(-r));
	return r == 0;
}

void insight_done(struct insight *in)
{
	outfile_done(&in->report);
}
