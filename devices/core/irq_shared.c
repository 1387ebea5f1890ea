// SPDX-License-Identifier: MIT
#include "core/irq_shared.h"

static void set_one(void *opaque, bool level)
{
	struct irq_shared *shared = opaque;

	pthread_mutex_lock(&shared->lock);
	shared->high += level ? 1 : -1u;
	irq_set(&shared->out, shared->high > 0);
	pthread_mutex_unlock(&shared->lock);
}

void irq_shared_init(struct irq_shared *shared, struct irq_line out)
{
	*shared = (struct irq_shared){ .out = out };
	pthread_mutex_init(&shared->lock, NULL);
}

void irq_shared_done(struct irq_shared *shared)
{
	pthread_mutex_destroy(&shared->lock);
}

struct irq_line irq_shared_line(struct irq_shared *shared)
{
	return (struct irq_line){ .set = set_one, .opaque = shared };
}
