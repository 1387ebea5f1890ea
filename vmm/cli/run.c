// SPDX-License-Identifier: MIT
/*
 * run.c: "trapmap run". One VM, and one loop that waits for its end, a signal,
 * the keyboard and the clock. Until the guest runs, nothing is done here that
 * can wait.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <trapmap/trapmap.h>

#include "commands.h"
#include "connect.h"
#include "console.h"
#include "dtsource.h"
#include "attached.h"
#include "keys.h"
#include "manual.h"
#include "insight.h"
#include "opts.h"
#include "run.h"
#include "say.h"
#include "signals.h"
#include "term.h"

#define NEVER INT64_MAX

/* How long a reader of the console has for the rest, after we were told to end. */
#define DRAIN_MS 1000

/* How long a VM that was told to end may take. */
#define STOP_MS 5000

/* How often a background job looks whether it has become the foreground's. */
#define ATTACH_MS 500

struct run {
	const struct run_opts *opts;
	struct trapmap_vm *vm;
	struct insight insight;
	struct outfiles files;
	struct connect connect;
	int sig_fd;
	int dtb_fd; /* of --dump-dtb */
	int64_t deadline;	/* of --timeout */
	int64_t drain_deadline; /* once it was told to end */
	int stop_status; /* of the reason to tell it; 0: it was not told */
	bool pressed; /* the power button, by SIGTERM */
	bool by_key;
	bool hurry; /* it was told twice */
	bool dump_failed; /* --dump-dtb did not get its file */
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- before ------------------------------------------------------------ */

static int set_sources(struct run *run)
{
	const struct run_opts *opts = run->opts;
	struct trapmap_source source = { .size = sizeof(source) };
	char *params;
	unsigned i;
	int r = 0;

	if (opts->kernel) {
		source.path = opts->kernel;
		r = trapmap_vm_set_kernel(run->vm, &source);
	}
	if (r == 0 && opts->firmware) {
		source.path = opts->firmware;
		r = trapmap_vm_set_firmware(run->vm, &source);
	}
	if (r == 0)
		r = trapmap_vm_set_boot(run->vm, opts->boot);
	for (i = 0; r == 0 && i < opts->initrd_count; i++) {
		source.path = opts->initrd[i];
		r = trapmap_vm_add_initrd(run->vm, &source);
	}
	if (r == 0 && opts->initrd_data) {
		source.path = NULL;
		source.data = opts->initrd_data;
		source.len = opts->initrd_len;
		r = trapmap_vm_add_initrd(run->vm, &source);
	}
	params = attached_params(opts);
	if (r == 0 && (params || opts->params))
		r = trapmap_vm_set_cmdline(run->vm,
					   params ? params : opts->params);
	free(params);
	return r ? say_refused(run->vm, "", r) : STATUS_OK;
}

/* On a thread of the VM's: what a person should know at once. */
static void on_notice(void *opaque, const char *text)
{
	const struct run *run = opaque;

	if (attached_paused(run->opts, false))
		say_aside("%s (Ctrl-A r, or SIGCONT to process %d)", text,
			  (int)getpid());
	else
		say_aside("%s", text);
}

/* Files to write come last: fewer of them are made in vain. */
static int configure(struct run *run)
{
	struct trapmap_machine machine = run->opts->machine;
	int r, status;

	machine.kick_signal = signals_kick();
	r = trapmap_vm_set_machine(run->vm, &machine);
	if (r)
		return say_refused(run->vm, "", r);
	r = trapmap_vm_set_nvram(
		run->vm, &(struct trapmap_nvram){
				 .size = sizeof(struct trapmap_nvram),
				 .path = run->opts->nvram.path,
				 .set_clock = run->opts->nvram.set_clock });
	if (r)
		return say_refused(run->vm, "", r);
	r = opts_mem_set(&run->opts->mem, run->vm);
	if (r)
		return say_refused(run->vm, "--mem: ", r);
	r = opts_cpus_apply(&run->opts->cpus, run->vm);
	if (r)
		return say_refused(run->vm, "--cpus: ", r);
	trapmap_vm_set_notice(run->vm, on_notice, run);
	status = dtsource_apply(run->opts, run->vm);
	if (status == STATUS_OK)
		status = set_sources(run);
	if (status == STATUS_OK)
		status = attached_add(run->opts, run->vm);
	if (status == STATUS_OK)
		status = insight_rules(&run->insight);
	if (status == STATUS_OK)
		status = insight_files(&run->insight);
	if (status == STATUS_OK && run->opts->dump_dtb) {
		run->dtb_fd = insight_open(&run->files, "--dump-dtb",
					   run->opts->dump_dtb);
		if (run->dtb_fd < 0)
			status = STATUS_BAD_INPUT;
	}
	return status == STATUS_OK ? connect_all(&run->connect) : status;
}

/* Now that it is known where everything lies. Says what went wrong. */
static void dump_devicetree(struct run *run)
{
	const void *blob;
	size_t len;
	int r;

	if (trapmap_vm_devicetree(run->vm, &blob, &len)) {
		say("%s", trapmap_vm_error(run->vm));
		run->dump_failed = true;
		return;
	}
	r = write_all(run->dtb_fd, blob, len);
	if (r) {
		say("--dump-dtb: cannot write '%s': %s", run->opts->dump_dtb,
		    strerror(-r));
		run->dump_failed = true;
	}
}

/* ---- while it runs ----------------------------------------------------- */

static void stop(struct run *run, enum trapmap_end_kind kind, int sig)
{
	if (run->stop_status) {
		run->hurry = true;
		return;
	}
	run->stop_status = kind == TRAPMAP_END_TIMEOUT ? 124 : 128 + sig;
	run->drain_deadline = now_ms() + DRAIN_MS;
	run->deadline = NEVER;
	trapmap_vm_stop(run->vm, kind, sig);
}

/* If it was paused for want of room on the host: perhaps there is some now. */
static void resume(struct run *run)
{
	if (attached_paused(run->opts, true))
		trapmap_vm_resume(run->vm);
}

/* Whether sig was for the guest, which is now to shut down. */
static bool pass_on(struct run *run, int sig)
{
	if (sig != SIGTERM || !run->opts->sigterm_button || run->pressed)
		return false;
	run->pressed = true;
	trapmap_vm_power_button(run->vm);
	if (!run->opts->quiet)
		say_aside("SIGTERM: the power button is pressed; a second "
			  "SIGTERM ends the run");
	return true;
}

static void on_signal(struct run *run, int sig)
{
	if (pass_on(run, sig)) {
		return;
	} else if (signals_is_end(sig)) {
		stop(run, TRAPMAP_END_STOPPED, sig);
	} else if (sig == SIGTSTP) {
		term_detach(&run->connect.term);
		/* So that a clock of the VM's own stands still meanwhile. */
		trapmap_vm_pause(run->vm);
		signals_suspend();
		attached_paused(run->opts, true);
		trapmap_vm_resume(run->vm);
		term_attach(&run->connect.term);
	} else if (sig == SIGWINCH) {
		connect_tell_size(&run->connect);
	} else {
		term_attach(&run->connect.term); /* SIGCONT: fg or bg? */
		resume(run);
	}
}

static void show_keys(void)
{
	const struct manual_item *key;
	char line[80];

	/* The terminal is raw: no newline returns the carriage by itself. */
	write_all(STDERR_FILENO, "\r\n", 2);
	for (key = keys_help; key->term; key++) {
		snprintf(line, sizeof(line), "%-13s  %s\r\n", key->term,
			 key->text);
		write_all(STDERR_FILENO, line, strlen(line));
	}
}

static void on_keyboard(struct run *run)
{
	unsigned found = console_read(&run->connect.con, run->connect.term.fd);

	console_flush(&run->connect.con);
	if (found & CONSOLE_HELP)
		show_keys();
	if (found & CONSOLE_BREAK)
		connect_break(&run->connect);
	if (found & CONSOLE_RESUME)
		resume(run);
	if (found & CONSOLE_POWER)
		trapmap_vm_power_button(run->vm);
	if (found & CONSOLE_HANGUP)
		term_attach(&run->connect.term); /* gone, or another job's */
	if (found & CONSOLE_END) {
		run->by_key = !run->stop_status;
		stop(run, TRAPMAP_END_STOPPED, SIGINT);
	}
}

static int poll_timeout(const struct run *run)
{
	int64_t now, until = run->deadline;

	if (run->drain_deadline < until)
		until = run->drain_deadline;
	now = until == NEVER ? 0 : now_ms();
	if (run->connect.term.fd >= 0 && !run->connect.term.attached &&
	    (until == NEVER || until - now > ATTACH_MS))
		return ATTACH_MS;
	if (until == NEVER)
		return -1;
	if (until <= now)
		return 0;
	/* Once a day is often enough. */
	return until - now > 86400000 ? 86400000 : (int)(until - now);
}

/* Until the VM has ended and its console is out, or we will not wait longer. */
static void wait_for_end(struct run *run)
{
	enum { END, SIGNAL, KEYBOARD, GUEST, FDS };
	struct pollfd fds[FDS] = {
		[END] = { .fd = trapmap_vm_event_fd(run->vm), .events = POLLIN },
		[SIGNAL] = { .fd = run->sig_fd, .events = POLLIN },
		[KEYBOARD] = { .events = POLLIN },
		[GUEST] = { .events = POLLOUT },
	};
	int sig;

	while (!run->hurry) {
		bool keyboard = run->connect.term.attached &&
				console_has_room(&run->connect.con);

		fds[KEYBOARD].fd = keyboard ? run->connect.term.fd : -1;
		fds[GUEST].fd = console_has_input(&run->connect.con) ? run->connect.con.guest_fd
							     : -1;
		if (poll(fds, FDS, poll_timeout(run)) < 0)
			continue;
		if (fds[END].revents)
			return;
		while ((sig = signals_next(run->sig_fd)) != 0)
			on_signal(run, sig);
		if (fds[KEYBOARD].revents && run->connect.term.attached)
			on_keyboard(run);
		if (fds[GUEST].revents)
			console_flush(&run->connect.con);
		if (run->connect.term.fd >= 0 && !run->connect.term.attached)
			term_attach(&run->connect.term);
		if (run->drain_deadline != NEVER &&
		    now_ms() >= run->drain_deadline)
			return;
		if (run->deadline != NEVER && now_ms() >= run->deadline)
			stop(run, TRAPMAP_END_TIMEOUT, 0);
	}
}

/* ---- after ------------------------------------------------------------- */

static int report(struct run *run)
{
	struct trapmap_end end = TRAPMAP_END_INIT;
	size_t lost = 0;
	int status, r;

	r = trapmap_vm_wait(run->vm, 0, &end);
	if (r == -ETIMEDOUT) {
		lost = trapmap_vm_discard_output(run->vm);
		r = trapmap_vm_wait(run->vm, STOP_MS, &end);
	}
	term_done(&run->connect.term);
	if (connect_is_stdio(&run->connect) ||
	    run->opts->debugcon.kind == OPTS_SINK_STDIO ||
	    run->opts->debugcon.kind == OPTS_SINK_STDERR)
		term_fresh_line();
	if (r) {
		say("the VM cannot be stopped: %s", strerror(-r));
		_exit(STATUS_HOST_FAILURE);
	}

	status = end.status;
	/* Where output was lost, all is not well. */
	if (lost && status == 0)
		status = run->stop_status;
	if (run->dump_failed && status == 0)
		status = STATUS_HOST_FAILURE;
	if (lost)
		say("the last %zu bytes of the guest's output found no reader and are lost",
		    lost);
	if (run->by_key && end.kind == TRAPMAP_END_STOPPED)
		say("ended by Ctrl-A x");
	else if (status || !run->opts->quiet)
		say("%s", end.text);
	attached_tell(run->opts);
	insight_tell(&run->insight, status || !run->opts->quiet);
	if (!insight_report(&run->insight) && status == 0)
		status = STATUS_HOST_FAILURE;
	return status;
}

/* It cannot be started. */
static int refused(struct run *run)
{
	int status = trapmap_vm_start_status(run->vm);

	say("%s%s", trapmap_vm_error(run->vm),
	    status == STATUS_HOST_FAILURE ? " (see 'trapmap doctor')" : "");
	insight_report(&run->insight);
	return status;
}

static int run_vm(struct run *run)
{
	static const char hint[] =
		"trapmap: Ctrl-A x ends the run, Ctrl-A h lists the keys\r\n";
	int status = configure(run), r;

	if (status)
		return status;
	if (trapmap_vm_prepare(run->vm))
		return refused(run);
	/* Now nothing is wrong with what was asked for. */
	r = outfiles_begin(&run->files);
	if (r) {
		say("cannot begin a file anew: %s", strerror(-r));
		return STATUS_HOST_FAILURE;
	}
	connect_tell(&run->connect);
	if (run->opts->timeout_ms)
		run->deadline = now_ms() + run->opts->timeout_ms;
	if (trapmap_vm_start(run->vm))
		return refused(run);
	/* The guest runs: now there is time for all else. */
	signals_block();
	run->sig_fd = signals_open();
	if (run->sig_fd < 0) {
		say("cannot watch for signals: %s", strerror(-run->sig_fd));
		return STATUS_HOST_FAILURE;
	}
	if (term_attach(&run->connect.term) && !run->opts->quiet && isatty(STDERR_FILENO))
		write_all(STDERR_FILENO, hint, sizeof(hint) - 1);
	if (run->dtb_fd >= 0)
		dump_devicetree(run);
	wait_for_end(run);
	return report(run);
}

int run_guest(const struct run_opts *opts)
{
	struct run run = { .opts = opts,
			   .insight = INSIGHT_INIT,
			   .files = OUTFILES_INIT,
			   .connect = CONNECT_INIT,
			   .sig_fd = -1,
			   .dtb_fd = -1,
			   .deadline = NEVER,
			   .drain_deadline = NEVER };
	int status, r;

	r = trapmap_vm_new(&run.vm);
	if (r) {
		say("cannot make a VM: %s", strerror(-r));
		status = STATUS_HOST_FAILURE;
	} else {
		run.insight.opts = opts;
		run.insight.vm = run.vm;
		run.insight.files = &run.files;
		run.connect.opts = opts;
		run.connect.vm = run.vm;
		run.connect.files = &run.files;
		status = run_vm(&run);
	}
	trapmap_vm_free(run.vm);
	connect_done(&run.connect);
	outfiles_done(&run.files);
	if (run.sig_fd >= 0)
		close(run.sig_fd);
	if (run.dtb_fd >= 0)
		close(run.dtb_fd);
	insight_done(&run.insight);
	return status;
}

int cmd_run(int argc, char **argv)
{
	struct run_opts opts;
	char err[OPTS_ERR_SIZE];
	int status;

	switch (run_opts_parse(argc, argv, &opts, err)) {
	case OPTS_RUN: break;
	case OPTS_HELP:
		manual_help(stdout, &run_manual);
		return finish_stdout(STATUS_OK);
	case OPTS_VERSION: return print_version();
	default: say("%s", err); return STATUS_BAD_INPUT;
	}
	status = run_guest(&opts);
	run_opts_done(&opts);
	return status;
}
