// SPDX-License-Identifier: MIT
#include "opts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "kv.h"
#include "nearest.h"
#include "optscan.h"
#include "value.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
	OPT_CPU = OPT_LONG,
	OPT_RTC,
	OPT_SERIAL,
	OPT_ON_RESET,
	OPT_TIMEOUT,
	OPT_DEBUG_EXIT,
	OPT_KVM_DEVICE,
	OPT_DUMP_DTB,
};

static const struct opt table[] = {
	{ 0, NULL, NULL, "What it runs:" },
	{ 'k', "kernel", "FILE", "the kernel; the same as KERNEL" },
	{ 'i', "initrd", "FILE",
	  "an initial RAM disk; when given several times, one after another" },
	{ 'p', "params", "STRING",
	  "the kernel's command line, passed on untouched (also --cmdline, --append)" },
	{ 'p', "cmdline", "STRING", NULL },
	{ 'p', "append", "STRING", NULL },

	{ 0, NULL, NULL, "The machine:" },
	{ 'm', "mem", "SIZE",
	  "memory, with K, M, G or T; a bare number is MiB (default: 256)" },
	{ 'c', "cpus", "N", "processors (default: 1; also --smp)" },
	{ 'c', "smp", "N", NULL },
	{ OPT_CPU, "cpu", "MODEL",
	  "\"host\", then features to add or to hide: host,+FEATURE,-FEATURE" },
	{ OPT_RTC, "rtc", "TIME[,clock=host|vm]",
	  "what the clock shows at first: utc (default), localtime, 2024-02-29[T23:59[:58]] in UTC, or @SECONDS since 1970; and whether it then follows the host's clock (default) or runs on its own, which never steps" },
	{ OPT_SERIAL, "serial", "stdio|null|file=PATH",
	  "where the first serial port leads (default: stdio)" },

	{ 0, NULL, NULL, "How it ends:" },
	{ OPT_ON_RESET, "on-reset", "end|reboot|poweroff",
	  "what follows a reset by the guest: the run ends with status 6 (default), starts again, or ends as after a power-off" },
	{ OPT_DEBUG_EXIT, "debug-exit", "qemu|plain",
	  "exit status for a value that the guest writes to port 0xf4: twice the value plus 1 (default), or the value itself" },
	{ OPT_TIMEOUT, "timeout", "SECONDS",
	  "end the run after that time, with status 124; other units: 500ms, 2m" },

	{ 0, NULL, NULL, "Others:" },
	{ OPT_DUMP_DTB, "dump-dtb", "FILE",
	  "write the machine as a devicetree blob to FILE, and run it" },
	{ OPT_KVM_DEVICE, "kvm-device", "PATH",
	  "the KVM device (default: /dev/kvm)" },
	{ 'q', "quiet", NULL, "do not report a run that ended well" },
	{ 'h', "help", NULL, "show this" },
	{ 'V', "version", NULL, "show the version" },
};

struct choice {
	const char *name;
	int value;
};

static const struct choice on_reset_choices[] = {
	{ "end", TRAPMAP_ON_RESET_END },
	{ "reboot", TRAPMAP_ON_RESET_REBOOT },
	{ "poweroff", TRAPMAP_ON_RESET_POWEROFF },
};
static const struct choice debug_exit_choices[] = {
	{ "qemu", TRAPMAP_DEBUG_EXIT_QEMU },
	{ "plain", TRAPMAP_DEBUG_EXIT_PLAIN },
};
static const struct choice rtc_clock_choices[] = {
	{ "host", TRAPMAP_RTC_CLOCK_HOST },
	{ "vm", TRAPMAP_RTC_CLOCK_VM },
};

