// SPDX-License-Identifier: MIT
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/console.h"
#include "cli/keys.h"

/* What the guest gets of a text, and the last key of Trapmap's own. */
static enum keys_action feed(struct keys *keys, const char *text, char *ret_out)
{
	enum keys_action last = KEYS_PASS;

	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;
		enum keys_action action = keys_feed(keys, &byte);

		if (action == KEYS_PASS)
			*ret_out++ = (char)byte;
		else
			last = action;
	}
	*ret_out = '\0';
	return last;
}

static void ordinary_keys_are_the_guests(void **state)
{
	struct keys keys = { 0 };
	char out[64];

	assert_int_equal(feed(&keys, "ls -x\r\x03\x1a\x1b[A\x7f\xc3\xa4", out),
			 KEYS_PASS);
	assert_string_equal(out, "ls -x\r\x03\x1a\x1b[A\x7f\xc3\xa4");
}

static void a_prefix_and_a_letter_are_trapmaps(void **state)
{
	struct keys keys = { 0 };
	char out[64];

	assert_int_equal(feed(&keys, "a\x01xb", out), KEYS_END);
	assert_string_equal(out, "ab");
	assert_int_equal(feed(&keys, "\x01h", out), KEYS_HELP);
	assert_int_equal(feed(&keys, "\x01" "c", out), KEYS_BREAK);
	assert_int_equal(feed(&keys, "\x01" "b", out), KEYS_BREAK);
	assert_int_equal(feed(&keys, "\x01p", out), KEYS_POWER);
	assert_string_equal(out, "");
}

static void a_prefix_counts_across_reads(void **state)
{
	struct keys keys = { 0 };
	char out[64];

	assert_int_equal(feed(&keys, "\x01", out), KEYS_SWALLOW);
	assert_int_equal(feed(&keys, "x", out), KEYS_END);
	assert_int_equal(feed(&keys, "x", out), KEYS_PASS);
	assert_string_equal(out, "x");
}

static void the_prefix_itself_can_be_sent(void **state)
{
	struct keys keys = { 0 };
	char out[64];

	feed(&keys, "\x01\x01x", out);
	assert_string_equal(out, "\x01x");
	feed(&keys, "\x01" "ax", out);
	assert_string_equal(out, "\x01x");
}

static void an_unknown_command_does_nothing_and_ends_there(void **state)
{
	struct keys keys = { 0 };
	char out[64];

	assert_int_equal(feed(&keys, "\x01zx", out), KEYS_SWALLOW);
	assert_string_equal(out, "x");
}

/* A console whose keyboard is a pipe. */
struct rig {
	struct console con;
	int keyboard[2];
	int vm_fd;
};

static void rig_init(struct rig *rig)
{
	assert_int_equal(pipe(rig->keyboard), 0);
	assert_int_equal(console_init(&rig->con, &rig->vm_fd), 0);
}

static void rig_done(struct rig *rig)
{
	console_done(&rig->con);
	close(rig->keyboard[0]);
	close(rig->keyboard[1]);
	if (rig->vm_fd >= 0)
		close(rig->vm_fd);
}

static unsigned type(struct rig *rig, const void *text, size_t len)
{
	assert_int_equal(write(rig->keyboard[1], text, len), len);
	return console_read(&rig->con, rig->keyboard[0]);
}

static void keys_work_though_the_guest_reads_nothing(void **state)
{
	struct rig rig;
	char block[4000];
	unsigned i;

	rig_init(&rig);
	memset(block, 'k', sizeof(block));
	for (i = 0; i < 200; i++) { /* twelve times what a pipe holds */
		assert_int_equal(type(&rig, block, sizeof(block)), 0);
		console_flush(&rig.con);
	}
	assert_true(console_has_input(&rig.con));
	assert_int_equal(type(&rig, "\x01x", 2), CONSOLE_END);
	rig_done(&rig);
}

static void no_input_is_lost_or_reordered_however_late_it_is_taken(void **state)
{
	struct rig rig;
	unsigned char block[4000], got[3001];
	uint32_t sent = 0, taken = 0;
	size_t i;
	ssize_t n;

	rig_init(&rig);
	assert_int_equal(fcntl(rig.vm_fd, F_SETFL, O_NONBLOCK), 0);
	/* The source runs ahead of the sink until the console is full. */
	while (console_has_room(&rig.con)) {
		for (i = 0; i < sizeof(block); i++, sent++)
			block[i] = (unsigned char)(sent % 251 + 2);
		assert_int_equal(type(&rig, block, sizeof(block)), 0);
		console_flush(&rig.con);
		n = read(rig.vm_fd, got, 700);
		for (i = 0; n > 0 && i < (size_t)n; i++, taken++)
			assert_int_equal(got[i], taken % 251 + 2);
	}
	assert_true(sent > CONSOLE_MAX);
	assert_true(rig.con.len <= CONSOLE_MAX);
	for (;;) {
		console_flush(&rig.con);
		n = read(rig.vm_fd, got, sizeof(got));
		if (n <= 0)
			break;
		for (i = 0; i < (size_t)n; i++, taken++)
			assert_int_equal(got[i], taken % 251 + 2);
	}
	assert_int_equal(taken, sent);
	assert_false(console_has_input(&rig.con));
	rig_done(&rig);
}

static void a_guest_that_takes_no_more_input_is_no_error(void **state)
{
	struct rig rig;

	rig_init(&rig);
	close(rig.vm_fd);
	rig.vm_fd = -1;
	assert_int_equal(type(&rig, "abc", 3), 0);
	console_flush(&rig.con);
	assert_false(console_has_input(&rig.con));
	assert_int_equal(type(&rig, "d\x01h", 3), CONSOLE_HELP);
	assert_false(console_has_input(&rig.con));
	rig_done(&rig);
}

static void the_end_of_the_keyboard_is_told(void **state)
{
	struct rig rig;

	rig_init(&rig);
	close(rig.keyboard[1]);
	assert_int_equal(console_read(&rig.con, rig.keyboard[0]),
			 CONSOLE_HANGUP);
	rig.keyboard[1] = -1;
	rig_done(&rig);
}

#define T(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(ordinary_keys_are_the_guests),
		T(a_prefix_and_a_letter_are_trapmaps),
		T(a_prefix_counts_across_reads),
		T(the_prefix_itself_can_be_sent),
		T(an_unknown_command_does_nothing_and_ends_there),
		T(keys_work_though_the_guest_reads_nothing),
		T(no_input_is_lost_or_reordered_however_late_it_is_taken),
		T(a_guest_that_takes_no_more_input_is_no_error),
		T(the_end_of_the_keyboard_is_told),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
