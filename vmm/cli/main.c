// SPDX-License-Identifier: MIT
/* main.c: the first word. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <trapmap/trapmap.h>

#include "commands.h"
#include "manual.h"
#include "nearest.h"
#include "say.h"

static const struct {
	const struct manual *manual;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ &run_manual, cmd_run },
	{ &exec_manual, cmd_exec },
	{ &test_manual, cmd_test },
	{ &trace_manual, cmd_trace },
	{ &doctor_manual, cmd_doctor },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

int finish_stdout(int status)
{
	bool now = fflush(stdout) != 0;

	if (!now && !ferror(stdout))
		return status;
	/* Of an earlier failure only the mark is left. */
	say("cannot write to stdout%s%s", now ? ": " : "",
	    now ? strerror(errno) : "");
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
		names[i] = commands[i].manual->name;
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
		manual_overview_help(stdout);
		return finish_stdout(STATUS_OK);
	}
	for (i = 0; i < COMMANDS; i++)
		if (strcmp(topic, commands[i].manual->name) == 0) {
			manual_help(stdout, commands[i].manual);
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
		manual_overview_help(stderr);
		return STATUS_BAD_INPUT;
	}
	word = argv[1];
	for (i = 0; i < COMMANDS; i++)
		if (strcmp(word, commands[i].manual->name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 ||
	    strcmp(word, "-h") == 0)
		return cmd_help(argc > 2 ? argv[2] : NULL);
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
		return print_version();
	return unknown_command(word);
}
