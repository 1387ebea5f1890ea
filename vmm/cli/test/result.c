// SPDX-License-Identifier: MIT
#include "test/result.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "say.h"
#include "test/report_read.h"
#include "test/text.h"

#define STATUS_ALL_SKIPPED 77

/* Of stderr.log, where there is no report: so much of its end is looked at. */
#define ERRORS_MAX 4096

const char *outcome_name(enum test_outcome outcome)
{
	static const char *const names[TEST_OUTCOMES] = {
		[TEST_NOT_RUN] = "not run", [TEST_STOPPED] = "stopped",
		[TEST_PASSED] = "passed",   [TEST_FAILED] = "failed",
		[TEST_SKIPPED] = "skipped",
	};

	return names[outcome];
}

/* ---- files ---------------------------------------------------------------- */

/* The last max bytes of a file, from a line's beginning on if that is there. */
static int read_end(const char *path, size_t max, char **ret_buf,
		    size_t *ret_len)
{
	char *buf = malloc(max + 1), *line;
	size_t len = 0;
	off_t size, at;
	ssize_t n = 1;
	int fd;

	if (!buf)
		return -ENOMEM;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		free(buf);
		return -errno;
	}
	size = lseek(fd, 0, SEEK_END);
	at = size > (off_t)max ? size - (off_t)max : 0;
	while (len < max && n > 0) {
		n = pread(fd, buf + len, max - len, at + (off_t)len);
		if (n > 0)
			len += (size_t)n;
	}
	close(fd);
	line = at ? memchr(buf, '\n', len) : NULL;
	if (line && line + 1 < buf + len) {
		len -= (size_t)(line + 1 - buf);
		memmove(buf, line + 1, len);
	}
	*ret_buf = buf;
	*ret_len = len;
	return 0;
}

static int read_subs(const char *path, struct ktap *subs)
{
	static char buf[65536];
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return 0; /* none were printed */
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		ktap_feed(subs, buf, (size_t)n);
	close(fd);
	ktap_finish(subs);
	return subs->error;
}

/* The last thing that trapmap said on stderr, or NULL. */
static char *last_words(const char *path)
{
	static const char head[] = "trapmap: ";
	const char *rest, *line;
	char *buf, *words = NULL;
	size_t left, len, n;

	if (read_end(path, ERRORS_MAX, &buf, &left))
		return NULL;
	rest = buf;
	while ((line = text_line(&rest, &left, &len)) != NULL) {
		n = sizeof(head) - 1;
		if (len > n && memcmp(line, head, n) == 0) {
			line += n;
			len -= n;
		}
		if (!len)
			continue;
		free(words);
		words = strndup(line, len);
	}
	free(buf);
	return words;
}

/* The sentence that a run ended with. */
static char *sentence(const struct test_run *run, size_t index)
{
	char *path, *text = NULL;

	path = artifacts_path(run->artifacts, index, ARTIFACT_REPORT);
	if (path && report_read(path, &text) < 0)
		text = NULL;
	free(path);
	if (text)
		return text;
	path = artifacts_path(run->artifacts, index, ARTIFACT_ERRORS);
	if (path)
		text = last_words(path);
	free(path);
	if (text)
		return text;
	if (artifacts_are_full(run->artifacts))
		return strdup(
			"trapmap could write neither a report nor a word: the disk with the tests' files is full");
	return strdup("trapmap left neither a report nor a word");
}

/* ---- the outcome ---------------------------------------------------------- */

/* Adds to *text what printf() would print. */
__attribute__((format(printf, 2, 3))) static int append(char **text,
							const char *fmt, ...)
{
	char *more, *all;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&more, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;
	if (!*text) {
		*text = more;
		return 0;
	}
	n = asprintf(&all, "%s%s", *text, more);
	free(more);
	if (n < 0)
		return -ENOMEM;
	free(*text);
	*text = all;
	return 0;
}

/* Why trapmap itself did not end as it should; 0 where it did. */
static int trouble(const struct runner_end *end, char **reason)
{
	if (end->error)
		return append(reason, "trapmap could not be started: %s",
			      strerror(-end->error));
	if (end->overdue)
		return append(
			reason,
			"trapmap itself hung: it did not end at its time limit, nor soon after, and was killed");
	if (WIFSIGNALED(end->wait_status))
		return append(reason, "trapmap was ended by signal %d (%s)",
			      WTERMSIG(end->wait_status),
			      strsignal(WTERMSIG(end->wait_status)));
	return 0;
}

/* Whether the sentence has the status already: "ended with status 3 (...)". */
static bool names_status(const char *sentence, int status)
{
	char words[32];

	snprintf(words, sizeof(words), "with status %d ", status);
	return strstr(sentence, words) != NULL;
}

