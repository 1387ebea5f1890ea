// SPDX-License-Identifier: MIT
/*
 * Queues that the host's kernel works on, with a kernel that writes down what it is
 * asked: linux/vhost.h, and the order that drivers/vhost/ wants.
 */
#include "virtio_net_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h> /* after ours, some names of which it has too */
#include <sys/eventfd.h>
#include <unistd.h>

#include "backend/vhost.h"

#define CALLS_MAX 64

static struct kernel {
	struct {
		unsigned long request;
		unsigned index, num;
		int fd;
		struct vhost_vring_addr addr;
	} call[CALLS_MAX];
	unsigned calls;
	uint64_t knows, features;
	unsigned regions, padding;
	struct vhost_memory_region region[8];
	unsigned long refuses;
	int backend[2];
} k;

static int fake_ioctl(void *opaque, int fd, unsigned long request, void *arg)
{
	const struct vhost_vring_file *file = arg;
	const struct vhost_vring_state *state = arg;
	const struct vhost_memory *memory = arg;

	assert_true(fd >= 0 && fcntl(fd, F_GETFD) >= 0);
	assert_true(k.calls < CALLS_MAX);
	k.call[k.calls].request = request;
	switch (request) {
	case VHOST_SET_OWNER: break;
	case VHOST_GET_FEATURES: *(uint64_t *)arg = k.knows; break;
	case VHOST_SET_FEATURES: k.features = *(const uint64_t *)arg; break;
	case VHOST_SET_MEM_TABLE:
		k.regions = memory->nregions;
		k.padding = memory->padding;
		assert_true(memory->nregions <= 8);
		memcpy(k.region, memory->regions,
		       memory->nregions * sizeof(k.region[0]));
		break;
	case VHOST_SET_VRING_NUM:
	case VHOST_SET_VRING_BASE:
		k.call[k.calls].index = state->index;
		k.call[k.calls].num = state->num;
		break;
	case VHOST_SET_VRING_ADDR:
		k.call[k.calls].addr = *(const struct vhost_vring_addr *)arg;
		k.call[k.calls].index = k.call[k.calls].addr.index;
		break;
	case VHOST_SET_VRING_KICK:
	case VHOST_SET_VRING_CALL:
		k.call[k.calls].index = file->index;
		k.call[k.calls].fd = file->fd;
		break;
	case VHOST_NET_SET_BACKEND:
		k.call[k.calls].index = file->index;
		k.call[k.calls].fd = file->fd;
		if (request != k.refuses || file->fd < 0)
			k.backend[file->index] = file->fd;
		break;
	default: fail();
	}
	k.calls++;
	return request == k.refuses ? -EFAULT : 0;
}

static const struct vhost_sys sys = { .ioctl = fake_ioctl };

static struct vhost *make(void)
{
	struct vhost *vhost = NULL;

	assert_int_equal(vhost_new("/dev/null", -1, &sys, &vhost), 0);
	return vhost;
}

static int setup(void **state)
{
	memset(&k, 0, sizeof(k));
	k.knows = F(15) | F(28) | F(29) | F(32);
	k.backend[0] = k.backend[1] = -1;
	return 0;
}

static void it_is_opened_owned_and_asked(void **state)
{
	struct vhost *vhost = make();

	assert_int_equal(k.calls, 2);
	assert_int_equal(k.call[0].request, VHOST_SET_OWNER);
	assert_int_equal(k.call[1].request, VHOST_GET_FEATURES);
	assert_true(vhost_features(vhost) == k.knows);
	vhost_free(vhost);
	vhost_free(NULL);

	assert_int_equal(vhost_new("/nowhere/vhost-net", -1, &sys, &vhost),
			 -ENOENT);
	assert_int_equal(vhost_new(NULL, -1, &sys, &vhost), -EBADF);
	k.refuses = VHOST_SET_OWNER;
	assert_int_equal(vhost_new("/dev/null", -1, &sys, &vhost), -EFAULT);
	/* The kernel itself, of something else. */
	assert_int_equal(vhost_new("/dev/null", -1, NULL, &vhost), -ENOTTY);
}

