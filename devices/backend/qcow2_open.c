// SPDX-License-Identifier: MIT
/*
 * The life of a qcow2 image, and of the chain of files behind it.
 *
 * A backing file is one by name: what it names in turn is opened too. It is only
 * ever read, and locked against writers. Where its format is not given it is taken
 * as raw if it does not look like anything else; if it does, whoever wrote to it as
 * a guest may have made it look so, and it is refused.
 */
#include "backend/qcow2.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/block_magic.h"
#include "backend/qcow2_header.h"
#include "core/base.h"

#define CHAIN_MAX 64
#define PATH_LEN 4096
/* Of the tables of a chain, which a file can make as large as it likes. */
#define CHAIN_TABLES_MAX MIB(128)

static struct qcow2 *qcow2_new(struct block_opened *file)
{
	struct qcow2 *q = calloc(1, sizeof(*q));

	if (!q) {
		block_opened_close(file);
		return NULL;
	}
	q->file = *file;
	*file = (struct block_opened){ .fd = -1 };
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->released, NULL);
	pthread_mutex_init(&q->inflate_lock, NULL);
	return q;
}

static void cache_free(struct qcow2_cache *cache)
{
	unsigned i;

	for (i = 0; cache->slot && i < cache->count; i++)
		free(cache->slot[i].table);
	free(cache->slot);
}

static void close_one(struct qcow2 *q)
{
	cache_free(&q->l2);
	cache_free(&q->blocks);
	free(q->l1.data);
	free(q->refcounts.data);
	free(q->pending);
	free(q->inflated);
	free(q->deflated);
	free(q->name);
	pthread_mutex_destroy(&q->inflate_lock);
	pthread_cond_destroy(&q->released);
	pthread_mutex_destroy(&q->lock);
	block_opened_close(&q->file);
	free(q);
}

void qcow2_close(struct qcow2 *q)
{
	struct qcow2 *backing;

	/* The last chance: what cannot be written now is as after a kill. */
	if (q && q->l2.slot)
		(void)qcow2_flush(q);
	for (; q; q = backing) {
		backing = q->backing;
		close_one(q);
	}
}

/* ---- backing files ------------------------------------------------------ */

/*
 * Where the backing file is: beside the image, unless its name begins with '/'.
 * Names as "nbd:..." and "json:..." are no files.
 */
static int place_backing(const char *image, const char *name,
			 char path[PATH_LEN], char *why)
{
	size_t scheme = strcspn(name, ":/");
	const char *slash;
	int dir = 0, n;

	if (!strncmp(name, "file:", 5))
		name += 5;
	else if (name[scheme] == ':')
		return qcow2_refuse(why, -EOPNOTSUPP,
				    "its backing file is '%.200s', which is not "
				    "a file; 'qemu-img rebase -u' names another",
				    name);
	if (name[0] != '/') {
		if (!image)
			return qcow2_refuse(why, -EINVAL,
					    "its backing file '%.200s' is "
					    "relative to where it is, and it was "
					    "given as a descriptor; give its "
					    "path",
					    name);
		slash = strrchr(image, '/');
		dir = slash ? (int)(slash - image) + 1 : 0;
	}
	n = snprintf(path, PATH_LEN, "%.*s%s", dir, image ?: "", name);
	return n < PATH_LEN ? 0 : qcow2_refuse(why, -ENAMETOOLONG,
					       "the path of its backing file is "
					       "too long");
}

static int refuse_open(char *why, const char *path, int r)
{
	const char *what = strerrordesc_np(-r) ?: "unknown error";

	if (r == -EBUSY)
		what = "is being written to by another program";
	else if (r == -EISDIR)
		what = "is a directory";
	else if (r == -ENOTBLK)
		what = "is neither a regular file nor a block device";
	return qcow2_refuse(why, r, "its backing file '%.250s': %s", path,
			    what);
}

/* Whether the backing file is one of qcow2: by what it is said to be, or by looks. */
static int choose_format(const struct block_opened *file, const char *path,
			 const char *format, bool *ret_qcow2, char *why)
{
	uint8_t front[BLOCK_OPEN_FRONT];
	const char *magic;
	int r = block_read_front(file, front);

	if (r < 0)
		return refuse_open(why, path, r);
	magic = block_magic(front);
	*ret_qcow2 = !strcmp(format, "qcow2");
	if (*ret_qcow2 && (!magic || strcmp(magic, BLOCK_MAGIC_QCOW2)))
		return qcow2_refuse(why, -EINVAL,
				    "its backing file '%.250s' is said to be a "
				    "qcow2 image and is none",
				    path);
	if (*ret_qcow2 || !strcmp(format, "raw"))
		return 0;
	if (format[0])
		return qcow2_refuse(why, -EOPNOTSUPP,
				    "its backing file '%.200s' has the format "
				    "'%.40s'; raw and qcow2 are known",
				    path, format);
	if (magic)
		return qcow2_refuse(why, -EINVAL,
				    "its backing file '%.150s' looks like %s, "
				    "but a guest may have written that: it does "
				    "not say which format it has; 'qemu-img "
				    "rebase -u -F %s -b BACKING IMAGE' does",
				    path, magic, magic);
	return 0;
}

