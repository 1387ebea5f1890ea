// SPDX-License-Identifier: MIT
/*
 * The report as programs read it. With "dump FOLDER" it writes reports of
 * made-up runs there instead, for report-schema.sh.
 */
#include "postmortem_rig.h"

#include <jansson.h>
#include <stdio.h>

#include "stats.h"

static struct rig rig;
static json_t *root;

static int setup(void **state)
{
	rig_init(&rig);
	return 0;
}

static int teardown(void **state)
{
	json_decref(root);
	root = NULL;
	rig_done(&rig);
	return 0;
}

static void render(void)
{
	char *text = postmortem_report(&rig.pm);

	assert_non_null(text);
	json_decref(root);
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	free(text);
}

/* The value at a path such as "vcpus.0.registers.rip". */
static json_t *at(const char *path)
{
	char copy[128], *save = NULL, *step;
	json_t *val = root;

	snprintf(copy, sizeof(copy), "%s", path);
	for (step = strtok_r(copy, ".", &save); step && val;
	     step = strtok_r(NULL, ".", &save))
		val = json_is_array(val) ? json_array_get(val, (size_t)atoi(step)) :
					   json_object_get(val, step);
	if (!val)
		fail_msg("the report has no %s", path);
	return val;
}

static void is(const char *path, const char *want)
{
	assert_true(json_is_string(at(path)));
	assert_string_equal(json_string_value(at(path)), want);
}

static void is_count(const char *path, json_int_t want)
{
	assert_true(json_is_integer(at(path)));
	assert_int_equal(json_integer_value(at(path)), want);
}

/* ---- made-up runs ------------------------------------------------------- */

static struct stats_row rows[] = {
	{ .reason = KVM_EXIT_IO, .first = 0x70, .last = 0x71, .device = "toy",
	  .count = 3, .total_ns = 1000, .worst_ns = 500 },
	{ .reason = KVM_EXIT_MMIO, .others = true, .count = 1 },
	{ .reason = 9999, .count = 1 },
};

static struct stats_queue queues[] = {
	{ .device = "disk 'a\xff'", .queue = 1, .requests = 10, .bytes = 4096,
	  .notifications = 3, .notifications_saved = 7, .interrupts = 4,
	  .interrupts_saved = 6 },
	{ .device = "tap 'tap0'", .in_kernel = true, .requests = 5 },
};

static const struct stats_total total = {
	.queues = queues,
	.queue_count = ARRAY_SIZE(queues),
	.has_balloon = true,
	.balloon = { .target = 1, .actual = 2, .inflated = 3, .reported = 4 },
	.reasons = rows,
	.reason_count = ARRAY_SIZE(rows),
	.places = rows,
	.place_count = ARRAY_SIZE(rows),
	.time = { .wall_ns = 1, .guest_ns = STATS_UNKNOWN,
		  .kvm_ns = STATS_UNKNOWN },
};

static const struct watch_hit hits[] = {
	{ .rule = TRAPMAP_RULE_SPLAT, .what = "KASAN", .number = 12,
	  .stream = WATCH_COM1, .line = "BUG: KASAN: \xff\xc0\x80 \xe2\x82" },
	{ .rule = TRAPMAP_RULE_EXPECT, .what = "ready\xff", .number = 1,
	  .stream = WATCH_DEBUGCON, .line = "ready" },
};

