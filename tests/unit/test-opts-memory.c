// SPDX-License-Identifier: MIT
/* --balloon and --pmem. */
#include "test.h"
#include "opts_rig.h"

#include <errno.h>

#include "cli/opts_balloon.h"
#include "cli/opts_pmem.h"

#define B W("--balloon")
#define P W("--pmem")

static const struct opts_balloon *balloon(void)
{
	return (const struct opts_balloon *)opts.attached[0];
}

static const struct opts_pmem *pmem(unsigned n)
{
	return (const struct opts_pmem *)opts.attached[n];
}

static void a_balloon_is_a_size_and_what_it_does(void **state)
{
	assert_good(B, W("64"));
	assert_int_equal(opts.attached_count, 1);
	assert_int_equal(balloon()->target, 64 << 20);
	assert_false(balloon()->reporting || balloon()->deflate_on_oom);
	assert_good(B, W("1G,reporting,deflate-on-oom"));
	assert_int_equal(balloon()->target, 1 << 30);
	assert_true(balloon()->reporting && balloon()->deflate_on_oom);
	assert_good(B, W("reporting,size=64M"));
	assert_int_equal(balloon()->target, 64 << 20);
	assert_true(balloon()->reporting && !balloon()->deflate_on_oom);
}

static void it_needs_no_size(void **state)
{
	assert_good(B, W("reporting"));
	assert_int_equal(balloon()->target, 0);
	assert_true(balloon()->reporting && !balloon()->deflate_on_oom);
	assert_good(B, W("deflate-on-oom,reporting"));
	assert_true(balloon()->reporting && balloon()->deflate_on_oom);
}

static void what_makes_no_balloon_is_refused(void **state)
{
	assert_bad("--balloon is given twice; a machine can have one", B,
		   W("reporting"), B, W("64M"));
	assert_int_equal(parse(WORDS(B, W("much"))), -EINVAL);
	assert_non_null(strstr(err, "--balloon 'much': "));
	assert_int_equal(parse(WORDS(B, W("reporting,reporting"))), -EINVAL);
	assert_int_equal(parse(WORDS(B, W("reporting,"))), -EINVAL);
	assert_int_equal(parse(WORDS(B, W("size=1G,size=2G"))), -EINVAL);
	assert_bad("--balloon: 'size' is given twice", B,
		   W("reporting,size=1M,size=2M"));
	assert_bad("--balloon: 'reporting' takes no value", B,
		   W("64,reporting=yes"));
	assert_int_equal(parse(WORDS(B, W("64,reportin"))), -EINVAL);
	assert_non_null(strstr(err, "reporting"));
	assert_int_equal(parse(WORDS(B, W(""))), -EINVAL);
}

static void images_are_in_the_order_given(void **state)
{
	assert_good(P, W("a.img"), P, W("file=b,,c.img"));
	assert_int_equal(opts.attached_count, 2);
	assert_string_equal(pmem(0)->path, "a.img");
	assert_string_equal(pmem(1)->path, "b,c.img");
}

static void what_makes_no_image_is_refused(void **state)
{
	assert_int_equal(parse(WORDS(P, W("a.img,ro"))), -EINVAL);
	assert_non_null(strstr(err, "--pmem"));
	assert_int_equal(parse(WORDS(P, W("file="))), -EINVAL);
	assert_int_equal(parse(WORDS(P, W(""))), -EINVAL);
	/* Nothing else may write to it. */
	assert_int_equal(parse(WORDS(P, W("a"), W("--report"), W("a"))),
			 -EINVAL);
	assert_non_null(strstr(err, "an image"));
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
		T(a_balloon_is_a_size_and_what_it_does),
		T(it_needs_no_size),
		T(what_makes_no_balloon_is_refused),
		T(images_are_in_the_order_given),
		T(what_makes_no_image_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
