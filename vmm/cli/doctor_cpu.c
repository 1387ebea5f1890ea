// SPDX-License-Identifier: MIT
/* doctor_cpu.c: "trapmap doctor --cpu": the processor that a guest would see. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <trapmap/trapmap.h>

#include "doctor.h"
#include "optscan.h"
#include "say.h"

/* A list of names as one text, or what to say where there is none. */
static char *joined(const char *const *names, const char *none)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	size_t i;

	if (!f)
		return NULL;
	for (i = 0; names[i]; i++)
		fprintf(f, "%s%s", i ? " " : "", names[i]);
	if (i == 0)
		fputs(none, f);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

static void print_names(const char *title, const char *const *names)
{
	char *text = joined(names, "none");

	doctor_line(title, "%s", text ? text : "(out of memory)");
	free(text);
}

static const char *topology(const struct trapmap_cpu_info *info)
{
	switch (info->topology_leaf) {
	case 0x1f: return "leaf 0x1f (V2 extended topology)";
	case 0xb: return "leaf 0xb (extended topology)";
	default: return "leaves 1 and 4 only";
	}
}

static void print_models(void)
{
	const char *name, *summary;
	unsigned n;

	printf("\nProcessors that --cpu knows:\n");
	for (n = 0; (name = trapmap_cpu_model(n, &summary)); n++) {
		int width = printf("  %-12s", name);

		optscan_wrap(stdout, width, summary);
	}
}

int doctor_cpu(const char *kvm_path, const char *spec)
{
	struct trapmap_cpu_info info = TRAPMAP_CPU_INFO_INIT;
	int r, status;

	r = trapmap_host_cpu(kvm_path, spec, &info);
	if (r) {
		say("cannot look at the processor: %s", strerror(-r));
		return STATUS_HOST_FAILURE;
	}
	status = info.status;
	if (status) {
		say("%s", info.error_text);
		trapmap_cpu_info_done(&info);
		return status;
	}
	doctor_line("Processor", "%s", spec ? spec : "host");
	doctor_line("Vendor", "%s", info.vendor);
	doctor_line("Name", "%s", *info.brand ? info.brand : "none");
	doctor_line("Version", "family %u, model %u, stepping %u", info.family,
		    info.model, info.stepping);
	doctor_line("Topology", "by %s", topology(&info));
	doctor_line("Guest addresses", "%u bits", info.phys_bits);
	printf("\n");
	print_names("A guest sees", info.features);
	printf("\n");
	print_names("KVM withholds", info.withheld);
	printf("\n");
	print_names("Left out of it", info.masked);
	print_models();
	trapmap_cpu_info_done(&info);
	return STATUS_OK;
}
