// SPDX-License-Identifier: MIT
/* The lines of a trace, as they are written and as they are read. */
#include "test.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>

#include "cli/trace_line.h"
#include "flight.h"
#include "trace_json.h"
#include "trapmap/trapmap.h"

static struct trace_line line;
static char err[TRACE_LINE_ERR];

static int parse(const char *text)
{
	memset(&line, 0xee, sizeof(line));
	memset(err, 0, sizeof(err));
	return trace_line_parse(text, strlen(text), &line, err);
}

/* Through the writer and back. */
static void through(const struct flight_record *rec, const char *device)
{
	char buf[TRACE_JSON_MAX + 1];
	size_t len = trace_json_exit(buf, rec, 3, 1234567, 89, device);

	assert_in_range(len, 1, TRACE_JSON_MAX);
	buf[len] = '\0';
	if (parse(buf) < 0)
		fail_msg("%s: %s", buf, err);
	assert_int_equal(line.kind, TRACE_LINE_EXIT);
}

static void what_was_written_is_read(void **state)
{
	const struct flight_record io = {
		.reason = KVM_EXIT_IO, .addr = 0x3f8, .value = 0x41, .size = 1,
		.count = 12, .flags = FLIGHT_WRITE, .rip = UINT64_MAX,
	};
	const struct flight_record end = { .reason = KVM_EXIT_SHUTDOWN,
					   .count = 1 };
	const struct flight_record call = { .reason = KVM_EXIT_HYPERCALL,
					    .addr = 5, .value = 6, .count = 1 };

	through(&io, "uart16550");
	assert_true(line.ts > 1234.566 && line.ts < 1234.568);
	assert_true(line.dur > 0.088 && line.dur < 0.09);
	assert_int_equal(line.vcpu, 3);
	assert_int_equal(line.kind_bit, TRAPMAP_TRACE_PIO);
	assert_string_equal(line.reason, "IO");
	assert_string_equal(line.dir, "out");
	assert_string_equal(line.device, "uart16550");
	assert_int_equal(line.addr, 0x3f8);
	assert_int_equal(line.value, 0x41);
	assert_int_equal(line.size, 1);
	assert_int_equal(line.count, 12);
	assert_true(line.rip == UINT64_MAX);

	through(&end, NULL);
	assert_string_equal(line.reason, "SHUTDOWN");
	assert_int_equal(line.kind_bit, TRAPMAP_TRACE_OTHER);
	assert_string_equal(line.dir, "");
	assert_false(line.has_addr);
	assert_int_equal(line.rip, 0);

	through(&call, NULL);
	assert_true(line.has_addr);
	assert_int_equal(line.addr, 5);
	assert_int_equal(line.kind_bit, TRAPMAP_TRACE_HYPERCALL);
}

static void the_longest_line_has_room(void **state)
{
	const struct flight_record rec = {
		.reason = KVM_EXIT_MMIO, .addr = UINT64_MAX,
		.value = UINT64_MAX, .rip = UINT64_MAX, .size = 255,
		.count = 65535, .flags = FLIGHT_WRITE,
	};
	char name[200], buf[TRACE_JSON_MAX];

	memset(name, 1, sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_in_range(trace_json_exit(buf, &rec, UINT32_MAX, UINT64_MAX,
					UINT64_MAX, name),
			1, sizeof(buf));
}

static void what_would_steer_a_terminal_is_not_passed_on(void **state)
{
	const struct flight_record io = { .reason = KVM_EXIT_IO, .addr = 1,
					  .size = 1, .count = 1 };

	through(&io, "\x1b[2Jx\x7f");
	assert_string_equal(line.device, "?[2Jx?");
}

static void metadata_is_told_apart(void **state)
{
	char buf[TRACE_JSON_MAX + 1];

	buf[trace_json_version(buf)] = '\0';
	assert_int_equal(parse(buf), 0);
	assert_int_equal(line.kind, TRACE_LINE_VERSION);
	assert_int_equal(line.version, TRACE_VERSION);
	buf[trace_json_end(buf, 12, 0x1c000000)] = '\0';
	assert_int_equal(parse(buf), 0);
	assert_int_equal(line.kind, TRACE_LINE_END);
	assert_int_equal(line.exits, 12);
	assert_int_equal(line.kernel_offset, 0x1c000000);
	buf[trace_json_end(buf, 12, 0)] = '\0';
	assert_int_equal(parse(buf), 0);
	assert_int_equal(line.kernel_offset, 0);
	buf[trace_json_vcpu(buf, 1)] = '\0';
	assert_int_equal(parse(buf), 0);
	assert_int_equal(line.kind, TRACE_LINE_OTHER);
}

static void brackets_commas_and_blanks_are_no_events(void **state)
{
	static const char *const texts[] = { "[\n", "]", "", " \r\n", ",",
					     "{\"name\":\"a\",\"ph\":\"i\"},\n" };
	size_t i;

	for (i = 0; i < 6; i++) {
		assert_int_equal(parse(texts[i]), 0);
		assert_int_equal(line.kind, TRACE_LINE_OTHER);
	}
}

static void what_is_wrong_with_a_line_is_said(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "hello", "not JSON" },
		{ "{\"name\":\"in 0x", "not JSON" },
		{ "[1]", "not an event" },
		{ "{\"ph\":\"X\"}", "'name'" },
		{ "{\"name\":\"x\",\"ph\":\"X\"}", "'args'" },
		{ "{\"name\":\"x\",\"ph\":\"X\",\"args\":{}}", "'cat'" },
		{ "{\"name\":\"x\",\"ph\":\"X\",\"cat\":\"pio\",\"ts\":-1,"
		  "\"args\":{}}", "'ts'" },
		{ "{\"name\":\"x\",\"ph\":\"X\",\"cat\":\"pio\",\"ts\":1,"
		  "\"dur\":1,\"tid\":1.5,\"args\":{}}", "'tid'" },
		{ "{\"name\":\"x\",\"ph\":\"X\",\"cat\":\"pio\",\"ts\":1,"
		  "\"dur\":1,\"tid\":0,\"args\":{\"reason\":\"IO\","
		  "\"addr\":\"1f\"}}", "'addr'" },
		{ "{\"name\":\"x\",\"ph\":\"X\",\"cat\":\"pio\",\"ts\":1,"
		  "\"dur\":1,\"tid\":0,\"args\":{\"reason\":\"IO\","
		  "\"value\":\"0x11112222333344445\"}}", "'value'" },
		{ "{\"name\":\"x\",\"ph\":\"X\",\"cat\":\"pio\",\"ts\":1,"
		  "\"dur\":1,\"tid\":0,\"args\":{\"reason\":\"IO\","
		  "\"dir\":\"in\",\"addr\":\"0x1\",\"size\":1}}", "'count'" },
		{ "{\"name\":\"trapmap_trace\",\"ph\":\"M\"}", "'version'" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(cases[i].text), -EINVAL);
		if (!strstr(err, cases[i].says))
			fail_msg("%s: %s", cases[i].text, err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(the_longest_line_has_room),
		cmocka_unit_test(what_would_steer_a_terminal_is_not_passed_on),
		cmocka_unit_test(metadata_is_told_apart),
		cmocka_unit_test(brackets_commas_and_blanks_are_no_events),
		cmocka_unit_test(what_is_wrong_with_a_line_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
