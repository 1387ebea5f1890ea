// SPDX-License-Identifier: MIT
/* overview.c: the commands, and what they have in common. */
#include "manual.h"

const struct manual *const manuals[] = {
	&run_manual,
	&exec_manual,
	&test_manual,
	&trace_manual,
	&doctor_manual,
	NULL,
};

static const struct manual_item examples[] = {
	{ "trapmap run", "Boots the guest that is built in." },
	{ "trapmap run vmlinuz -i initrd.img -p console=ttyS0 -m 512",
	  "Boots a distribution's kernel." },
	{ NULL, NULL },
};

#define COMMANDS (sizeof(manuals) / sizeof(manuals[0]) - 1)

/* The overview as a manual; each command is called by `before` and its name. */
static void make_overview(const char *before, FILE *out,
			  void (*show)(FILE *out, const struct manual *manual))
{
	struct manual_item commands[COMMANDS + 2] = { 0 };
	char names[COMMANDS + 1][24];
	const struct manual_section sections[] = {
		{ "Commands", NULL, commands },
		{ "Examples", NULL, examples },
		{ NULL, NULL, NULL },
	};
	const struct manual overview = {
		.name = "",
		.summary = "boot and test kernels in KVM virtual machines",
		.synopsis = "COMMAND [OPTION...]",
		.text = "Boots a Linux kernel, or any other that it is handed, in a virtual machine of Linux KVM, and says how the guest ended: in one line on stderr and in the exit status.",
		.sections = sections,
	};
	size_t i;

	for (i = 0; i < COMMANDS; i++) {
		snprintf(names[i], sizeof(names[i]), "%s%s", before,
			 manuals[i]->name);
		commands[i] = (struct manual_item){ names[i],
						    manuals[i]->summary };
	}
	snprintf(names[i], sizeof(names[i]), "%shelp", before);
	commands[i] = (struct manual_item){
		names[i], "how to use a command: trapmap help run"
	};
	show(out, &overview);
}

void manual_overview_help(FILE *out)
{
	make_overview("", out, manual_help);
}

void manual_overview_man(FILE *out)
{
	make_overview("trapmap ", out, manual_man);
}
