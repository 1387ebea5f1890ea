/* SPDX-License-Identifier: MIT */
/*
 * report_json.h: objects and lists that remember whether memory ran out, so that
 * the code that fills them reads as what it fills in.
 */
#ifndef TRAPMAP_POSTMORTEM_REPORT_JSON_H
#define TRAPMAP_POSTMORTEM_REPORT_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "postmortem/postmortem.h"

struct report {
	const struct postmortem *pm;
	bool failed; /* memory ran out */
};

/* Each takes val over; NULL counts as a failure. */
void report_set(struct report *r, json_t *obj, const char *key, json_t *val);
void report_add(struct report *r, json_t *list, json_t *val);

/* Any bytes up to len or a NUL: what is not UTF-8 becomes U+FFFD. */
json_t *report_text(const char *text, size_t len);
/* The same of all of a string; NULL is null. */
json_t *report_string(const char *text);
/* "0x1f", as JSON's numbers end at 2^53. */
json_t *report_hex(uint64_t val);
/* A count; beyond 2^63 it stays there. */
json_t *report_count(uint64_t val);
/* "name+0x12" of an address, or null. */
json_t *report_symbol(const struct report *r, uint64_t addr);

/* report_vcpu.c */
json_t *report_vcpu(struct report *r, const struct pm_vcpu *vcpu);

#endif
