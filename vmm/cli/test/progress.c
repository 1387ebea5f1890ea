// SPDX-License-Identifier: MIT
#include "test/progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "test/table.h"
#include "test/text.h"

static int64_t now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static bool can_redraw(FILE *out)
{
	const char *term = getenv("TERM");

	return isatty(fileno(out)) && term && *term && strcmp(term, "dumb") != 0;
}

int progress_init(struct progress *ret_progress, FILE *out,
		  const struct test_run *run, bool quiet)
{
	const char *no_color = getenv("NO_COLOR");
	struct progress *p = ret_progress;
	size_t *running;

	running = calloc(run->suite->count + 1, sizeof(*running));
	if (!running)
		return -ENOMEM;
	*p = (struct progress){ .out = out,
				.run = run,
				.quiet = quiet,
				.live = can_redraw(out),
				.start = now_s(),
				.running = running };
	p->color = p->live && !(no_color && *no_color);
	return 0;
}

/* Columns for the line; the last one stays free, or terminals would wrap. */
static size_t columns(const struct progress *p)
{
	struct winsize size;

	if (ioctl(fileno(p->out), TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
		return size.ws_col - 1u;
	return 79;
}

/* As many bytes of text, clean UTF-8, as fit. */
static size_t fit(const char *text, size_t room)
{
	size_t len = strlen(text), at = 0, n;

	while (at < len && room) {
		text_char(text + at, len - at, &n);
		at += n;
		room--;
	}
	return at;
}

static void put_names(FILE *f, const struct progress *p)
{
	size_t i;

	fprintf(f, "[%zu/%zu] %zu running",
		p->run->suite->count - p->run->done[TEST_NOT_RUN],
		p->run->suite->count, p->running_count);
	for (i = 0; i < p->running_count && i < 16; i++) {
		fputs(i ? ", " : ": ", f);
		text_say(f, p->run->suite->cases[p->running[i]].name);
	}
}

static void draw(struct progress *p)
{
	int64_t now = now_s(), t = now - p->start;
	size_t room = columns(p), len = 0, head_len;
	char *head = NULL, tail[64];
	FILE *f;
	int n = 0;

	f = open_memstream(&head, &len);
	if (!f)
		return;
	put_names(f, p);
	if (fclose(f)) {
		free(head);
		return;
	}
	if (p->run->done[TEST_FAILED])
		n = snprintf(tail, sizeof(tail), "  %zu failed",
			     p->run->done[TEST_FAILED]);
	n += snprintf(tail + n, sizeof(tail) - (size_t)n, "  %lld:%02lld",
		      (long long)t / 60, (long long)t % 60);
	if ((size_t)n > room) {
		n = 0;
		tail[0] = '\0';
	}
	head_len = fit(head, room - (size_t)n);
	fprintf(p->out, "\r\033[K%.*s%s", (int)head_len, head, tail);
	fflush(p->out);
	free(head);
	p->drawn = true;
	p->changed = false;
	p->drawn_at = now;
}

void progress_clear(struct progress *p)
{
	if (!p->drawn)
		return;
	fputs("\r\033[K", p->out);
	fflush(p->out);
	p->drawn = false;
}

void progress_started(struct progress *p, size_t index)
{
	p->running[p->running_count++] = index;
	p->changed = true;
}

void progress_ended(struct progress *p, size_t index)
{
	enum test_outcome outcome = p->run->results[index].outcome;
	char *text = NULL;
	size_t len = 0, i;
	FILE *f;

	for (i = 0; i < p->running_count; i++)
		if (p->running[i] == index) {
			p->running_count--;
			memmove(&p->running[i], &p->running[i + 1],
				(p->running_count - i) * sizeof(*p->running));
			break;
		}
	p->changed = true;
	if (p->quiet && outcome == TEST_PASSED)
		return;
	/* In one piece: others write to this stream too. */
	f = open_memstream(&text, &len);
	if (!f)
		return;
	table_line(f, p->run, index, p->color);
	if (fclose(f) == 0) {
		progress_clear(p);
		fwrite(text, 1, len, p->out);
		fflush(p->out);
	}
	free(text);
}

void progress_tick(struct progress *p)
{
	if (p->live && p->running_count &&
	    (p->changed || !p->drawn || now_s() != p->drawn_at))
		draw(p);
}

void progress_done(struct progress *p)
{
	progress_clear(p);
	free(p->running);
	p->running = NULL;
}
