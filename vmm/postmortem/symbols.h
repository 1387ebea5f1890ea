/* SPDX-License-Identifier: MIT */
/*
 * symbols.h: names for addresses, from an ELF file's symbol table or a
 * System.map, and where a kernel that moved itself (KASLR) has gone.
 */
#ifndef TRAPMAP_POSTMORTEM_SYMBOLS_H
#define TRAPMAP_POSTMORTEM_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/gmem.h"
#include "error.h"

struct source;
struct symbols;
struct walk_mode;

/* Enough of a file for symbols_recognise(). */
#define SYMBOLS_HEAD_LEN 64

/* Whether a file that begins so can be read: an ELF file or a System.map. */
bool symbols_recognise(const uint8_t *head, size_t len);

/*
 * Reads buf, which may go afterwards. Returns 0, or with *err (after the name
 * of the file, as "'vmlinux': ..."): -ENOEXEC (malformed), -ENODATA (no symbols
 * in it) or -ENOMEM.
 */
int symbols_read(const char *name, const uint8_t *buf, size_t len,
		 struct symbols **ret_symbols, struct error *err);

/*
 * Opens src and says whether it is worth reading, or unpacking: 0, or -errno with
 * *err: -ENOEXEC for what is neither an ELF file nor a System.map, -ENODATA for
 * what Debian has in a System.map's place.
 */
int symbols_check(struct source *src, struct error *err);

/* symbols_check() and symbols_read() of the whole file, of up to max bytes. */
int symbols_load(struct source *src, uint64_t max,
		 struct symbols **ret_symbols, struct error *err);

/* Accepts NULL. Returns NULL. */
struct symbols *symbols_free(struct symbols *symbols);

/*
 * The symbol of code or data that addr lies in or follows, and how far in; NULL
 * before the first and beyond the last section.
 */
const char *symbols_find(const struct symbols *symbols, uint64_t addr,
			 uint64_t *ret_offset);

/* The address of a name. Returns whether there is one. */
bool symbols_address(const struct symbols *symbols, const char *name,
		     uint64_t *ret_addr);

enum symbols_fit {
	SYMBOLS_FIT, /* the kernel in memory is theirs; *ret_offset is set */
	SYMBOLS_MISFIT, /* another kernel is there */
	SYMBOLS_UNKNOWN, /* nothing in memory or file tells */
};

/*
 * Where the kernel is that these symbols are of: what to add to a symbol's
 * address. A Linux kernel is found by linux_banner, at any offset that KASLR can
 * give; another ELF file by its own bytes.
 */
enum symbols_fit symbols_locate(const struct symbols *symbols,
				const struct gmem *gm,
				const struct walk_mode *mode,
				uint64_t *ret_offset);

#endif
