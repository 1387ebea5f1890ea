// SPDX-License-Identifier: MIT
/*
 * command.c: "trapmap test". Each case is a "trapmap run" of its own, as a
 * child: whatever a guest does to it, the others and the results go on.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "manual.h"
#include "outfile.h"
#include "say.h"
#include "test/artifacts.h"
#include "test/junit.h"
#include "test/progress.h"
#include "test/result.h"
#include "test/runner.h"
#include "test/suite.h"
#include "test/table.h"
#include "test/tap.h"
#include "test/test_opts.h"
#include "test/text.h"

#define KVM_DEVICE "/dev/kvm"

/* What trapmap may take beyond its own time limit before it counts as hung. */
#define GRACE_MS 10000

/* The words before those of a case. */
enum {
	ARG_NAME,
	ARG_RUN,
	ARG_REPORT,
	ARG_REPORT_FILE,
	ARG_TIMEOUT,
	ARG_MS,
	ARGS
};

struct command {
	const struct test_opts *opts;
	struct test_suite suite;
	struct artifacts artifacts;
	struct test_run run;
	struct progress progress;
	struct tap tap;
	struct outfile junit;
	int error; /* -errno of what ended it early */

	/* Of the job in hand. */
	char **argv;
	char *report, *out, *err;
	char timeout[32];
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- what the runner asks for --------------------------------------------- */

static void drop_job(struct command *cmd)
{
	free(cmd->argv);
	free(cmd->report);
	free(cmd->out);
	free(cmd->err);
	cmd->argv = NULL;
	cmd->report = cmd->out = cmd->err = NULL;
}

static void done(struct command *cmd, size_t index,
		 const struct test_result *result)
{
	run_put(&cmd->run, index, result);
	progress_ended(&cmd->progress, index);
	if (cmd->opts->tap)
		tap_update(&cmd->tap);
}

static int skip(struct command *cmd, size_t index)
{
	struct test_result result;
	int r = result_skip(&cmd->suite.cases[index], &result);

	if (r == 0)
		done(cmd, index, &result);
	return r;
}

static int make_words(struct command *cmd, size_t index, int64_t timeout_ms)
{
	static char name[] = "trapmap", run[] = "run", report[] = "--report",
		    timeout[] = "--timeout";
	const struct test_case *test = &cmd->suite.cases[index];

	cmd->argv = calloc(ARGS + test->argc + 1, sizeof(*cmd->argv));
	cmd->report = artifacts_path(&cmd->artifacts, index, ARTIFACT_REPORT);
	cmd->out = artifacts_path(&cmd->artifacts, index, ARTIFACT_CONSOLE);
	cmd->err = artifacts_path(&cmd->artifacts, index, ARTIFACT_ERRORS);
	if (!cmd->argv || !cmd->report || !cmd->out || !cmd->err)
		return -ENOMEM;
	snprintf(cmd->timeout, sizeof(cmd->timeout), "%lldms",
		 (long long)timeout_ms);
	cmd->argv[ARG_NAME] = name;
	cmd->argv[ARG_RUN] = run;
	cmd->argv[ARG_REPORT] = report;
	cmd->argv[ARG_REPORT_FILE] = cmd->report;
	cmd->argv[ARG_TIMEOUT] = timeout;
	cmd->argv[ARG_MS] = cmd->timeout;
	if (test->argc)
		memcpy(&cmd->argv[ARGS], test->args,
		       test->argc * sizeof(*test->args));
	return 0;
}

static int next_job(void *opaque, size_t index, struct runner_job *ret_job)
{
	struct command *cmd = opaque;
	const struct test_case *test = &cmd->suite.cases[index];
	int64_t timeout_ms = test->timeout_ms ? test->timeout_ms
					      : cmd->opts->timeout_ms;
	int r;

	drop_job(cmd);
	if (test->skip)
		return skip(cmd, index);
	if (timeout_ms > INT64_MAX - GRACE_MS)
		timeout_ms = INT64_MAX - GRACE_MS;
	r = make_words(cmd, index, timeout_ms);
	if (r)
		return r;
	*ret_job = (struct runner_job){
		/* Ourselves, even where the file has been replaced meanwhile. */
		.program = "/proc/self/exe",
		.argv = cmd->argv,
		.out = cmd->out,
		.err = cmd->err,
		.limit_ms = timeout_ms + GRACE_MS,
		.cpus = test->cpus ? test->cpus : 1,
		.mem = test->mem,
	};
	return 1;
}

static void job_started(void *opaque, size_t index)
{
	struct command *cmd = opaque;

	progress_started(&cmd->progress, index);
}

static bool job_ended(void *opaque, size_t index, const struct runner_end *end)
{
	struct command *cmd = opaque;
	struct test_result result;

	cmd->error = result_judge(&cmd->run, index, end, &result);
	if (cmd->error)
		return false;
	done(cmd, index, &result);
	return !(cmd->opts->fail_fast && result.outcome == TEST_FAILED);
}

static void tick(void *opaque)
{
	struct command *cmd = opaque;

	progress_tick(&cmd->progress);
}

/* ---- before ---------------------------------------------------------------- */

/* As a shell would take it. */
static void put_word(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789%+,-./:=@_";
	const char *p;

	putchar(' ');
	if (*word && word[strspn(word, plain)] == '\0') {
		fputs(word, stdout);
		return;
	}
	putchar('\'');
	for (p = word; *p; p++)
		if (*p == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*p == '\n' ? ' ' : *p);
	putchar('\'');
}

static int list(const struct test_suite *suite)
{
	size_t width = 0, n, i, j;

	for (i = 0; i < suite->count; i++) {
		n = text_columns(suite->cases[i].name);
		if (n > width && n <= 40)
			width = n;
	}
	for (i = 0; i < suite->count; i++) {
		const struct test_case *test = &suite->cases[i];

		text_say(stdout, test->name);
		n = text_columns(test->name);
		printf("%*s  ", n < width ? (int)(width - n) : 0, "");
		if (test->skip) {
			fputs("skipped: ", stdout);
			text_say(stdout, test->skip);
		} else {
			fputs("trapmap run", stdout);
			for (j = 0; j < test->argc; j++)
				put_word(test->args[j]);
		}
		putchar('\n');
	}
	return finish_stdout(STATUS_OK);
}

/* Whether a case needs the usual device: it names no other. */
static bool needs_kvm(const struct test_case *test)
{
	static const char option[] = "--kvm-device";
	size_t i;

	if (test->skip)
		return false;
	for (i = 0; i < test->argc; i++)
		if (strncmp(test->args[i], option, sizeof(option) - 1) == 0)
			return false;
	return true;
}

/* Says once what would be the end of each case. */
static int look_for_kvm(const struct test_suite *suite)
{
	size_t i;
	int fd;

	for (i = 0; i < suite->count && !needs_kvm(&suite->cases[i]); i++)
		;
	if (i == suite->count)
		return STATUS_OK;
	fd = open(KVM_DEVICE, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		say("cannot open '" KVM_DEVICE
		    "', without which no guest can run: %s (see 'trapmap doctor')",
		    strerror(errno));
		return STATUS_HOST_FAILURE;
	}
	close(fd);
	return STATUS_OK;
}

static int no_memory(void)
{
	say("out of memory");
	return STATUS_HOST_FAILURE;
}

static int open_outputs(struct command *cmd)
{
	const struct test_opts *opts = cmd->opts;
	char err[TEST_ERR_SIZE];
	int r;

	r = artifacts_open(&cmd->artifacts, opts->artifacts, &cmd->suite, err);
	if (r) {
		say("%s", err);
		/* A place that was named is to blame on who named it. */
		return opts->artifacts && r != -ENOMEM ? STATUS_BAD_INPUT
						       : STATUS_HOST_FAILURE;
	}
	if (opts->junit) {
		r = outfile_open(&cmd->junit, opts->junit);
		if (r) {
			say("--junit: cannot write '%s': %s", opts->junit,
			    strerror(-r));
			return STATUS_BAD_INPUT;
		}
	}
	cmd->run = (struct test_run){
		.suite = &cmd->suite,
		.artifacts = &cmd->artifacts,
		.done[TEST_NOT_RUN] = cmd->suite.count,
		.results = calloc(cmd->suite.count, sizeof(*cmd->run.results)),
	};
	if (!cmd->run.results ||
	    progress_init(&cmd->progress, opts->tap ? stderr : stdout,
			  &cmd->run, opts->quiet))
		return no_memory();
	if (opts->tap)
		tap_begin(&cmd->tap, stdout, &cmd->run);
	return STATUS_OK;
}

/* ---- after ----------------------------------------------------------------- */

static int write_junit(struct command *cmd)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f;
	int r;

