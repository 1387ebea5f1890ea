// SPDX-License-Identifier: MIT
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/test/runner.h"

#define JOBS_MAX 16

/* Jobs are shell scripts; their output goes to files "out" and "err". */
struct rig {
	const char *script[JOBS_MAX];
	const char *program;
	char *argv[4];
	char out[64], err[64];
	int64_t limit_ms;
	uint32_t cpus;
	uint64_t mem;
	int job_error;
	size_t stop_after; /* end after this job; SIZE_MAX: none */
	int raise; /* this signal, once a job has started */

	size_t asked, running, most, ended_count;
	size_t started[JOBS_MAX];
	struct runner_end end[JOBS_MAX];
};

static struct rig rig;
static char dir[] = "/tmp/trapmap-test-runner-XXXXXX";
static sigset_t old;

static int job(void *opaque, size_t index, struct runner_job *ret_job)
{
	assert_int_equal(index, rig.asked++);
	if (rig.job_error)
		return rig.job_error;
	if (!rig.script[index])
		return 0;
	rig.argv[0] = (char *)(uintptr_t)"sh";
	rig.argv[1] = (char *)(uintptr_t)"-c";
	rig.argv[2] = (char *)(uintptr_t)rig.script[index];
	*ret_job = (struct runner_job){ .program = rig.program,
					.argv = rig.argv,
					.out = rig.out,
					.err = rig.err,
					.limit_ms = rig.limit_ms,
					.cpus = rig.cpus,
					.mem = rig.mem };
	return 1;
}

static void started(void *opaque, size_t index)
{
	rig.started[rig.running++ + rig.ended_count] = index;
	if (rig.running > rig.most)
		rig.most = rig.running;
	if (rig.raise)
		raise(rig.raise);
}

static bool ended(void *opaque, size_t index, const struct runner_end *end)
{
	if (!end->error)
		rig.running--;
	rig.ended_count++;
	rig.end[index] = *end;
	return index != rig.stop_after;
}

static int run(size_t count, uint32_t jobs, uint32_t cpus, uint64_t mem)
{
	const struct runner runner = { .count = count,
				       .jobs = jobs,
				       .cpus = cpus,
				       .mem = mem,
				       .job = job,
				       .started = started,
				       .ended = ended };

	return runner_run(&runner, &old);
}

static int fresh(void **state)
{
	rig = (struct rig){ .program = "/bin/sh",
			    .cpus = 1,
			    .mem = 1,
			    .stop_after = SIZE_MAX };
	snprintf(rig.out, sizeof(rig.out), "%s/out", dir);
	snprintf(rig.err, sizeof(rig.err), "%s/err", dir);
	return 0;
}

static void all_scripts(const char *script)
{
	size_t i;

	for (i = 0; i < JOBS_MAX; i++)
		rig.script[i] = script;
}