/* Opens what is behind `q`. *ret_header: of that, NULL: it is raw. */
static int open_below(struct qcow2 *q, const uint8_t *header, char *path,
		      bool have_path, uint8_t **ret_header, char *why)
{
	char name[1024], format[64], place[PATH_LEN], inner[QCOW2_WHY_MAX];
	struct block_open_config config = { .read_only = true };
	struct block_opened file;
	bool qcow2 = false;
	int r;

	*ret_header = NULL;
	r = qcow2_backing_name(q, header, name, format, why);
	if (r < 0 || !name[0])
		return r;
	r = place_backing(have_path ? path : NULL, name, place, why);
	if (r < 0)
		return r;
	config.path = place;
	r = block_open(&config, &file);
	if (r < 0)
		return refuse_open(why, place, r);
	r = choose_format(&file, place, format, &qcow2, why);
	if (r < 0) {
		block_opened_close(&file);
		return r;
	}
	if (!qcow2) {
		r = qcow2_open_raw(&file, &q->backing);
		return r < 0 ? qcow2_refuse(why, r, "out of memory") : 0;
	}
	q->backing = qcow2_new(&file);
	if (!q->backing)
		return qcow2_refuse(why, -ENOMEM, "out of memory");
	q->backing->notice = q->notice;
	q->backing->name = strdup(place);
	r = qcow2_read_header(q->backing, ret_header, inner);
	if (r < 0)
		return qcow2_refuse(why, r, "its backing file '%.150s': %.300s",
				    place, inner);
	memcpy(path, place, sizeof(place));
	return 0;
}

static int open_chain(struct qcow2 *top, uint8_t *header,
		      const char *image_path, char *why)
{
	uint64_t tables = (uint64_t)top->l1.entries * 8;
	bool have_path = image_path;
	struct qcow2 *q = top;
	char path[PATH_LEN] = "";
	uint8_t *next;
	unsigned depth;
	int r = 0;

	if (have_path && (size_t)snprintf(path, sizeof(path), "%s",
					  image_path) >= sizeof(path))
		r = qcow2_refuse(why, -ENAMETOOLONG, "its path is too long");
	for (depth = 0; r == 0 && header; depth++) {
		next = NULL;
		r = open_below(q, header, path, have_path, &next, why);
		free(header);
		header = next;
		have_path = true;
		q = q->backing;
		if (r < 0 || !header)
			break;
		tables += (uint64_t)q->l1.entries * 8;
		if (depth == CHAIN_MAX)
			r = qcow2_refuse(why, -ELOOP,
					 "its backing files are more than %d, or "
					 "a circle",
					 CHAIN_MAX);
		else if (tables > CHAIN_TABLES_MAX)
			r = qcow2_refuse(why, -EFBIG,
					 "the L1 tables of its backing files are "
					 "larger than 128 MiB in all");
	}
	free(header);
	return r;
}

/* ---- opening ------------------------------------------------------------ */

int qcow2_open(const struct qcow2_config *config, struct qcow2 **ret_q,
	       char *why)
{
	struct qcow2 *q = qcow2_new(config->file);
	uint8_t *header = NULL;
	int r;

	if (!q)
		return qcow2_refuse(why, -ENOMEM, "out of memory");
	q->notice = config->notice;
	r = qcow2_read_header(q, &header, why);
	if (r == 0)
		r = open_chain(q, header, config->path, why);
	if (r < 0) {
		qcow2_close(q);
		return r;
	}
	*ret_q = q;
	return 0;
}

int qcow2_open_raw(struct block_opened *file, struct qcow2 **ret_q)
{
	struct qcow2 *q = qcow2_new(file);

	if (!q)
		return -ENOMEM;
	q->raw = true;
	q->size = q->file.size;
	*ret_q = q;
	return 0;
}

int qcow2_open_overlay(struct block_opened *file, struct qcow2 *backing,
		       struct qcow2 **ret_q, char *why)
{
	struct qcow2 *q = qcow2_new(file);
	uint8_t *header = NULL;
	int r;

	if (!q) {
		qcow2_close(backing);
		return qcow2_refuse(why, -ENOMEM, "out of memory");
	}
	q->backing = backing;
	q->temporary = true;
	q->notice = backing->notice;
	r = qcow2_create(&q->file, backing->size);
	if (r < 0)
		r = qcow2_refuse(why, r, "%s",
				 strerrordesc_np(-r) ?: "unknown error");
	else
		r = qcow2_read_header(q, &header, why);
	free(header);
	if (r < 0) {
		qcow2_close(q);
		return r;
	}
	*ret_q = q;
	return 0;
}

uint64_t qcow2_size(const struct qcow2 *q)
{
	return q->size;
}

uint32_t qcow2_cluster_size(const struct qcow2 *q)
{
	return q->cluster_size;
}

uint32_t qcow2_align(const struct qcow2 *q)
{
	return q->file.align;
}

bool qcow2_read_only(const struct qcow2 *q)
{
	return q->file.read_only;
}