/* A crash in long mode with everything that there can be. */
static void make_crash(void)
{
	static const char *initrd[] = { "one.cpio" };
	struct pm_vcpu *v = rig_vcpu(&rig);
	unsigned i;

	rig_long(&rig, v);
	v->regs.rip = 0xffffffff81000000;
	v->has_events = v->has_debugregs = true;
	v->events.exception.injected = 1;
	v->events.exception.nr = 14;
	v->events.exception.has_error_code = 1;
	gather_memory(v, &rig.gm, NULL);
	v->code_len = 2;
	memcpy(v->code, "\x0f\x0b", 2);
	v->insns = 1;
	v->insn[0] = (struct pm_insn){ .addr = v->regs.rip, .len = 2,
				       .text = "ud2" };
	for (i = 0; i < 100; i++)
		rig_port(v, 200 - i, 0x71, i, 0);
	rig_exit(v, 1234, 3);
	rig_crash(&rig, KVM_EXIT_SHUTDOWN, 0);
	rig.pm.cpus = 3;
	v = rig_vcpu(&rig);
	v->has_regs = false;
	v->state = PM_NOT_STARTED;
	v = rig_vcpu(&rig);
	gather_memory(v, &rig.gm, NULL);
	v->after_reset = true;

	rig.pm.hit = hits;
	rig.pm.hits = ARRAY_SIZE(hits);
	rig.pm.missing = "never\xfe";
	rig.pm.stats = &total;
	rig.pm.post[0] = (struct pm_post){ 0x12, 2, 1500 };
	rig.pm.posts = 1;
	rig.pm.pio_unclaimed[0] = (struct pm_unclaimed){ 0xcf8, 1, 2 };
	rig.pm.pio_unclaimed_len = 1;
	rig.pm.symbols.file = strdup("System.map");
	snprintf(rig.pm.symbols.note, sizeof(rig.pm.symbols.note), "unreadable");
	rig.pm.initrd = malloc(sizeof(initrd));
	assert_non_null(rig.pm.initrd);
	memcpy(rig.pm.initrd, initrd, sizeof(initrd));
	rig.pm.initrds = 1;
}

static void make_good_end(void)
{
	rig.pm.depth = PM_REPORT;
	rig.pm.end.kind = TRAPMAP_END_POWEROFF;
	rig.pm.end.status = 0;
}

static void make_failed_start(void)
{
	rig.pm.depth = PM_REPORT;
	rig.pm.end.kind = (enum trapmap_end_kind)2;
	rig.pm.end.status = 2;
	rig.pm.end.text = "vmlinuz: malformed";
	rig.pm.began = rig.pm.over = (struct tsc_mark){ 0 };
	rig.pm.format = rig.pm.boot = NULL;
	rig.pm.pio = rig.pm.mmio = NULL;
}

/* ---- tests -------------------------------------------------------------- */

static void the_verdict_and_the_machine(void **state)
{
	make_crash();
	render();
	is_count("schema", 1);
	is("trapmap", TRAPMAP_VERSION);
	is("verdict.kind", "crash");
	is_count("verdict.status", 8);
	is_count("verdict.vcpu", 0);
	assert_true(json_number_value(at("duration_ms")) == 5.0);
	is("host.kvm", "software");
	assert_true(json_is_null(at("host.nested_paging")));
	is("host.vendor", "GenuineIntel");
	is("guest.kernel", "vmlinuz");
	is("guest.initrds.0", "one.cpio");
	is_count("guest.mem", 256 << 20);
}

static void addresses_are_text(void **state)
{
	make_crash();
	render();
	is("vcpus.0.registers.rip", "0xffffffff81000000");
	is("vcpus.0.mode", "64-bit");
	is("vcpus.0.segments.cs.limit", "0xffffffff");
	is("vcpus.0.walks.rip.end", "not-present");
	is("vcpus.0.walks.rip.levels.0.at", "0x1ff8");
	is("vcpus.0.code.bytes", "0f0b");
	is("vcpus.0.code.disassembly.0.text", "ud2");
	is_count("vcpus.0.events.exception.vector", 14);
	is("vcpus.1.state", "never-started");
	assert_null(json_object_get(at("vcpus.1"), "registers"));
	assert_true(json_is_true(at("vcpus.2.after_reset")));
	assert_null(json_object_get(at("vcpus.2"), "code"));
}

static void every_exit_is_there(void **state)
{
	make_crash();
	render();
	is_count("vcpus.0.exits.total", 102);
	assert_int_equal(json_array_size(at("vcpus.0.exits.last")), 102);
	is("vcpus.0.exits.last.5.reason", "IO");
	is("vcpus.0.exits.last.5.address", "0x71");
	is("vcpus.0.exits.last.5.value", "0x5");
	is("vcpus.0.exits.last.5.device", "toy");
	assert_true(json_number_value(at("vcpus.0.exits.last.5.time_us")) ==
		    -195.0);
	is_count("vcpus.0.exits.last.100.reason", 1234);
	is("vcpus.0.exits.last.101.reason", "SHUTDOWN");
}

