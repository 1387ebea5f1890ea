// SPDX-License-Identifier: MIT
/* --firmware and --fw-cfg. */
#include "test.h"

#include <errno.h>

#include "cli/opts_fw_cfg.h"
#include "opts_rig.h"

static const struct opts_fw_cfg *first(void)
{
	assert_int_equal(opts.attached_count, 1);
	return (const struct opts_fw_cfg *)opts.attached[0];
}

static void firmware_is_a_file(void **state)
{
	assert_good(W("--firmware"), W("bios.bin"));
	assert_string_equal(opts.firmware, "bios.bin");
	assert_int_equal(parse(WORDS(W("--firmware="))), -EINVAL);
}

static void a_file_of_fw_cfg_has_a_name_and_a_path(void **state)
{
	assert_good(W("--fw-cfg"), W("opt/x,file=a,,b"));
	assert_string_equal(first()->name, "opt/x");
	assert_string_equal(first()->path, "a,b");
	assert_null(first()->string);
	/* As QEMU has it. */
	assert_good(W("--fw-cfg"), W("name=opt/x,string=some text"));
	assert_string_equal(first()->name, "opt/x");
	assert_string_equal(first()->string, "some text");
	assert_null(first()->path);
}

static void one_of_file_and_string_is_expected(void **state)
{
	assert_bad("--fw-cfg 'opt/x': one of file=PATH and string=TEXT is expected",
		   W("--fw-cfg"), W("opt/x"));
	assert_bad("--fw-cfg 'opt/x,file=a,string=b': one of file=PATH and string=TEXT is expected",
		   W("--fw-cfg"), W("opt/x,file=a,string=b"));
	assert_bad("--fw-cfg 'file=a': a name is expected", W("--fw-cfg"),
		   W("file=a"));
}

static void unknown_keys_are_named(void **state)
{
	assert_int_equal(parse(WORDS(W("--fw-cfg"), W("opt/x,fil=a"))),
			 -EINVAL);
	assert_non_null(strstr(err, "fil"));
	assert_non_null(strstr(err, "file"));
}

static int teardown(void **state)
{
	run_opts_done(&opts);
	return 0;
}

#define T(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(firmware_is_a_file),
		T(a_file_of_fw_cfg_has_a_name_and_a_path),
		T(one_of_file_and_string_is_expected),
		T(unknown_keys_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