static void memory_and_rings_are_host_addresses(void **state)
{
	static uint8_t low[4096], high[8192];
	struct gmem ram = { .count = 0 };
	const struct vhost_ring ring = {
		.size = 128,
		.desc = low,
		.driver = low + 2048,
		.device = high,
		.kick = eventfd(0, EFD_NONBLOCK),
		.call = 42,
	};
	static const unsigned long order[] = {
		VHOST_SET_FEATURES,   VHOST_SET_MEM_TABLE,
		VHOST_SET_VRING_NUM,  VHOST_SET_VRING_BASE,
		VHOST_SET_VRING_ADDR, VHOST_SET_VRING_CALL,
		VHOST_SET_VRING_KICK, VHOST_NET_SET_BACKEND,
	};
	struct vhost *vhost = make();
	uint64_t count;
	unsigned i;

	gmem_add(&ram, 0x1000, sizeof(low), low);
	gmem_add(&ram, 0x100000000, sizeof(high), high);
	k.calls = 0;
	assert_int_equal(vhost_start(vhost, F(32) | F(15), &ram), 0);
	assert_int_equal(vhost_set_ring(vhost, 1, &ring), 0);
	assert_int_equal(vhost_net_set_backend(vhost, 1, 7), 0);
	assert_int_equal(k.calls, ARRAY_SIZE(order));
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		assert_int_equal(k.call[i].request, order[i]);
		assert_int_equal(k.call[i].index, i >= 2);
	}
	assert_true(k.features == (F(32) | F(15)));
	assert_int_equal(k.regions, 2);
	assert_int_equal(k.padding, 0);
	assert_int_equal(k.region[0].guest_phys_addr, 0x1000);
	assert_int_equal(k.region[0].memory_size, sizeof(low));
	assert_int_equal(k.region[0].userspace_addr, (uintptr_t)low);
	assert_int_equal(k.region[1].guest_phys_addr, 0x100000000);
	assert_int_equal(k.region[1].userspace_addr, (uintptr_t)high);
	assert_int_equal(k.call[2].num, 128);
	assert_int_equal(k.call[3].num, 0);
	assert_int_equal(k.call[4].addr.desc_user_addr, (uintptr_t)ring.desc);
	assert_int_equal(k.call[4].addr.avail_user_addr, (uintptr_t)ring.driver);
	assert_int_equal(k.call[4].addr.used_user_addr, (uintptr_t)ring.device);
	assert_int_equal(k.call[5].fd, 42);
	assert_int_equal(k.call[6].fd, ring.kick);
	assert_int_equal(k.backend[1], 7);
	vhost_kick(vhost, 1);
	assert_int_equal(read(ring.kick, &count, 8), 8);
	k.refuses = VHOST_SET_VRING_ADDR;
	assert_int_equal(vhost_set_ring(vhost, 0, &ring), -EFAULT);
	assert_int_equal(vhost_set_ring(vhost, 99, &ring), -EINVAL);
	close(ring.kick);
	vhost_free(vhost);
}

/* ---- a network device over it -------------------------------------------- */

static struct rig *rig;
static int lent[RIG_QUEUES_MAX], kicks[RIG_QUEUES_MAX];
static bool lends;

static int on_lend(void *opaque, unsigned queue, int *ret_kick, int *ret_call)
{
	if (!lends)
		return -EOPNOTSUPP;
	assert_false(lent[queue]);
	lent[queue] = 1;
	*ret_kick = kicks[queue];
	*ret_call = 500 + (int)queue;
	return 0;
}

static void on_take_back(void *opaque, unsigned queue)
{
	lent[queue] = 0;
}

static const struct virtio_transport_ops transport = {
	.interrupt = rig_interrupt,
	.config_changed = rig_config_changed,
	.again = rig_again,
	.lend = on_lend,
	.take_back = on_take_back,
};

static void device_new(unsigned pairs)
{
	struct virtio_net_config config = { .queues = pairs };
	unsigned i;

	rig = rig_prepare();
	config.ram = &rig->ram;
	config.net = &rig->fn.net;
	rig->pairs = pairs;
	for (i = 0; i < pairs; i++)
		config.vhost[i] = make();
	for (i = 0; i < 2 * pairs; i++)
		kicks[i] = eventfd(0, EFD_NONBLOCK);
	lends = true;
	memset(lent, 0, sizeof(lent));
	device_init(&rig->dev, NULL);
	assert_int_equal(virtio_net_new(&config, &rig->vd), 0);
	rig->vd->notice = (struct notice){ rig_notice, rig };
	virtio_attach(rig->vd, &rig->dev, &transport, rig);
	k.calls = 0;
}

static void device_done_with(void)
{
	unsigned i;

	for (i = 0; i < 2 * rig->pairs; i++)
		close(kicks[i]);
	rig_done(rig);
}

