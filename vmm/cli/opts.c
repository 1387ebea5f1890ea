// SPDX-License-Identifier: MIT
#include "opts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "attached.h"
#include "manual.h"
#include "opts_console.h"
#include "opts_parts.h"
#include "optscan.h"
#include "value.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct opts_choice on_reset_choices[] = {
	{ "end", TRAPMAP_ON_RESET_END },
	{ "reboot", TRAPMAP_ON_RESET_REBOOT },
	{ "poweroff", TRAPMAP_ON_RESET_POWEROFF },
};
static const struct opts_choice on_sigterm_choices[] = {
	{ "end", false },
	{ "powerbutton", true },
};
static const struct opts_choice debug_exit_choices[] = {
	{ "qemu", TRAPMAP_DEBUG_EXIT_QEMU },
	{ "plain", TRAPMAP_DEBUG_EXIT_PLAIN },
};

static const struct opts_choice transport_choices[] = {
	{ "mmio", TRAPMAP_TRANSPORT_MMIO },
	{ "mmio-cmdline", TRAPMAP_TRANSPORT_MMIO_CMDLINE },
	{ "pci", TRAPMAP_TRANSPORT_PCI },
};

static int set_kernel(struct run_opts *opts, const char *path, char *err)
{
	if (opts->kernel)
		return opts_fail(err,
				 "'%s' is a second kernel; one is expected, and "
				 "'%s' came first",
				 path, opts->kernel);
	if (!*path)
		return opts_fail(err, "the kernel's name is empty");
	opts->kernel = path;
	return 0;
}

static int add_initrd(struct run_opts *opts, const char *path, char *err)
{
	if (!*path)
		return opts_fail(err, "the initrd's name is empty");
	if (opts->initrd_count == OPTS_INITRD_MAX)
		return opts_fail(err, "more than %d initrds", OPTS_INITRD_MAX);
	opts->initrd[opts->initrd_count++] = path;
	return 0;
}