	if (!cmd->opts->junit)
		return STATUS_OK;
	f = open_memstream(&text, &len);
	if (!f)
		return no_memory();
	junit_write(f, &cmd->run);
	if (fclose(f)) {
		free(text);
		return no_memory();
	}
	r = outfile_write(&cmd->junit, text, len);
	free(text);
	if (r == 0)
		return STATUS_OK;
	say("--junit: cannot write '%s': %s", cmd->opts->junit, strerror(-r));
	return STATUS_HOST_FAILURE;
}

static int tell(struct command *cmd)
{
	const struct progress *progress = &cmd->progress;
	int status = run_status(&cmd->run), r;

	progress_clear(&cmd->progress);
	r = write_junit(cmd);
	if (artifacts_are_full(&cmd->artifacts))
		say("the disk with '%s' is full: consoles and reports there may be cut short",
		    cmd->artifacts.root);
	if (cmd->opts->tap)
		tap_end(&cmd->tap);
	else
		table_print(progress->out, &cmd->run, !cmd->opts->quiet,
			    progress->color);
	table_summary(progress->out, &cmd->run, progress->color);
	return status ? status : r;
}

static int run_suite(struct command *cmd)
{
	struct runner runner = {
		.count = cmd->suite.count,
		.jobs = cmd->opts->jobs,
		.opaque = cmd,
		.job = next_job,
		.started = job_started,
		.ended = job_ended,
		.tick = tick,
	};
	int64_t start = now_ms();
	sigset_t old;
	int status, r;

	/* A reader of our output that is gone ends no test. */
	signal(SIGPIPE, SIG_IGN);
	runner_block_signals(&old);
	status = open_outputs(cmd);
	if (status == STATUS_OK) {
		runner.cpus = runner_host_cpus();
		runner.mem = runner_host_mem();
		runner.tick_ms = cmd->progress.live ? 1000 : 0;
		r = runner_run(&runner, &old);
		if (r > 0)
			cmd->run.signal = r;
		cmd->run.ms = now_ms() - start;
		status = tell(cmd);
		if (r < 0 || cmd->error) {
			say("the tests cannot go on: %s",
			    strerror(r < 0 ? -r : -cmd->error));
			status = STATUS_HOST_FAILURE;
		}
	}
	drop_job(cmd);
	progress_done(&cmd->progress);
	outfile_done(&cmd->junit);
	artifacts_done(&cmd->artifacts);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return finish_stdout(status);
}

