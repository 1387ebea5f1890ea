// SPDX-License-Identifier: MIT
#include "notice.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "core/base.h"
#include "vm.h"

/* At most so many at once, and one more in each such time. */
#define BURST 10
#define INTERVAL (2 * NSEC_PER_SEC)

#define TEXT_MAX 512

static int64_t coarse_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

/*
 * A leaky bucket: each notice takes INTERVAL of the time to come. Called with the
 * lock held.
 */
static bool may_say(struct notices *n)
{
	int64_t now = coarse_now();

	if (n->full < now)
		n->full = now;
	if (n->full - now > (BURST - 1) * INTERVAL) {
		n->withheld++;
		return false;
	}
	n->full += INTERVAL;
	return true;
}

static void say(void *opaque, const char *text)
{
	const struct notice_source *source = opaque;
	struct notices *n = source->to;
	char line[TEXT_MAX];
	uint64_t withheld;

	if (!n->tell)
		return;
	pthread_mutex_lock(&n->lock);
	if (may_say(n)) {
		withheld = n->withheld;
		n->withheld = 0;
		if (withheld)
			snprintf(line, sizeof(line),
				 "%s: %s (and %llu more like it before)",
				 source->name, text,
				 (unsigned long long)withheld);
		else
			snprintf(line, sizeof(line), "%s: %s", source->name,
				 text);
		n->tell(n->opaque, line);
	}
	pthread_mutex_unlock(&n->lock);
}

void notices_init(struct notices *notices)
{
	*notices = (struct notices){ 0 };
	pthread_mutex_init(&notices->lock, NULL);
}

void notices_done(struct notices *notices)
{
	pthread_mutex_destroy(&notices->lock);
}

struct notice notice_from(struct notice_source *source, struct notices *to,
			  const char *name)
{
	*source = (struct notice_source){ .to = to, .name = name };
	return (struct notice){ .say = say, .opaque = source };
}

int trapmap_vm_set_notice(struct trapmap_vm *vm,
			  void (*notice)(void *opaque, const char *text),
			  void *opaque)
{
	int r = vm_configurable(vm);

	if (r < 0)
		return r;
	vm->notices.tell = notice;
	vm->notices.opaque = opaque;
	return 0;
}