__attribute__((format(printf, 2, 3))) static int fail(char *err,
						      const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, OPTS_ERR_SIZE, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* Why a list came to an end before its end. */
static int bad_list(char *err, const char *option, const char *text, int r)
{
	if (r == -E2BIG)
		return fail(err, "%s: a value is longer than any path", option);
	return fail(err,
		    "%s '%s': an empty item; KEY=VALUE[,KEY=VALUE] is "
		    "expected (a comma in a value is written twice)",
		    option, text);
}

/* Adds 'name' to a list of names, if it has room. */
static void add_name(char *list, size_t size, const char *joint,
		     const char *name)
{
	size_t len = strlen(list);

	snprintf(list + len, size - len, "%s'%s'", joint, name);
}

static int bad_key(char *err, const char *option, const char *key,
		   const char *const *keys, size_t count)
{
	const char *known = nearest(key, keys, count);
	char list[128] = "";
	size_t i;

	if (known)
		return fail(err, "%s: unknown key '%s'; did you mean '%s'?",
			    option, key, known);
	for (i = 0; i < count; i++)
		add_name(list, sizeof(list), i ? ", " : "", keys[i]);
	return fail(err, "%s: unknown key '%s'; known: %s", option, key, list);
}

static int choose(char *err, const char *option, const char *text,
		  const struct choice *choices, size_t count, int *ret_value)
{
	char list[128] = "";
	size_t i;

	for (i = 0; i < count; i++) {
		if (strcmp(text, choices[i].name) == 0) {
			*ret_value = choices[i].value;
			return 0;
		}
		add_name(list, sizeof(list),
			 i == 0		 ? ""
			 : i + 1 < count ? ", "
					 : " or ",
			 choices[i].name);
	}
	return fail(err, "%s '%s': %s is expected", option, text, list);
}

static int parse_rtc(const char *text, struct trapmap_machine *m, char *err)
{
	static const char *const keys[] = { "base", "clock" };
	struct kv_list list = kv_list(text);
	bool seen[COUNT(keys)] = { false };
	const char *why;
	struct kv kv;
	int r, value = 0;
	size_t i;

	while ((r = kv_next(&list, &kv)) > 0) {
		const char *key = kv.key ? kv.key : keys[0];

		for (i = 0; i < COUNT(keys) && strcmp(key, keys[i]); i++)
			;
		if (i == COUNT(keys))
			return bad_key(err, "--rtc", key, keys, COUNT(keys));
		if (!kv.value)
			return fail(err, "--rtc: '%s' needs a value", key);
		if (seen[i])
			return fail(err, "--rtc: '%s' is given twice", key);
		seen[i] = true;
		if (i == 1) {
			r = choose(err, "--rtc clock", kv.value,
				   rtc_clock_choices, COUNT(rtc_clock_choices),
				   &value);
			if (r)
				return r;
			m->rtc_clock = (enum trapmap_rtc_clock)value;
		} else if (strcmp(kv.value, "utc") == 0) {
			m->rtc_base = TRAPMAP_RTC_BASE_UTC;
		} else if (strcmp(kv.value, "localtime") == 0) {
			m->rtc_base = TRAPMAP_RTC_BASE_LOCALTIME;
		} else if (strchr("@0123456789", kv.value[0])) {
			if (value_date(kv.value, &m->rtc_epoch, &why))
				return fail(err, "--rtc '%s': %s", kv.value,
					    why);
			m->rtc_base = TRAPMAP_RTC_BASE_EPOCH;
		} else {
			return fail(err,
				    "--rtc '%s': 'utc', 'localtime' or a "
				    "time as 2024-02-29T23:59:58 is "
				    "expected",
				    kv.value);
		}
	}
	return r ? bad_list(err, "--rtc", text, r) : 0;
}

static int parse_serial(const char *text, struct run_opts *opts, char *err)
{
	static const char *const names[] = { "stdio", "null", "file" };
	struct kv_list list = kv_list(text);
	const char *name;
	struct kv kv;
	int r = kv_next(&list, &kv);
	size_t i;

	if (r < 0)
		return bad_list(err, "--serial", text, r);
	name = kv.key ? kv.key : kv.value;
	for (i = 0; i < COUNT(names) && strcmp(name, names[i]); i++)
		;
	if (i == COUNT(names)) {
		const char *known = nearest(name, names, COUNT(names));

		if (known)
			return fail(err, "--serial '%s': did you mean '%s'?",
				    text, known);
		return fail(err,
			    "--serial '%s': 'stdio', 'null' or "
			    "'file=PATH' is expected",
			    text);
	}
	if (i < 2 && kv.key)
		return fail(err, "--serial '%s': '%s' takes no value", text,
			    name);
	if (i == 2 && (!kv.key || !kv.value || !*kv.value))
		return fail(err, "--serial '%s': 'file' needs a path: file=PATH",
			    text);
	free(opts->serial_path);
	opts->serial_path = NULL;
	opts->serial = (enum opts_serial)i;
	if (i == 2) {
		opts->serial_path = strdup(kv.value);
		if (!opts->serial_path)
			return fail(err, "out of memory");
	}
	r = kv_next(&list, &kv);
	if (r < 0)
		return bad_list(err, "--serial", text, r);
	if (r > 0)
		return fail(err,
			    "--serial: unknown key '%s' (a comma in a "
			    "path is written twice)",
			    kv.key);
	return 0;
}

static int set_kernel(struct run_opts *opts, const char *path, char *err)
{
	if (opts->kernel)
		return fail(err,
			    "'%s' is a second kernel; one is expected, "
			    "and '%s' came first",
			    path, opts->kernel);
	if (!*path)
		return fail(err, "the kernel's name is empty");
	opts->kernel = path;
	return 0;
}

static int apply(struct run_opts *opts, int id, const char *text, char *err)
{
	struct trapmap_machine *m = &opts->machine;
	const char *why;
	int r, value = 0;

	switch (id) {
	case OPTSCAN_WORD:
	case 'k': return set_kernel(opts, text, err);
	case 'i':
		if (!*text)
			return fail(err, "the initrd's name is empty");
		if (opts->initrd_count == OPTS_INITRD_MAX)
			return fail(err, "more than %d initrds",
				    OPTS_INITRD_MAX);
		opts->initrd[opts->initrd_count++] = text;
		return 0;
	case 'p':
		if (opts->params)
			return fail(err, "the kernel's command line is given "
					 "twice; one string is expected");
		opts->params = text;
		return 0;
	case 'm':
		if (value_mem(text, &m->mem, &why))
			return fail(err, "--mem '%s': %s", text, why);
		return 0;
	case 'c':
		if (value_count(text, &m->cpus, &why))
			return fail(err, "--cpus '%s': %s", text, why);
		return 0;
	case OPT_CPU:
		if (!*text)
			return fail(err, "--cpu '': a model is expected, as "
					 "host,-FEATURE");
		m->cpu = text;
		return 0;
	case OPT_RTC: return parse_rtc(text, m, err);
	case OPT_SERIAL: return parse_serial(text, opts, err);
	case OPT_ON_RESET:
		r = choose(err, "--on-reset", text, on_reset_choices,
			   COUNT(on_reset_choices), &value);
		if (r == 0)
			m->on_reset = (enum trapmap_on_reset)value;
		return r;
	case OPT_DEBUG_EXIT:
		r = choose(err, "--debug-exit", text, debug_exit_choices,
			   COUNT(debug_exit_choices), &value);
		if (r == 0)
			m->debug_exit = (enum trapmap_debug_exit)value;
		return r;
	case OPT_TIMEOUT:
		if (value_duration(text, &opts->timeout_ms, &why))
			return fail(err, "--timeout '%s': %s", text, why);
		return 0;
	case OPT_DUMP_DTB:
		if (!*text)
			return fail(err, "--dump-dtb '': a path is expected");
		opts->dump_dtb = text;
		return 0;
	case OPT_KVM_DEVICE:
		if (!*text)
			return fail(err, "--kvm-device '': a path is expected");
		m->kvm_path = text;
		return 0;
	case 'q': opts->quiet = true; return 0;
	}
	return 0;
}

int run_opts_parse(int argc, char **argv, struct run_opts *ret_opts,
		   char err[OPTS_ERR_SIZE])
{
	struct run_opts opts = { .machine = TRAPMAP_MACHINE_INIT };
	struct optscan scan;
	const char *text = NULL;
	int id, r = 0;

	optscan_init(&scan, table, COUNT(table), "trapmap run", argc, argv, err,
		     OPTS_ERR_SIZE);
	while (r == 0 && (id = optscan_next(&scan, &text)) != OPTSCAN_END) {
		if (id < 0)
			r = id;
		else if (id == 'h')
			r = OPTS_HELP;
		else if (id == 'V')
			r = OPTS_VERSION;
		else
			r = apply(&opts, id, text, err);
	}
	if (r) {
		run_opts_done(&opts);
		return r;
	}
	*ret_opts = opts;
	return OPTS_RUN;
}

void run_opts_done(struct run_opts *opts)
{
	free(opts->serial_path);
	opts->serial_path = NULL;
}

void run_opts_help(FILE *out)
{
	size_t i;

	fputs("Usage: trapmap run [KERNEL] [OPTION...]\n"
	      "\n"
	      "Boots KERNEL, which is recognised by its content: a Linux bzImage, an ELF\n"
	      "vmlinux, a boot sector, or a flat real-mode binary. Without a KERNEL it boots\n"
	      "the guest that is built in. The guest's first serial port is this terminal.\n",
	      out);
	optscan_help(out, table, COUNT(table));
	fputs("\nKeys, where the input is a terminal:\n", out);
	for (i = 0; keys_help[i]; i++)
		fprintf(out, "  %s\n", keys_help[i]);
	fputs("\n"
	      "Exit status:\n"
	      "  0        the guest powered off, or reported success\n"
	      "  odd      the guest's own, from the debug-exit or the test-exit port\n"
	      "  2        nothing was run: a bad option or a bad file\n"
	      "  4        the host failed: no usable KVM, no memory, an I/O error\n"
	      "  6        the guest asked for a reset\n"
	      "  8        the guest crashed\n"
	      "  124      the time ran out (--timeout)\n"
	      "  128+N    signal N ended the run; 130 after Ctrl-A x too\n",
	      out);
}