static int judge_status(const struct test_run *run, size_t index,
			struct test_result *result)
{
	const struct test_pass *pass = &run->suite->cases[index].pass;

	if (result->status == pass->status) {
		result->outcome = TEST_PASSED;
		return 0;
	}
	result->reason = sentence(run, index);
	if (!result->reason)
		return -ENOMEM;
	if (pass->skip_status >= 0 && result->status == pass->skip_status) {
		result->outcome = TEST_SKIPPED;
		return 0;
	}
	/* Where success is not 0, the sentence does not say what is wrong. */
	if (pass->status && names_status(result->reason, result->status))
		return append(&result->reason, ", expected %d", pass->status);
	if (pass->status)
		return append(&result->reason, " (status %d, expected %d)",
			      result->status, pass->status);
	return 0;
}

static int judge_subs(struct test_result *result)
{
	const struct ktap_sub *first = ktap_first_failure(&result->subs);
	size_t failed = ktap_count(&result->subs, KTAP_FAIL);
	int r;

	if (!failed)
		return 0;
	if (result->outcome == TEST_SKIPPED) {
		/* It did run, and more than its status says. */
		free(result->reason);
		result->reason = NULL;
	}
	result->outcome = TEST_FAILED;
	r = append(&result->reason, "%s%zu of %zu sub-results failed",
		   result->reason ? "; " : "", failed,
		   ktap_total(&result->subs));
	if (r == 0 && first)
		r = append(&result->reason, "%s '%s'%s%s",
			   failed > 1 ? ", first" : ":", first->name,
			   first->detail ? ": " : "",
			   first->detail ? first->detail : "");
	return r;
}

static int judge(const struct test_run *run, size_t index,
		 const struct runner_end *end, struct test_result *result)
{
	char *path;
	int r;

	result->outcome = TEST_FAILED;
	result->ms = end->ms;
	if (!end->error) {
		result->has_status = true;
		result->status = WIFSIGNALED(end->wait_status)
					 ? 128 + WTERMSIG(end->wait_status)
					 : WEXITSTATUS(end->wait_status);
		path = artifacts_path(run->artifacts, index, ARTIFACT_CONSOLE);
		if (!path)
			return -ENOMEM;
		r = read_end(path, RESULT_CONSOLE_MAX, &result->console,
			     &result->console_len);
		if (r != -ENOMEM)
			r = read_subs(path, &result->subs);
		free(path);
		if (r)
			return r;
	}
	if (end->stopped) {
		result->outcome = TEST_STOPPED;
		return append(&result->reason, "stopped while it ran");
	}
	r = trouble(end, &result->reason);
	if (r || result->reason)
		return r;
	r = judge_status(run, index, result);
	if (r)
		return r;
	return judge_subs(result);
}

int result_judge(const struct test_run *run, size_t index,
		 const struct runner_end *end, struct test_result *ret_result)
{
	struct test_result result = { 0 };
	int r = judge(run, index, end, &result);

	if (r) {
		result_done(&result);
		return r;
	}
	*ret_result = result;
	return 0;
}

int result_skip(const struct test_case *test, struct test_result *ret_result)
{
	char *reason = strdup(test->skip);

	if (!reason)
		return -ENOMEM;
	*ret_result = (struct test_result){ .outcome = TEST_SKIPPED,
					    .reason = reason };
	return 0;
}

void result_done(struct test_result *result)
{
	free(result->reason);
	free(result->console);
	ktap_done(&result->subs);
	*result = (struct test_result){ 0 };
}

void run_put(struct test_run *run, size_t index,
	     const struct test_result *result)
{
	run->done[run->results[index].outcome]--;
	result_done(&run->results[index]);
	run->results[index] = *result;
	run->done[result->outcome]++;
}

/* Whether no guest failed by itself: each of them had no host to run on. */
static bool host_failed_all(const struct test_run *run)
{
	size_t i;

	if (run->done[TEST_PASSED])
		return false;
	for (i = 0; i < run->suite->count; i++) {
		const struct test_result *r = &run->results[i];

		if (r->outcome == TEST_FAILED &&
		    !(r->has_status && r->status == STATUS_HOST_FAILURE))
			return false;
	}
	return true;
}

int run_status(const struct test_run *run)
{
	if (run->signal)
		return 128 + run->signal;
	if (run->done[TEST_FAILED])
		return host_failed_all(run) ? STATUS_HOST_FAILURE : 1;
	return run->done[TEST_PASSED] ? 0 : STATUS_ALL_SKIPPED;
}
