// SPDX-License-Identifier: MIT
/* What a 9P2000.L client asks, out of bytes that may be anything. */
#include <errno.h>

#include "backend/p9_message.h"

struct reader {
	const uint8_t *p;
	size_t left;
	bool bad; /* asked for more than there is; all else reads as 0 */
};

static const uint8_t *take(struct reader *r, size_t len)
{
	const uint8_t *p = r->p;

	if (r->bad || len > r->left) {
		r->bad = true;
		return NULL;
	}
	r->p += len;
	r->left -= len;
	return p;
}

static uint8_t get8(struct reader *r)
{
	const uint8_t *p = take(r, 1);

	return p ? *p : 0;
}

static uint16_t get16(struct reader *r)
{
	const uint8_t *p = take(r, 2);

	return p ? get_le16(p) : 0;
}

static uint32_t get32(struct reader *r)
{
	const uint8_t *p = take(r, 4);

	return p ? get_le32(p) : 0;
}

static uint64_t get64(struct reader *r)
{
	const uint8_t *p = take(r, 8);

	return p ? get_le64(p) : 0;
}

static struct p9_string get_string(struct reader *r)
{
	uint16_t len = get16(r);
	const uint8_t *p = take(r, len);

	return (struct p9_string){ p ? (const char *)p : "", p ? len : 0 };
}

static void get_walk(struct reader *r, struct p9_call *c)
{
	unsigned i;

	c->fid = get32(r);
	c->fid2 = get32(r);
	c->nwname = get16(r);
	if (c->nwname > P9_WALK_MAX)
		r->bad = true;
	for (i = 0; i < c->nwname && !r->bad; i++)
		c->wname[i] = get_string(r);
}

static void get_setattr(struct reader *r, struct p9_call *c)
{
	c->fid = get32(r);
	c->valid = get32(r);
	c->mode = get32(r);
	c->uid = get32(r);
	c->gid = get32(r);
	c->size = get64(r);
	c->atime_sec = (int64_t)get64(r);
	c->atime_nsec = get64(r);
	c->mtime_sec = (int64_t)get64(r);
	c->mtime_nsec = get64(r);
}

static void get_lock(struct reader *r, struct p9_call *c)
{
	c->fid = get32(r);
	c->lock_type = get8(r);
	if (c->type == P9_TLOCK)
		c->flags = get32(r);
	c->offset = get64(r);
	c->length = get64(r);
	c->proc_id = get32(r);
	c->name = get_string(r);
}

/* The rest of a call that makes something: fid[4] name[s] comes first in all. */
static void get_new(struct reader *r, struct p9_call *c)
{
	c->fid = get32(r);
	c->name = get_string(r);
	if (c->type == P9_TSYMLINK)
		c->name2 = get_string(r);
	if (c->type == P9_TLCREATE)
		c->flags = get32(r);
	if (c->type != P9_TSYMLINK)
		c->mode = get32(r);
	if (c->type == P9_TMKNOD) { /* major, minor: of no use here */
		get32(r);
		get32(r);
	}
	c->gid = get32(r);
}

static bool get_fields(struct reader *r, struct p9_call *c)
{
	switch ((enum p9_type)c->type) {
	case P9_TVERSION:
		c->msize = get32(r);
		c->name = get_string(r);
		break;
	case P9_TAUTH:
	case P9_TATTACH:
		if (c->type == P9_TATTACH)
			c->fid = get32(r);
		c->fid2 = get32(r);
		c->name2 = get_string(r); /* uname */
		c->name = get_string(r); /* aname */
		c->uid = get32(r);
		break;
	case P9_TWALK: get_walk(r, c); break;
	case P9_TLOPEN:
	case P9_TFSYNC: /* datasync */
		c->fid = get32(r);
		c->flags = get32(r);
		break;
	case P9_TREAD:
	case P9_TREADDIR:
	case P9_TWRITE:
		c->fid = get32(r);
		c->offset = get64(r);
		c->count = get32(r);
		break;
	case P9_TCLUNK:
	case P9_TREMOVE:
	case P9_TSTATFS:
	case P9_TREADLINK: c->fid = get32(r); break;
	case P9_TGETATTR:
		c->fid = get32(r);
		get64(r); /* request_mask: all is answered */
		break;
	case P9_TSETATTR: get_setattr(r, c); break;
	case P9_TLCREATE:
	case P9_TSYMLINK:
	case P9_TMKNOD:
	case P9_TMKDIR: get_new(r, c); break;
	case P9_TRENAME:
	case P9_TLINK:
		c->fid = get32(r);
		c->fid2 = get32(r);
		c->name = get_string(r);
		break;
	case P9_TRENAMEAT:
		c->fid = get32(r);
		c->name = get_string(r);
		c->fid2 = get32(r);
		c->name2 = get_string(r);
		break;
	case P9_TUNLINKAT:
		c->fid = get32(r);
		c->name = get_string(r);
		c->flags = get32(r);
		break;
	case P9_TLOCK:
	case P9_TGETLOCK: get_lock(r, c); break;
	case P9_TXATTRWALK:
		c->fid = get32(r);
		c->fid2 = get32(r);
		c->name = get_string(r);
		break;
	case P9_TXATTRCREATE:
		c->fid = get32(r);
		c->name = get_string(r);
		c->size = get64(r);
		c->flags = get32(r);
		break;
	case P9_RLERROR: return false;
	default:
		if (c->type != P9_TFLUSH)
			return false;
		get16(r); /* oldtag: the device's */
		break;
	}
	return true;
}

int p9_decode(uint8_t type, const uint8_t *buf, size_t len,
	      struct p9_call *ret_call)
{
	struct reader r = { .p = buf, .left = len };
	struct p9_call call = { .type = type };

	take(&r, P9_HEADER_LEN);
	if (!get_fields(&r, &call))
		return -EOPNOTSUPP;
	if (r.bad || r.left > 0)
		return -EPROTO;
	*ret_call = call;
	return 0;
}