static void only_what_vhost_knows_is_offered(void **state)
{
	device_new(1);
	assert_false(rig->vd->offered & F(34)); /* RING_PACKED */
	assert_true(rig->vd->offered & F(29));	/* EVENT_IDX */
	assert_true(rig->vd->offered & F(MRG_RXBUF));
	assert_true(rig->vd->offered & F(CTRL_VQ));
	/* It does not filter. */
	assert_false(rig->vd->offered &
		     (F(CTRL_RX) | F(RX_EXTRA) | F(CTRL_VLAN) | F(CTRL_MAC)));
	device_done_with();
	k.knows = F(32) | F(34);
	device_new(1);
	assert_true(rig->vd->offered & F(34));
	assert_false(rig->vd->offered & (F(28) | F(29) | F(MRG_RXBUF)));
	device_done_with();
}

static void queues_are_handed_over_and_taken_back(void **state)
{
	struct vdrv *rx, *tx;
	unsigned round;
	uint64_t count;

	device_new(1);
	for (round = 0; round < 2; round++) {
		k.calls = 0;
		rig_start(rig, 64, F_ALL, 0);
		rx = &rig->drv[0];
		tx = &rig->drv[1];
		assert_int_equal(k.calls, 2 + 2 * 5 + 2);
		assert_true(k.features == (F(15) | F(28) | F(32)));
		assert_int_equal(k.regions, 1);
		assert_int_equal(k.call[2].num, 64);
		assert_int_equal(k.call[4].addr.desc_user_addr,
				 (uintptr_t)at(rig, rx->desc));
		assert_int_equal(k.call[9].addr.used_user_addr,
				 (uintptr_t)at(rig, tx->device));
		assert_int_equal(k.call[5].fd, 500);
		assert_int_equal(k.call[11].fd, kicks[1]);
		assert_int_equal(k.backend[0], 1000);
		assert_int_equal(k.backend[1], 1000);
		assert_true(lent[0] && lent[1] && !lent[2]);
		/* What was there before is looked at. */
		assert_int_equal(read(kicks[0], &count, 8), 8);
		assert_int_equal(read(kicks[1], &count, 8), 8);
		/* We keep our hands off. */
		offer(rig, 0, RX_AT(0), 1526);
		notify(rig, 0);
		assert_int_equal(rig->fn.receives, 0);
		assert_false(rig->fn.pair[0].listening);
		rig_reset(rig);
		assert_int_equal(k.backend[0], -1);
		assert_int_equal(k.backend[1], -1);
		assert_false(lent[0] || lent[1]);
	}
	device_done_with();
}

static void each_pair_has_its_own(void **state)
{
	device_new(2);
	rig_start(rig, 16, F_ALL, 0);
	assert_int_equal(k.calls, 2 * 14);
	assert_int_equal(k.backend[0], 1001);
	assert_true(lent[0] && lent[1] && lent[2] && lent[3] && !lent[4]);
	assert_int_equal(command(rig, 4, 0, "\2\0", 2), 0);
	assert_int_equal(rig->fn.pairs, 2);
	rig_reset(rig);
	/* Without MQ the third queue is the control queue. */
	k.calls = 0;
	rig_start(rig, 16, F_ALL & ~F(MQ), 0);
	assert_int_equal(k.calls, 14);
	assert_true(lent[0] && lent[1] && !lent[2] && !lent[3]);
	device_done_with();
}

static void what_cannot_be_handed_over_is_done_here(void **state)
{
	unsigned how;

	for (how = 0; how < 3; how++) {
		setup(NULL);
		device_new(1);
		lends = how > 0;
		k.refuses = how == 1   ? VHOST_NET_SET_BACKEND
			    : how == 2 ? VHOST_SET_MEM_TABLE
				       : 0;
		rig_start(rig, 16, F_ALL, 0);
		assert_int_equal(rig->notices, 1);
		assert_false(lent[0] || lent[1]);
		assert_int_equal(k.backend[0], -1);
		offer(rig, 0, RX_AT(0), 1526);
		notify(rig, 0);
		fake_net_put(&rig->fn, 0, 3, 60);
		settle(rig);
		assert_false(nothing_used(rig, 0));
		assert_frame(rig, RX_AT(0) + 12, 3, 60);
		device_done_with();
	}
}

#define T(fn) cmocka_unit_test_setup(fn, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_is_opened_owned_and_asked),
		T(memory_and_rings_are_host_addresses),
		T(only_what_vhost_knows_is_offered),
		T(queues_are_handed_over_and_taken_back),
		T(each_pair_has_its_own),
		T(what_cannot_be_handed_over_is_done_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
