/* SPDX-License-Identifier: MIT */
/* nearest.h: the known word that somebody who wrote another one meant. */
#ifndef TRAPMAP_CLI_NEAREST_H
#define TRAPMAP_CLI_NEAREST_H

#include <stddef.h>

/*
 * Of the count names, the one that is nearest to word: one of them is the
 * beginning of the other, or few slips of a finger (a letter too many, too few,
 * wrong, or swapped with its neighbour) lie between. NULL if none is near. The
 * first of equals.
 */
const char *nearest(const char *word, const char *const *names, size_t count);

#endif