static void what_a_guest_wrote_becomes_utf8(void **state)
{
	make_crash();
	render();
	/* A byte that is none, an overlong NUL, a sequence cut short. */
	is("console.hits.0.text", "BUG: KASAN: \xef\xbf\xbd\xef\xbf\xbd\xef\xbf"
				  "\xbd \xef\xbf\xbd\xef\xbf\xbd");
	is("console.hits.0.rule", "splat");
	is_count("console.hits.0.line", 12);
	is("console.hits.1.stream", "debugcon");
	is("console.missing", "never\xef\xbf\xbd");
	rig.pm.cmdline = "\xed\xa0\x80 \xf4\x90\x80\x80 \xc3\xa4\xf0\x9f\x98\x80";
	render();
	is("guest.cmdline", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd"
			    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd "
			    "\xc3\xa4\xf0\x9f\x98\x80");
}

static void counts_and_statistics(void **state)
{
	make_crash();
	render();
	is("post_codes.0.code", "0x12");
	assert_true(json_number_value(at("post_codes.0.time_us")) == -1.5);
	is("unclaimed.pio.0.address", "0xcf8");
	is("unclaimed.pio.0.place", "PCI configuration");
	is_count("unclaimed.pio.0.writes", 2);
	is("stats.places.0.device", "toy");
	is("stats.places.0.last", "0x71");
	assert_true(json_is_null(at("stats.places.1.first")));
	assert_true(json_is_null(at("stats.time.guest_ns")));
	is("stats.queues.0.device", "disk 'a\xef\xbf\xbd'");
	is_count("stats.queues.0.queue", 1);
	is_count("stats.queues.0.requests", 10);
	is_count("stats.queues.0.bytes", 4096);
	is_count("stats.queues.0.notifications", 3);
	is_count("stats.queues.0.notifications_saved", 7);
	is_count("stats.queues.0.interrupts", 4);
	is_count("stats.queues.0.interrupts_saved", 6);
	assert_true(json_is_true(at("stats.queues.1.in_kernel")));
	assert_true(json_is_null(at("stats.queues.1.requests")));
	is_count("stats.balloon.target", 1);
	is_count("stats.balloon.actual", 2);
	is_count("stats.balloon.inflated", 3);
	is_count("stats.balloon.reported", 4);
	is("symbols.fit", "unreadable");
}

static void a_good_end_has_no_vcpus(void **state)
{
	make_good_end();
	render();
	is("verdict.kind", "power-off");
	assert_true(json_is_null(at("verdict.vcpu")));
	assert_int_equal(json_array_size(at("vcpus")), 0);
	assert_true(json_is_null(at("stats")));
}

static void a_start_that_failed_has_a_report_too(void **state)
{
	make_failed_start();
	render();
	is("verdict.kind", "not-run");
	assert_true(json_is_null(at("duration_ms")));
	assert_true(json_is_null(at("guest.format")));
	assert_true(json_is_null(at("guest.boot")));
	assert_int_equal(json_array_size(at("hints")), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static int dump(const char *folder)
{
	static void (*const make[])(void) = { make_crash, make_good_end,
					      make_failed_start };
	char path[4096], *text;
	unsigned i;
	FILE *f;

	for (i = 0; i < ARRAY_SIZE(make); i++) {
		rig_init(&rig);
		make[i]();
		text = postmortem_report(&rig.pm);
		rig_done(&rig);
		snprintf(path, sizeof(path), "%s/made-up-%u.json", folder, i);
		f = fopen(path, "w");
		if (!text || !f || fputs(text, f) < 0 || fclose(f) != 0)
			return 1;
		free(text);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(the_verdict_and_the_machine),
		T(addresses_are_text),
		T(every_exit_is_there),
		T(what_a_guest_wrote_becomes_utf8),
		T(counts_and_statistics),
		T(a_good_end_has_no_vcpus),
		T(a_start_that_failed_has_a_report_too),
	};

	if (argc == 3 && !strcmp(argv[1], "dump"))
		return dump(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
