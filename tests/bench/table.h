/* SPDX-License-Identifier: MIT */
/*
 * table.h: rows of figures that were taken by turns, each beside the first.
 * Difference and ratio are medians of what was seen within one round: what
 * befell the host in that round befell both.
 */
#ifndef TRAPMAP_BENCH_TABLE_H
#define TRAPMAP_BENCH_TABLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline int table_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts v. */
static inline double table_median(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), table_compare);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

static inline void table_head(const char *what, const char *unit,
			      unsigned rounds)
{
	char title[64];

	snprintf(title, sizeof(title), "%s (%s, %u rounds)", what, unit, rounds);
	printf("  %-34s %9s %9s %11s %7s\n", title, "median", "least",
	       "difference", "ratio");
}

/* v and first have n figures; scratch has room for n. first may be v. */
static inline void table_row(const char *name, const double *v,
			     const double *first, unsigned n, double unit,
			     double *scratch)
{
	double median, difference;
	unsigned i;

	memcpy(scratch, v, n * sizeof(*v));
	median = table_median(scratch, n);
	printf("  %-34s %9.2f %9.2f", name, median / unit, scratch[0] / unit);
	if (v != first) {
		for (i = 0; i < n; i++)
			scratch[i] = v[i] - first[i];
		difference = table_median(scratch, n);
		for (i = 0; i < n; i++)
			scratch[i] = v[i] / first[i];
		printf(" %+11.2f %7.3f", difference / unit,
		       table_median(scratch, n));
	}
	putchar('\n');
}

#endif
