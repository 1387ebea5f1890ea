// SPDX-License-Identifier: MIT
/* main.c: the first word. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <trapmap/trapmap.h>

#include "commands.h"
#include "nearest.h"
#include "opts.h"
#include "optscan.h"
#include "say.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	void (*help)(FILE *out);
	const char *summary;
} commands[] = {
	{ "run", cmd_run, run_opts_help,
	  "boot a kernel, or without one the guest that is built in" },
	{ "doctor", cmd_doctor, doctor_help,
	  "what this host offers, and how to mend what is missing" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *out)
{
	size_t i;

	fputs("Usage: trapmap COMMAND [OPTION...]\n\nCommands:\n", out);
	for (i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-8s  %s\n", commands[i].name,
			commands[i].summary);
	fputs("  help      how to use a command: trapmap help run\n"
	      "\n"
	      "Try it:\n"
	      "  trapmap run\n"
	      "  trapmap run vmlinuz -i initrd.img -p console=ttyS0 -m 512\n",
	      out);
}

int finish_stdout(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	say("cannot write to stdout: %s", strerror(errno));
	return STATUS_HOST_FAILURE;
}

int print_version(void)
{
	printf("trapmap %s\n", trapmap_version());
	return finish_stdout(STATUS_OK);
}

/*
 * A descriptor that is missing would be taken by the first file that we open,
 * and the guest's output would go there.
 */
static int fill_standard_fds(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return -errno;
	return 0;
}

static int unknown_command(const char *word)
{
	const char *names[COMMANDS + 1], *known;
	size_t i;

	if (word[0] == '-') {
		say("unknown option '%s'; a command comes first: 'trapmap --help' lists them",
		    word);
		return STATUS_BAD_INPUT;
	}
	for (i = 0; i < COMMANDS; i++)
		names[i] = commands[i].name;
	names[COMMANDS] = "help";
	known = nearest(word, names, COMMANDS + 1);
	if (known)
		say("unknown command '%s'; did you mean '%s'?", word, known);
	else if (access(word, F_OK) == 0)
		say("unknown command '%s'; did you mean 'trapmap run %s'?",
		    word, word);
	else
		say("unknown command '%s'; 'trapmap --help' lists them", word);
	return STATUS_BAD_INPUT;
}

static int cmd_help(const char *topic)
{
	size_t i;

	if (!topic) {
		usage(stdout);
		return finish_stdout(STATUS_OK);
	}
	for (i = 0; i < COMMANDS; i++)
		if (strcmp(topic, commands[i].name) == 0) {
			commands[i].help(stdout);
			return finish_stdout(STATUS_OK);
		}
	return unknown_command(topic);
}

int main(int argc, char **argv)
{
	const char *word;
	size_t i;

	if (fill_standard_fds())
		return STATUS_HOST_FAILURE;
	if (argc < 2) {
		usage(stderr);
		return STATUS_BAD_INPUT;
	}
	word = argv[1];
	for (i = 0; i < COMMANDS; i++)
		if (strcmp(word, commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 ||
	    strcmp(word, "-h") == 0)
		return cmd_help(argc > 2 ? argv[2] : NULL);
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
		return print_version();
	return unknown_command(word);
}
