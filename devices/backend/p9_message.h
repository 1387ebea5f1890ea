/* SPDX-License-Identifier: MIT */
/*
 * p9_message.h: 9P2000.L messages as bytes: what a client asks, decoded, and what it
 * is answered, encoded. Pure: buffers in, buffers out. Field names are those of
 * diod's protocol.md.
 */
#ifndef TRAPMAP_BACKEND_P9_MESSAGE_H
#define TRAPMAP_BACKEND_P9_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "backend/p9.h"
#include "core/base.h"

/* What is asked for; an answer's number is one more. */
enum p9_type {
	P9_RLERROR = 7,
	P9_TSTATFS = 8,
	P9_TLOPEN = 12,
	P9_TLCREATE = 14,
	P9_TSYMLINK = 16,
	P9_TMKNOD = 18,
	P9_TRENAME = 20,
	P9_TREADLINK = 22,
	P9_TGETATTR = 24,
	P9_TSETATTR = 26,
	P9_TXATTRWALK = 30,
	P9_TXATTRCREATE = 32,
	P9_TREADDIR = 40,
	P9_TFSYNC = 50,
	P9_TLOCK = 52,
	P9_TGETLOCK = 54,
	P9_TLINK = 70,
	P9_TMKDIR = 72,
	P9_TRENAMEAT = 74,
	P9_TUNLINKAT = 76,
	P9_TVERSION = 100,
	P9_TAUTH = 102,
	P9_TATTACH = 104,
	P9_TWALK = 110,
	P9_TREAD = 116,
	P9_TWRITE = 118,
	P9_TCLUNK = 120,
	P9_TREMOVE = 122,
};

#define P9_NOFID UINT32_MAX
#define P9_WALK_MAX 16 /* names of one Twalk */

/* All but the data of a Twrite; the longest are a walk and a link. */
#define P9_CALL_MAX 8192
/* All but the data of a Rread and a Rreaddir; the longest is a Rreadlink. */
#define P9_ANSWER_MAX 4352

/* Where the data of a Twrite, a Rread and a Rreaddir begins. */
#define P9_WRITE_DATA 23
#define P9_READ_DATA 11

/* Not terminated, and of any content. */
struct p9_string {
	const char *s;
	uint16_t len;
};

/* One who asks. Which fields there are depends on the type. */
struct p9_call {
	uint8_t type;
	uint32_t fid;
	uint32_t fid2; /* newfid, dfid, newdirfid, afid */
	struct p9_string name, name2;
	uint32_t flags, mode, gid, uid, count, msize, valid, proc_id;
	uint8_t lock_type;
	uint64_t offset, length, size;
	int64_t atime_sec, mtime_sec;
	uint64_t atime_nsec, mtime_nsec;
	uint16_t nwname;
	struct p9_string wname[P9_WALK_MAX];
};

/*
 * buf is a whole message, or of a Twrite what comes before the data. Strings stay in
 * it. Returns 0; -EOPNOTSUPP: an unknown type; -EPROTO: shorter or longer than its
 * fields are.
 */
int p9_decode(uint8_t type, const uint8_t *buf, size_t len,
	      struct p9_call *ret_call);

/* Makes an answer. What does not fit is left out, and full says so. */
struct p9_answer {
	uint8_t buf[P9_ANSWER_MAX];
	size_t len;
	bool full;
	uint32_t data; /* bytes behind it, already where they belong */
};

struct p9_qid {
	uint8_t type;
	uint32_t version;
	uint64_t path;
};

enum { P9_QTDIR = 0x80, P9_QTSYMLINK = 0x02, P9_QTFILE = 0 };

static inline uint8_t *p9_room(struct p9_answer *a, size_t len)
{
	uint8_t *p = a->buf + a->len;

	if (len > sizeof(a->buf) - a->len) {
		a->full = true;
		return NULL;
	}
	a->len += len;
	return p;
}

static inline void p9_put8(struct p9_answer *a, uint8_t v)
{
	uint8_t *p = p9_room(a, 1);

	if (p)
		*p = v;
}

static inline void p9_put16(struct p9_answer *a, uint16_t v)
{
	uint8_t *p = p9_room(a, 2);

	if (p)
		put_le16(p, v);
}

static inline void p9_put32(struct p9_answer *a, uint32_t v)
{
	uint8_t *p = p9_room(a, 4);

	if (p)
		put_le32(p, v);
}

static inline void p9_put64(struct p9_answer *a, uint64_t v)
{
	uint8_t *p = p9_room(a, 8);

	if (p)
		put_le64(p, v);
}

static inline void p9_put_string(struct p9_answer *a, const char *s, size_t len)
{
	uint8_t *p;

	p9_put16(a, (uint16_t)len);
	p = p9_room(a, len);
	if (p)
		memcpy(p, s, len);
}

static inline void p9_put_qid(struct p9_answer *a, const struct p9_qid *qid)
{
	p9_put8(a, qid->type);
	p9_put32(a, qid->version);
	p9_put64(a, qid->path);
}

/* Begins an answer anew; its first bytes are filled in by p9_finish(). */
static inline void p9_begin(struct p9_answer *a)
{
	a->len = P9_HEADER_LEN;
	a->full = false;
	a->data = 0;
}

static inline void p9_finish(struct p9_answer *a, uint8_t type, uint16_t tag)
{
	put_le32(a->buf, (uint32_t)a->len + a->data);
	a->buf[4] = type;
	put_le16(a->buf + 5, tag);
}

#endif