int opts_apply(struct run_opts *opts, int id, const char *text, char *err)
{
	struct trapmap_machine *m = &opts->machine;
	int64_t ms = 0;
	int r, value = 0;

	switch (id) {
	case OPTSCAN_WORD:
	case 'k': return set_kernel(opts, text, err);
	case 'i': return add_initrd(opts, text, err);
	case 'p':
		if (opts->params)
			return opts_fail(err, "the kernel's command line is "
					      "given twice; one string is "
					      "expected");
		opts->params = text;
		return 0;
	case OPT_BOOT: return opts_boot(text, &opts->boot, err);
	case OPT_FIRMWARE:
		return opts_path(err, "--firmware", text, &opts->firmware);
	case OPT_FW_CFG: return opts_fw_cfg(text, opts, err);
	case OPT_SYMBOLS:
		return opts_path(err, "--symbols", text, &opts->symbols);

	case 'm': return opts_mem(text, &opts->mem, &m->mem, err);
	case 'c': return opts_cpus(text, &opts->cpus, &m->cpus, err);
	case OPT_CPU:
		if (!*text)
			return opts_fail(err, "--cpu '': a model is expected, "
					      "as host,-FEATURE");
		m->cpu = text;
		return 0;
	case 'd': return opts_disk(text, opts, err);
	case 'n': return opts_net(text, opts, err);
	case OPT_RTC: return opts_rtc(text, opts, err);
	case OPT_TRANSPORT:
		r = opts_choose(err, "--transport", text, transport_choices,
				COUNT(transport_choices), &value);
		m->transport = (enum trapmap_transport)value;
		return r;
	case OPT_PMEM: return opts_pmem(text, opts, err);
	case OPT_SHARE: return opts_share(text, opts, err);
	case OPT_BALLOON: return opts_balloon(text, opts, err);
	case OPT_SERIAL: return opts_serial(text, opts, err);
	case OPT_CONSOLE: return opts_console(text, opts, err);
	case OPT_VSOCK: return opts_vsock(text, opts, err);
	case OPT_DEBUGCON: return opts_debugcon(text, &opts->debugcon, err);
	case OPT_TESTDEV: m->test_device = 1; return 0;

	case OPT_ON_RESET:
		r = opts_choose(err, "--on-reset", text, on_reset_choices,
				COUNT(on_reset_choices), &value);
		m->on_reset = (enum trapmap_on_reset)value;
		return r;
	case OPT_ON_SIGTERM:
		r = opts_choose(err, "--on-sigterm", text, on_sigterm_choices,
				COUNT(on_sigterm_choices), &value);
		opts->sigterm_button = value;
		return r;
	case OPT_DEBUG_EXIT:
		r = opts_choose(err, "--debug-exit", text, debug_exit_choices,
				COUNT(debug_exit_choices), &value);
		m->debug_exit = (enum trapmap_debug_exit)value;
		return r;
	case OPT_TIMEOUT:
		return opts_duration(err, "--timeout", text, INT64_MAX,
				     &opts->timeout_ms);
	case OPT_WATCHDOG:
		r = opts_duration(err, "--watchdog", text, UINT32_MAX, &ms);
		m->watchdog_ms = (uint32_t)ms;
		return r;
	case OPT_FAIL_ON: return opts_fail_on(text, opts, err);
	case OPT_EXPECT: return opts_expect(text, opts, err);
	case OPT_STRICT_IO: m->strict_io = 1; return 0;

	case OPT_REPORT: return opts_path(err, "--report", text, &opts->report);
	case OPT_STATS: opts->stats = true; return 0;
	case OPT_TRACE: return opts_trace(text, &opts->trace, err);
	case OPT_DUMP_DTB:
		return opts_path(err, "--dump-dtb", text, &opts->dump_dtb);
	case OPT_MACHINE:
		return opts_path(err, "--machine", text, &opts->board);
	case OPT_DTB: return opts_path(err, "--dtb", text, &opts->dtb);
	case OPT_KVM_DEVICE:
		return opts_path(err, "--kvm-device", text, &m->kvm_path);
	case 'q': opts->quiet = true; return 0;
	}
	return 0;
}

int run_opts_parse(int argc, char **argv, struct run_opts *ret_opts,
		   char err[OPTS_ERR_SIZE])
{
	struct run_opts opts = RUN_OPTS_INIT;
	struct optscan scan;
	const char *text = NULL;
	int id, r = 0;

	optscan_init(&scan, run_manual.table, run_manual.count, "trapmap run",
		     argc, argv, err, OPTS_ERR_SIZE);
	while (r == 0 && (id = optscan_next(&scan, &text)) != OPTSCAN_END) {
		if (id < 0)
			r = id;
		else if (id == 'h')
			r = OPTS_HELP;
		else if (id == 'V')
			r = OPTS_VERSION;
		else
			r = opts_apply(&opts, id, text, err);
	}
	if (r == 0)
		r = opts_console_check(&opts, err);
	if (r == 0)
		r = opts_check_files(&opts, err);
	if (r) {
		run_opts_done(&opts);
		return r;
	}
	*ret_opts = opts;
	return OPTS_RUN;
}

void run_opts_done(struct run_opts *opts)
{
	unsigned i;

	for (i = 0; i < TRAPMAP_SERIAL_PORTS; i++) {
		free(opts->serial[i].path);
		opts->serial[i].path = NULL;
	}
	free(opts->debugcon.path);
	opts->debugcon.path = NULL;
	free(opts->nvram.path);
	opts->nvram.path = NULL;
	free(opts->trace.path);
	opts->trace.path = NULL;
	attached_free(opts);
	opts_cpus_done(&opts->cpus);
	opts_mem_done(&opts->mem);
	for (; opts->rule_count; opts->rule_count--)
		free(opts->rules[opts->rule_count - 1].regex);
}
