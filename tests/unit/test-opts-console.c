// SPDX-License-Identifier: MIT
/* --console and --vsock. */
#include "test.h"
#include "opts_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/opts_console.h"
#include "cli/opts_vsock.h"

static const struct opts_console *con(unsigned n)
{
	return (const struct opts_console *)opts.attached[n];
}

static const struct opts_vsock *vsock(void)
{
	return (const struct opts_vsock *)opts.attached[0];
}

static void a_console_leads_somewhere(void **state)
{
	assert_good(W("--console=null"), W("--console=file=a=b,,c"),
		    W("--console=socket=s.sock,name=agent"),
		    W("--console=stdio,name=x"));
	assert_int_equal(opts.attached_count, 4);
	assert_string_equal(con(0)->to, "null");
	assert_string_equal(con(1)->file, "a=b,c");
	assert_null(con(1)->name);
	assert_string_equal(con(2)->socket, "s.sock");
	assert_string_equal(con(2)->name, "agent");
	assert_int_equal(con(3)->port, 3);
	assert_ptr_equal(opts_console_stdio(&opts), con(3));
}

static void one_of_them_has_the_terminal(void **state)
{
	assert_good(W("--console=null"));
	assert_int_equal(opts.serial[0].kind, OPTS_SINK_STDIO);
	assert_good(W("--console=stdio"));
	assert_int_equal(opts.serial[0].kind, OPTS_SINK_NULL);
	assert_good(W("--console=stdio"), W("--serial=file=x"));
	assert_int_equal(opts.serial[0].kind, OPTS_SINK_FILE);
	assert_bad("--serial and --console are both 'stdio'; one of them can be",
		   W("--serial=stdio"), W("--console=stdio"));
	assert_bad("--console: two of them are 'stdio'; one can be",
		   W("--console=stdio"), W("--console=stdio,name=x"));
}

#define EXPECTED                                                             \
	": 'stdio', 'null', 'file=PATH' or 'socket=PATH' is expected, then " \
	"perhaps ',name=NAME'"

static void what_makes_no_console_is_refused(void **state)
{
	assert_bad("--console 'tty'" EXPECTED, W("--console=tty"));
	assert_bad("--console 'name=x'" EXPECTED, W("--console=name=x"));
	assert_bad("--console 'stdio,file=x'" EXPECTED,
		   W("--console=stdio,file=x"));
	assert_bad("--console: 'file' needs a value", W("--console=file="));
	assert_bad("--console name 'a/b': 1 to 63 printable characters without "
		   "blanks and '/' are expected",
		   W("--console=null,name=a/b"));
	assert_bad("--console: two of them are named 'x'",
		   W("--console=null,name=x"), W("--console=file=y,name=x"));
	assert_bad("--console: two of them are at the socket 's'",
		   W("--console=socket=s,name=x"), W("--console=socket=s"));
}

static void a_file_has_one_use(void **state)
{
	assert_bad("--console would overwrite 'k', which is the kernel",
		   W("--console=file=k"), W("k"));
	assert_bad("--console would overwrite 'd', which is a disk",
		   W("--console=file=d"), W("-d"), W("d"));
	assert_bad("--console would overwrite 'f', which is a console's output",
		   W("--console=file=f"), W("--console=file=f,name=x"));
	assert_bad("--report would overwrite 'r', which is a console's output",
		   W("--console=file=r"), W("--report=r"));
	assert_good(W("--console=file=/dev/null"),
		    W("--console=file=/dev/null"));
}

static void sockets_are_at_a_path_or_the_kernel_s(void **state)
{
	assert_good(W("--vsock=v.sock"));
	assert_string_equal(vsock()->path, "v.sock");
	assert_int_equal(vsock()->cid, 0);
	assert_good(W("--vsock=vhost,cid=4294967294"));
	assert_int_equal(vsock()->cid, 4294967294);
	assert_bad("--vsock 'cid=3': a path or 'vhost' is expected: "
		   "PATH[,cid=N]",
		   W("--vsock=cid=3"));
	assert_bad("--vsock cid '2': a number from 3 to 4294967294 is expected",
		   W("--vsock=v,cid=2"));
	assert_bad("--vsock cid '4294967295': a number from 3 to 4294967294 is "
		   "expected",
		   W("--vsock=v,cid=4294967295"));
	assert_bad("--vsock is given twice; a guest has one address",
		   W("--vsock=a"), W("--vsock=b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_console_leads_somewhere),
		cmocka_unit_test(one_of_them_has_the_terminal),
		cmocka_unit_test(what_makes_no_console_is_refused),
		cmocka_unit_test(a_file_has_one_use),
		cmocka_unit_test(sockets_are_at_a_path_or_the_kernel_s),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	run_opts_done(&opts);
	return r;
}
