// SPDX-License-Identifier: MIT
/*
 * rows.c: makes tables of the figures on stdin, lines of WORK, round, machine and
 * number with tabs between. Each argument asks for one table:
 *
 *	rows (WORK TITLE UNIT MACHINE,MACHINE...)...
 *
 * The first machine is what the others are compared with. One that has not a figure
 * of every round shows none.
 */
#include <math.h>
#include <stdbool.h>

#include "table.h"

#define FIGURES_MAX 4096
#define ROUNDS_MAX 64

struct figure {
	char work[32], machine[32];
	unsigned round;
	double v;
};

/* Returns how many there were of all `rounds`. */
static unsigned find(const struct figure *all, size_t n, const char *work,
		     const char *machine, unsigned rounds, double *v)
{
	unsigned found = 0, i;
	size_t k;

	for (i = 0; i < rounds; i++)
		v[i] = NAN;
	for (k = 0; k < n; k++) {
		if (strcmp(all[k].work, work) || strcmp(all[k].machine, machine))
			continue;
		found += isnan(v[all[k].round - 1]);
		v[all[k].round - 1] = all[k].v;
	}
	return found;
}

static void table(const struct figure *all, size_t n, unsigned rounds,
		  char **words)
{
	const char *work = words[0], *title = words[1], *unit = words[2];
	double first[ROUNDS_MAX], v[ROUNDS_MAX], scratch[ROUNDS_MAX];
	bool have_first = false;
	unsigned found;
	char *name, head[64];

	snprintf(head, sizeof(head), "%s (%s)", title, unit);
	printf("  %-34s %9s %9s %11s %7s\n", head, "median", "least",
	       "difference", "ratio");
	for (name = strtok(words[3], ","); name; name = strtok(NULL, ",")) {
		found = find(all, n, work, name, rounds, v);
		if (found < rounds) {
			printf("  %-34s %9s\n", name, "-");
			continue;
		}
		if (!have_first)
			memcpy(first, v, sizeof(v));
		table_row(name, v, have_first ? first : v, rounds, 1, scratch);
		have_first = true;
	}
}

int main(int argc, char **argv)
{
	struct figure *all = calloc(FIGURES_MAX, sizeof(*all));
	unsigned rounds = 0;
	size_t n = 0;
	char line[160];
	int i;

	if (!all || argc % 4 != 1)
		return 2;
	while (n < FIGURES_MAX && fgets(line, sizeof(line), stdin)) {
		struct figure *f = &all[n];

		if (sscanf(line, "%31s %u %31s %lf", f->work, &f->round,
			   f->machine, &f->v) != 4 ||
		    f->round < 1 || f->round > ROUNDS_MAX)
			continue;
		rounds = f->round > rounds ? f->round : rounds;
		n++;
	}
	printf("  %u rounds\n", rounds);
	for (i = 1; i + 3 < argc && rounds > 0; i += 4)
		table(all, n, rounds, &argv[i]);
	free(all);
	return rounds == 0;
}
