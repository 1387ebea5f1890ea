/* SPDX-License-Identifier: MIT */
/*
 * opts_parts.h: the pieces that reading the options of "trapmap run" is made of.
 * Each returns 0, or -EINVAL with a line in err (OPTS_ERR_SIZE bytes).
 */
#ifndef TRAPMAP_CLI_OPTS_PARTS_H
#define TRAPMAP_CLI_OPTS_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "opts.h"
#include "optscan.h"

/* The options that have no letter. */
enum {
	OPT_CPU = OPT_LONG,
	OPT_BOOT,
	OPT_FIRMWARE,
	OPT_FW_CFG,
	OPT_MACHINE,
	OPT_DTB,
	OPT_RTC,
	OPT_TRANSPORT,
	OPT_PMEM,
	OPT_SHARE,
	OPT_BALLOON,
	OPT_CONSOLE,
	OPT_VSOCK,
	OPT_SERIAL,
	OPT_DEBUGCON,
	OPT_TESTDEV,
	OPT_ON_RESET,
	OPT_ON_SIGTERM,
	OPT_DEBUG_EXIT,
	OPT_TIMEOUT,
	OPT_WATCHDOG,
	OPT_FAIL_ON,
	OPT_EXPECT,
	OPT_STRICT_IO,
	OPT_REPORT,
	OPT_SYMBOLS,
	OPT_STATS,
	OPT_TRACE,
	OPT_DUMP_DTB,
	OPT_KVM_DEVICE,
	OPT_RUN_END, /* from here on: another command's */
};

/* ---- for any option ---- */

int opts_fail(char *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Why a list came to an end before its end: what kv_next() returned. */
int opts_bad_list(char *err, const char *option, const char *text, int r);

int opts_bad_key(char *err, const char *option, const char *key,
		 const char *const *keys, size_t count);

/* A word that stands for a number. */
struct opts_choice {
	const char *name;
	int value;
};

int opts_choose(char *err, const char *option, const char *text,
		const struct opts_choice *choices, size_t count,
		int *ret_value);

/* A list of keys, of which the first may be left out before its value. */
enum opts_key_kind {
	OPTS_KEY_TEXT, /* key=value, once: a char *, of our own */
	OPTS_KEY_TEXTS, /* key=value, again and again: a struct opts_texts */
	OPTS_KEY_FLAG, /* key, once: a bool */
};

#define OPTS_TEXTS_MAX 32
#define OPTS_KEYS_MAX 16

struct opts_texts {
	char *text[OPTS_TEXTS_MAX];
	unsigned count;
};

/* Two in a row with one offset are names for the same. */
struct opts_key {
	const char *name;
	enum opts_key_kind kind;
	size_t offset; /* of the field, which is zero at first */
};

int opts_keys(const char *option, const char *text, const struct opts_key *keys,
	      size_t count, void *to, char *err);
/* Frees what that has set, after a failure too. */
void opts_keys_done(const struct opts_key *keys, size_t count, void *from);

/* A number of seconds as value_duration(), up to max. */
int opts_duration(char *err, const char *option, const char *text, int64_t max,
		  int64_t *ret_ms);

/* A file's name, which is not empty. */
int opts_path(char *err, const char *option, const char *text,
	      const char **ret_path);

/* ---- all of them ---- */

/* What option `id` says; also for commands that share it. */
int opts_apply(struct run_opts *opts, int id, const char *text, char *err);

/* ---- one option each ---- */

int opts_boot(const char *text, enum trapmap_boot *boot, char *err);
int opts_rtc(const char *text, struct run_opts *opts, char *err);
int opts_disk(const char *text, struct run_opts *opts, char *err);
int opts_net(const char *text, struct run_opts *opts, char *err);
int opts_fw_cfg(const char *text, struct run_opts *opts, char *err);
int opts_pmem(const char *text, struct run_opts *opts, char *err);
int opts_share(const char *text, struct run_opts *opts, char *err);
int opts_balloon(const char *text, struct run_opts *opts, char *err);
int opts_console(const char *text, struct run_opts *opts, char *err);
int opts_vsock(const char *text, struct run_opts *opts, char *err);
int opts_serial(const char *text, struct run_opts *opts, char *err);
int opts_debugcon(const char *text, struct opts_sink *sink, char *err);
int opts_trace(const char *text, struct opts_trace *trace, char *err);
int opts_fail_on(const char *text, struct run_opts *opts, char *err);
int opts_expect(const char *text, struct run_opts *opts, char *err);

/* Whether two of the options would write one file, or one that is read. */
int opts_check_files(const struct run_opts *opts, char *err);

#endif
