// SPDX-License-Identifier: MIT
#include "test/unittests_params.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "value.h"

#define CPU_MAX 512
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Options that ask for what is so anyway. value: a beginning; NULL: none. */
static const struct {
	const char *option;
	const char *value;
} granted[] = {
	{ "-enable-kvm", NULL },     { "-nodefaults", NULL },
	{ "-no-reboot", NULL },	     { "-nographic", NULL },
	{ "-accel", "kvm" },	     { "-display", "none" },
	{ "-vnc", "none" },	     { "-serial", "stdio" },
	{ "-monitor", "none" },	     { "-device", "isa-debug-exit" },
	{ "-device", "pc-testdev" },
};

/* value is what begins as `word`, up to a comma or its end. */
static bool is_item(const char *value, const char *word)
{
	size_t len = strlen(word);

	return strncmp(value, word, len) == 0 &&
	       (value[len] == '\0' || value[len] == ',');
}

/* How many words it is that are granted; 0: they are not. */
static size_t is_granted(const char *option, const char *value)
{
	size_t i;

	for (i = 0; i < COUNT(granted); i++) {
		if (strcmp(granted[i].option, option) != 0)
			continue;
		if (!granted[i].value)
			return 1;
		if (value && is_item(value, granted[i].value))
			return 2;
	}
	return 0;
}

static int skip_option(struct test_case *test, const char *option,
		       const char *value)
{
	if (value && *value != '-')
		return suite_skip(test, "needs QEMU's '%.40s %.80s'", option,
				  value);
	return suite_skip(test, "needs QEMU's '%.40s'", option);
}

static int set_mem(const char *value, struct test_case *test,
		   struct unittests_params *params)
{
	const char *why;

	if (value_mem(value, &params->mem, &why))
		return suite_skip(test, "'-m %.60s': %s", value, why);
	return 0;
}

static int set_cpus(const char *value, struct test_case *test,
		    struct unittests_params *params)
{
	const char *why;
	uint32_t cpus = 0;

	if (strchr(value, ','))
		return suite_skip(test, "needs QEMU's '-smp %.60s'", value);
	if (value_count(value, &cpus, &why))
		return suite_skip(test, "'-smp %.60s': %s", value, why);
	params->cpus = cpus;
	return 0;
}

/* One option; *ret_used: how many words it was. */
static int read_option(const char *option, const char *value,
		       struct test_case *test, struct unittests_params *params,
		       size_t *ret_used)
{
	/* QEMU takes "--m" for "-m". */
	if (option[0] == '-' && option[1] == '-')
		option++;
	*ret_used = is_granted(option, value);
	if (*ret_used)
		return 0;
	*ret_used = 2;
	if (value && strcmp(option, "-append") == 0)
		params->append = value;
	else if (value && strcmp(option, "-cpu") == 0)
		params->cpu = value;
	else if (value && strcmp(option, "-m") == 0)
		return set_mem(value, test, params);
	else if (value && strcmp(option, "-smp") == 0)
		return set_cpus(value, test, params);
	else {
		/* Its value, unless that is the next option. */
		*ret_used = value && *value != '-' ? 2 : 1;
		return skip_option(test, option, value);
	}
	return 0;
}

int unittests_params(const struct shell_words *words, struct test_case *test,
		     struct unittests_params *params)
{
	size_t i, used;
	int r = 0;

	for (i = 0; r == 0 && i < words->count; i += used)
		r = read_option(words->words[i],
				i + 1 < words->count ? words->words[i + 1]
						     : NULL,
				test, params, &used);
	return r;
}

/*
 * Things said of a processor model that are true of the host's anyway: all that
 * KVM offers is there, and the guest will not be migrated.
 */
static const char *const cpu_granted[] = {
	"host-phys-bits",     "host-phys-bits=on", "host-phys-bits=true",
	"migratable=no",      "migratable=off",	   "migratable=false",
	"host-cache-info=on",
};

/*
 * One item behind the model. "+x" adds nothing: what KVM offers is there, and
 * where it does not offer it QEMU, too, goes on without and lets the test say
 * so. "-x" is the host's name with other joints.
 */
static int cpu_item(const char *item, const char *cpu, char *list, size_t size,
		    struct test_case *test)
{
	size_t len = strlen(list), i;

	if (*item == '+')
		return 0;
	for (i = 0; i < COUNT(cpu_granted); i++)
		if (strcmp(item, cpu_granted[i]) == 0)
			return 0;
	/* Of the MSRs that describe VMX, not of CPUID. */
	if (*item != '-' || strncmp(item, "-vmx-", 5) == 0 || !item[1])
		return suite_skip(test,
				  "'-cpu %.80s': '%.40s' cannot be honoured",
				  cpu, item);
	snprintf(list + len, size - len, ",-%s", item + 1);
	for (i = len + 2; list[i]; i++)
		if (list[i] == '-' || list[i] == '.')
			list[i] = '_';
	return 0;
}

int unittests_cpu(const char *cpu, struct test_case *test)
{
	char copy[CPU_MAX], list[2 * CPU_MAX] = "host", *rest = copy, *item;
	size_t len = strlen(cpu);
	int r = 0;

	if (len >= sizeof(copy))
		return suite_skip(test, "'-cpu %.40s...' is too long", cpu);
	memcpy(copy, cpu, len + 1);
	item = strsep(&rest, ",");
	if (strcmp(item, "max") != 0 && strcmp(item, "host") != 0)
		return suite_skip(test,
				  "'-cpu %.80s': a model with a name; there "
				  "is only the host's processor",
				  cpu);
	while (r == 0 && (item = strsep(&rest, ",")))
		r = cpu_item(item, cpu, list, sizeof(list), test);
	if (r == 0 && strcmp(list, "host") != 0) {
		r = suite_arg(test, "--cpu");
		if (r == 0)
			r = suite_arg(test, "%s", list);
	}
	return r;
}
