/* SPDX-License-Identifier: MIT */
/*
 * trace_json.h: the lines of a trace: objects of Chrome's Trace Event Format, one
 * a line. docs/trace.md has the format. All functions write into a buffer with
 * room for TRACE_JSON_MAX bytes, no terminating NUL, and return how many.
 */
#ifndef TRAPMAP_TRACE_JSON_H
#define TRAPMAP_TRACE_JSON_H

#include <stddef.h>
#include <stdint.h>

struct flight_record;

#define TRACE_JSON_VERSION 1
#define TRACE_JSON_MAX 1280

/* The names of the process and of a vCPU, and what this file is. */
size_t trace_json_process(char *buf);
size_t trace_json_vcpu(char *buf, unsigned vcpu);
size_t trace_json_version(char *buf);

/*
 * An exit: `ns` after the trace's start, `dur_ns` long. device is the name of
 * what it went to; NULL: none.
 */
size_t trace_json_exit(char *buf, const struct flight_record *rec,
		       unsigned vcpu, uint64_t ns, uint64_t dur_ns,
		       const char *device);

/* The last line. kernel_offset 0: not known. */
size_t trace_json_end(char *buf, uint64_t exits, uint64_t kernel_offset);

#endif
