// SPDX-License-Identifier: MIT
/*
 * doctor.c: "trapmap doctor". What the host offers, as the library found it,
 * and what to do about what it does not.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trapmap/trapmap.h>

#include "commands.h"
#include "doctor.h"
#include "manual.h"
#include "optscan.h"
#include "say.h"

/* ---- the report -------------------------------------------------------- */

#define TITLE_WIDTH 18

void doctor_line(const char *title, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	printf("%-*s", TITLE_WIDTH, title);
	optscan_wrap(stdout, TITLE_WIDTH, text);
	free(text);
}

static const char *paging(const struct trapmap_host *host)
{
	if (host->nested_paging < 0)
		return "unknown";
	if (host->nested_paging)
		return host->kind == TRAPMAP_KVM_VTX	? "yes (EPT)"
		       : host->kind == TRAPMAP_KVM_AMDV ? "yes (NPT)"
							: "yes";
	return "no: KVM shadows the guest's page tables";
}

static void print_caps(const struct trapmap_host *host)
{
	int width = 0, n;
	size_t i;

	for (i = 0; i < host->cap_count; i++) {
		n = (int)strlen(host->caps[i].name);
		if (n > width)
			width = n;
	}
	printf("\nCapabilities, their values and what they are for:\n");
	for (i = 0; i < host->cap_count; i++) {
		const struct trapmap_host_cap *cap = &host->caps[i];

		if (cap->value)
			n = printf("  %-*s  %7d  ", width, cap->name,
				   cap->value);
		else
			n = printf("  %-*s  missing  ", width, cap->name);
		optscan_wrap(stdout, n, cap->use);
	}
}

/* What can be done about it; nothing where all is well. */
static void print_advice(const struct trapmap_host *host)
{
	static const char tail[] =
		"where another hypervisor is below, have it offer nested virtualization";
	bool head = false;

#define ADVISE(...)                                          \
	do {                                                 \
		if (!head)                                   \
			printf("\n");                        \
		doctor_line(head ? "" : "What to do", __VA_ARGS__); \
		head = true;                                 \
	} while (0)

	if (*host->advice)
		ADVISE("%s", host->advice);
	if (host->kind == TRAPMAP_KVM_SOFTWARE && !host->boots_linux)
		ADVISE("For stock kernels use a host with VT-x or AMD-V: load kvm-intel or kvm-amd; switch virtualization on in the firmware's setup; %s.",
		       tail);
	if (host->nested_paging == 0 && host->kind == TRAPMAP_KVM_VTX)
		ADVISE("For speed, load kvm-intel with ept=1 if the processor has EPT; %s.",
		       tail);
	if (host->nested_paging == 0 && host->kind == TRAPMAP_KVM_AMDV)
		ADVISE("For speed, load kvm-amd with npt=1 if the processor has nested paging; %s.",
		       tail);
#undef ADVISE
}

static int print_report(const struct trapmap_host *host, const char *path)
{
	if (host->error) {
		doctor_line("KVM device", "not usable: %s", host->error_text);
		if (*host->advice)
			doctor_line("What to do", "%s", host->advice);
		doctor_line("Guests", "cannot run here");
		return STATUS_HOST_FAILURE;
	}
	doctor_line("KVM device", "%s: usable (API version %d)", path,
	     host->api_version);
	doctor_line("Kind", "%s", host->kind_text);
	doctor_line("Nested paging", "%s", paging(host));
	doctor_line("Guests", "can run here");
	doctor_line("Stock Linux", "%s: %s",
	     host->boots_linux ? "should boot" : "will not boot",
	     host->boots_linux_text);
	doctor_line("Processors", "%u for one guest are recommended, %u at most",
	     host->vcpus_recommended, host->vcpus_max);
	doctor_line("Memory slots", "%u", host->memslots);
	doctor_line("Guest addresses", "%u bits", host->phys_bits);
	print_caps(host);
	print_advice(host);
	return STATUS_OK;
}

/* One line, for scripts and their readers. */
static int print_linux(const struct trapmap_host *host)
{
	if (host->error) {
		printf("no: %s\n", host->error_text);
		return STATUS_HOST_FAILURE;
	}
	printf("%s: %s\n", host->boots_linux ? "yes" : "no",
	       host->boots_linux_text);
	return host->boots_linux ? STATUS_OK : STATUS_HOST_FAILURE;
}

int cmd_doctor(int argc, char **argv)
{
	struct trapmap_host host = TRAPMAP_HOST_INIT;
	const char *path = NULL, *text = NULL, *spec = NULL;
	bool linux_only = false, cpu = false;
	struct optscan scan;
	char err[1024];
	int id, r, status;

	optscan_init(&scan, doctor_manual.table, doctor_manual.count,
		     "trapmap doctor", argc, argv, err, sizeof(err));
	while ((id = optscan_next(&scan, &text)) != OPTSCAN_END) {
		switch (id) {
		case 'h':
			manual_help(stdout, &doctor_manual);
			return finish_stdout(STATUS_OK);
		case DOCTOR_LINUX: linux_only = true; break;
		case DOCTOR_CPU: cpu = true; break;
		case DOCTOR_KVM_DEVICE: path = text; break;
		case OPTSCAN_WORD:
			if (!spec) {
				spec = text;
				break;
			}
			say("'%s' is a second processor; one is expected, and '%s' came first",
			    text, spec);
			return STATUS_BAD_INPUT;
		default: say("%s", err); return STATUS_BAD_INPUT;
		}
	}
	if (spec && !cpu) {
		say("'%s': doctor takes options only, but for a processor behind --cpu; 'trapmap doctor --help' lists them",
		    spec);
		return STATUS_BAD_INPUT;
	}
	if (cpu && linux_only) {
		say("--cpu and --linux: one of the two is expected");
		return STATUS_BAD_INPUT;
	}
	if (cpu)
		return finish_stdout(doctor_cpu(path, spec));
	r = trapmap_host_probe(path, &host);
	if (r) {
		say("cannot look at the host: %s", strerror(-r));
		return STATUS_HOST_FAILURE;
	}
	if (!path)
		path = "/dev/kvm";
	status = linux_only ? print_linux(&host)
			    : print_report(&host, path);
	trapmap_host_done(&host);
	return finish_stdout(status);
}
