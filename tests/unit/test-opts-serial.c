// SPDX-License-Identifier: MIT
/* --serial: where COM1 to COM4 lead. */
#include "test.h"
#include "opts_rig.h"

#include <errno.h>

static void a_serial_port_leads_somewhere_known(void **state)
{
	assert_good(W("--serial"), W("file=/tmp/a,,b"));
	assert_int_equal(opts.serial[0].kind, OPTS_SINK_FILE);
	assert_string_equal(opts.serial[0].path, "/tmp/a,b");
	assert_bad("--serial 'file': 'file' needs a path: file=PATH",
		   W("--serial=file"));
	assert_bad("--serial 'file=': 'file' needs a path: file=PATH",
		   W("--serial=file="));
	assert_bad("--serial 'socket': 'socket' needs a path: socket=PATH",
		   W("--serial=socket"));
	assert_bad("--serial 'stdoi': did you mean 'stdio'?",
		   W("--serial=stdoi"));
	assert_bad("--serial 'telnet': 'stdio', 'null', 'pty', 'file=PATH' or "
		   "'socket=PATH' is expected",
		   W("--serial=telnet"));
	assert_bad("--serial 'null=1': 'null' takes no value",
		   W("--serial=null=1"));
	assert_bad("--serial 'pty=/dev/x': 'pty' takes no value",
		   W("--serial=pty=/dev/x"));
	assert_bad("--serial: unknown key 'b' (a comma in a path is written twice)",
		   W("--serial=file=a,b"));
}

static void each_serial_is_another_port(void **state)
{
	assert_good(W("-q"));
	assert_int_equal(opts.serial_count, 0);
	assert_int_equal(opts_serial_ports(&opts), 1);
	assert_int_equal(opts.serial[0].kind, OPTS_SINK_STDIO);
	assert_good(W("--serial=socket=s"), W("--serial=null"),
		    W("--serial=pty"), W("--serial=stdio"));
	assert_int_equal(opts_serial_ports(&opts), 4);
	assert_int_equal(opts.serial[0].kind, OPTS_SINK_SOCKET);
	assert_string_equal(opts.serial[0].path, "s");
	assert_int_equal(opts.serial[1].kind, OPTS_SINK_NULL);
	assert_int_equal(opts.serial[2].kind, OPTS_SINK_PTY);
	assert_int_equal(opts.serial[3].kind, OPTS_SINK_STDIO);
	assert_good(W("--serial=pty"), W("--serial=pty"));
	assert_bad("more than 4 --serial: there are COM1 to COM4",
		   W("--serial=null"), W("--serial=null"), W("--serial=null"),
		   W("--serial=null"), W("--serial=null"));
}

static void no_two_of_them_have_the_same_other_end(void **state)
{
	assert_bad("--serial: two of them are 'stdio'; one can be",
		   W("--serial=stdio"), W("--serial=stdio"));
	assert_bad("--serial: two of them are at the socket 'a'",
		   W("--serial=socket=a"), W("--serial=null"),
		   W("--serial=socket=a"));
	assert_good(W("--serial=socket=a"), W("--serial=socket=b"));
	assert_bad("--serial and --serial both write 'x'; each needs a file of its own",
		   W("--serial=file=x"), W("--serial=file=x"));
	assert_bad("--serial would overwrite 'k', which is the kernel", W("k"),
		   W("--serial=null"), W("--serial=file=k"));
	/* Any of them may be on the terminal, but only one. */
	assert_bad("--serial and --console are both 'stdio'; one of them can be",
		   W("--serial=null"), W("--serial=stdio"),
		   W("--console=stdio"));
	assert_good(W("--serial=null"), W("--serial=pty"), W("--console=stdio"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_serial_port_leads_somewhere_known),
		cmocka_unit_test(each_serial_is_another_port),
		cmocka_unit_test(no_two_of_them_have_the_same_other_end),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	run_opts_done(&opts);
	return r;
}