static int with_suite(const struct test_opts *opts)
{
	struct command cmd = { .opts = opts, .junit = OUTFILE_INIT };
	char err[TEST_ERR_SIZE];
	size_t i;
	int r, status;

	r = test_opts_suite(opts, &cmd.suite, err);
	if (r) {
		say("%s", err);
		return r == -ENOMEM ? STATUS_HOST_FAILURE : STATUS_BAD_INPUT;
	}
	if (opts->list) {
		status = list(&cmd.suite);
	} else {
		status = look_for_kvm(&cmd.suite);
		if (status == STATUS_OK)
			status = run_suite(&cmd);
	}
	for (i = 0; cmd.run.results && i < cmd.suite.count; i++)
		result_done(&cmd.run.results[i]);
	free(cmd.run.results);
	suite_done(&cmd.suite);
	return status;
}

int cmd_test(int argc, char **argv)
{
	struct test_opts opts;
	char err[TEST_ERR_SIZE];
	int status;

	switch (test_opts_parse(argc, argv, &opts, err)) {
	case TEST_OPTS_RUN: break;
	case TEST_OPTS_HELP:
		manual_help(stdout, &test_manual);
		return finish_stdout(STATUS_OK);
	case TEST_OPTS_VERSION: return print_version();
	default: say("%s", err); return STATUS_BAD_INPUT;
	}
	status = with_suite(&opts);
	test_opts_done(&opts);
	return status;
}