static const char *file(const char *path)
{
	static char text[4096];
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	return text;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void output_and_status_are_kept(void **state)
{
	rig.script[0] = "echo out; echo err >&2; read x; echo $?; exit 7";
	assert_int_equal(run(1, 0, 1, 1), 0);
	assert_true(WIFEXITED(rig.end[0].wait_status));
	assert_int_equal(WEXITSTATUS(rig.end[0].wait_status), 7);
	assert_false(rig.end[0].overdue || rig.end[0].stopped);
	/* There is no input: read finds its end. */
	assert_string_equal(file(rig.out), "out\n1\n");
	assert_string_equal(file(rig.err), "err\n");
}

static void a_program_inherits_neither_descriptors_nor_blocked_signals(
	void **state)
{
	rig.script[0] = "ls /proc/self/fd | wc -l; kill -INT $$; sleep 1";
	assert_int_equal(run(1, 0, 1, 1), 0);
	/* Its own three, and the folder that ls reads. */
	assert_string_equal(file(rig.out), "4\n");
	assert_true(WIFSIGNALED(rig.end[0].wait_status));
	assert_int_equal(WTERMSIG(rig.end[0].wait_status), SIGINT);
}

static void a_program_leads_a_process_group_of_its_own(void **state)
{
	rig.script[0] = "read a b c d pgrp rest </proc/$$/stat; "
			"[ $pgrp = $$ ] && echo leads";
	assert_int_equal(run(1, 0, 1, 1), 0);
	assert_string_equal(file(rig.out), "leads\n");
}

static void so_many_run_at_once_as_were_asked_for(void **state)
{
	size_t i;

	all_scripts("sleep 0.05");
	assert_int_equal(run(9, 3, 1, 0), 0);
	assert_int_equal(rig.most, 3);
	assert_int_equal(rig.ended_count, 9);
	fresh(NULL);
	all_scripts("exit 0");
	assert_int_equal(run(5, 1, 8, 8), 0);
	assert_int_equal(rig.most, 1);
	for (i = 0; i < 5; i++)
		assert_int_equal(rig.started[i], i);
}

static void else_as_many_as_the_host_has_room_for(void **state)
{
	all_scripts("sleep 0.05");
	rig.cpus = 2;
	assert_int_equal(run(6, 0, 5, 100), 0);
	assert_int_equal(rig.most, 2);
	fresh(NULL);
	all_scripts("sleep 0.05");
	rig.mem = 30;
	assert_int_equal(run(6, 0, 50, 100), 0);
	assert_int_equal(rig.most, 3);
}

static void one_runs_even_where_there_is_no_room(void **state)
{
	all_scripts("exit 0");
	rig.cpus = 64;
	rig.mem = UINT64_MAX;
	assert_int_equal(run(3, 0, 1, 0), 0);
	assert_int_equal(rig.most, 1);
	assert_int_equal(rig.ended_count, 3);
}

static void a_job_with_nothing_to_run_is_passed_over(void **state)
{
	rig.script[1] = "exit 3";
	assert_int_equal(run(3, 0, 1, 1), 0);
	assert_int_equal(rig.asked, 3);
	assert_int_equal(rig.ended_count, 1);
	assert_int_equal(WEXITSTATUS(rig.end[1].wait_status), 3);
}

static void a_program_beyond_its_limit_is_told_to_end(void **state)
{
	int64_t start = now_ms();

	rig.script[0] = "sleep 60";
	rig.limit_ms = 100;
	assert_int_equal(run(1, 0, 1, 1), 0);
	assert_true(rig.end[0].overdue);
	assert_true(rig.end[0].ms >= 100);
	assert_true(now_ms() - start < 2500);
}

static void one_that_does_not_obey_is_killed_with_its_children(void **state)
{
	int64_t start = now_ms();

	rig.script[0] = "trap '' TERM; sleep 60 & sleep 60; sleep 60";
	rig.limit_ms = 100;
	assert_int_equal(run(1, 0, 1, 1), 0);
	assert_true(rig.end[0].overdue);
	assert_int_equal(WTERMSIG(rig.end[0].wait_status), SIGKILL);
	assert_true(now_ms() - start < 20000);
}

static void what_cannot_be_started_is_told(void **state)
{
	rig.script[0] = "exit 0";
	rig.program = "/no/such/program";
	assert_int_equal(run(1, 0, 1, 1), 0);
	assert_int_equal(WEXITSTATUS(rig.end[0].wait_status), 127);
	assert_non_null(strstr(file(rig.err), "/no/such/program"));

	fresh(NULL);
	rig.script[0] = "exit 0";
	snprintf(rig.out, sizeof(rig.out), "/no/such/folder/out");
	assert_int_equal(run(1, 0, 1, 1), 0);
	assert_int_equal(rig.end[0].error, -ENOENT);
}

static void a_signal_ends_all_and_starts_no_more(void **state)
{
	all_scripts("sleep 60");
	rig.raise = SIGTERM;
	assert_int_equal(run(8, 2, 1, 1), SIGTERM);
	assert_true(rig.ended_count >= 1 && rig.ended_count <= 2);
	assert_true(rig.end[0].stopped);
	assert_int_equal(WTERMSIG(rig.end[0].wait_status), SIGTERM);
	assert_int_equal(rig.running, 0);
}

static void no_more_are_started_once_that_is_asked(void **state)
{
	all_scripts("exit 1");
	rig.stop_after = 2;
	assert_int_equal(run(8, 1, 1, 1), 0);
	assert_int_equal(rig.ended_count, 3);
}

static void an_error_of_the_giver_leaves_nothing_running(void **state)
{
	rig.job_error = -ENOMEM;
	assert_int_equal(run(1, 0, 1, 1), -ENOMEM);
	assert_int_equal(rig.ended_count, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* A pipe whose other end is open as long as any of its holders live. */
static void programs_die_with_us(void **state)
{
	struct pollfd fd = { .events = POLLIN };
	int ends[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ends), 0);
	rig.script[0] = "echo r >&9; exec sleep 60";
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		dup2(ends[1], 9);
		if (ends[1] != 9)
			close(ends[1]);
		run(1, 0, 1, 1);
		_exit(0);
	}
	assert_true(pid > 0);
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	read(ends[0], &byte, 1);
	fd.fd = ends[0];
	assert_int_equal(poll(&fd, 1, 10000), 1);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
}

static void the_host_has_a_processor_and_memory(void **state)
{
	assert_true(runner_host_cpus() >= 1);
	assert_true(runner_host_mem() > 1 << 20);
}

#define TEST(name) cmocka_unit_test_setup(name, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(output_and_status_are_kept),
		TEST(a_program_inherits_neither_descriptors_nor_blocked_signals),
		TEST(a_program_leads_a_process_group_of_its_own),
		TEST(so_many_run_at_once_as_were_asked_for),
		TEST(else_as_many_as_the_host_has_room_for),
		TEST(one_runs_even_where_there_is_no_room),
		TEST(a_job_with_nothing_to_run_is_passed_over),
		TEST(a_program_beyond_its_limit_is_told_to_end),
		TEST(one_that_does_not_obey_is_killed_with_its_children),
		TEST(what_cannot_be_started_is_told),
		TEST(a_signal_ends_all_and_starts_no_more),
		TEST(no_more_are_started_once_that_is_asked),
		TEST(an_error_of_the_giver_leaves_nothing_running),
		TEST(programs_die_with_us),
		TEST(the_host_has_a_processor_and_memory),
	};
	int failed;

	/* What whoever started us left open is not the runner's fault. */
	close_range(3, ~0u, 0);
	if (!mkdtemp(dir))
		return 1;
	runner_block_signals(&old);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	fresh(NULL);
	unlink(rig.out);
	unlink(rig.err);
	rmdir(dir);
	return failed;
}
