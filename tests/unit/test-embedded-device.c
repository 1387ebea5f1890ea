// SPDX-License-Identifier: MIT
/* Devices of the embedder's on the board: the contract, and who was there. */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "core/base.h"
#include "core/gmem.h"
#include "fake_end.h"
#include "fake_loop.h"
#include "machine.h"

static struct machine m;
static struct machine_config config;
static struct fake_loop fl;
static struct fake_end end;
static struct error err;
static const int no_vm = -1;

static int setup(void **state)
{
	config = (struct machine_config){
		.platform = platform_pc(MIB(16), 1, TRAPMAP_TRANSPORT_MMIO),
		.debugcon_fd = -1
	};
	memset(&end, 0, sizeof(end));
	memset(&err, 0, sizeof(err));
	fake_loop_init(&fl, 0);
	return 0;
}

static int teardown(void **state)
{
	machine_done(&m);
	return 0;
}

static int build(void)
{
	const struct machine_host host = {
		.end = { .request = fake_end_request, .opaque = &end },
	};

	return machine_init(&m, &config, &host, &fl.loop, &no_vm, &err);
}

static void assert_builds(void)
{
	if (build() < 0)
		fail_msg("%s", err.text);
}

static uint64_t in(uint16_t port, unsigned size)
{
	uint64_t val;

	assert_true(bus_read(&m.pio, port, size, &val));
	return val;
}

struct own {
	uint64_t off, val;
	unsigned size, reads, writes, resets;
};

static uint64_t own_read(void *opaque, uint64_t off, unsigned size)
{
	struct own *own = opaque;

	own->off = off;
	own->size = size;
	own->reads++;
	return 0x1122334455667788;
}

static void own_write(void *opaque, uint64_t off, unsigned size, uint64_t val)
{
	struct own *own = opaque;

	own->off = off;
	own->size = size;
	own->val = val;
	own->writes++;
}

static void own_reset(void *opaque)
{
	((struct own *)opaque)->resets++;
}

static struct trapmap_device own_device(struct own *own)
{
	return (struct trapmap_device){
		.size = sizeof(struct trapmap_device),
		.name = "own",
		.space = TRAPMAP_SPACE_PIO,
		.base = 0x700,
		.len = 8,
		.read = own_read,
		.write = own_write,
		.reset = own_reset,
		.opaque = own,
	};
}

static void a_device_of_the_embedders_answers_by_the_contract(void **state)
{
	struct own own = { 0 };
	struct trapmap_device desc[2] = { own_device(&own), own_device(&own) };
	uint64_t val;

	desc[0].sizes = TRAPMAP_ACCESS_1 | TRAPMAP_ACCESS_2;
	desc[1].space = TRAPMAP_SPACE_MMIO;
	desc[1].base = 0xc8000000;
	config.extra = desc;
	config.extra_count = 2;
	assert_builds();

	assert_int_equal(in(0x702, 1), 0x88);
	assert_int_equal(own.off, 2);
	assert_int_equal(own.size, 1);
	/* Four bytes at a device of two come as two and two. */
	own.reads = 0;
	assert_int_equal(in(0x704, 4), 0x77887788);
	assert_int_equal(own.reads, 2);
	assert_int_equal(own.off, 6);
	/* No sizes given are all sizes; the other space is another place. */
	assert_true(bus_write(&m.mmio, 0xc8000000, 8, 0x123456789abcdef0));
	assert_int_equal(own.val, 0x123456789abcdef0);
	assert_int_equal(own.size, 8);
	assert_false(bus_read(&m.mmio, 0x700, 1, &val));
	assert_false(bus_read(&m.pio, 0x708, 1, &val));
}

static void assert_clashes(enum trapmap_space space, uint64_t base,
			   uint64_t len, const char *with)
{
	struct own own = { 0 };
	struct trapmap_device desc = own_device(&own);

	desc.space = space;
	desc.base = base;
	desc.len = len;
	config.extra = &desc;
	config.extra_count = 1;
	if (build() != -EEXIST)
		fail_msg("%#llx is accepted", (unsigned long long)base);
	assert_int_equal(err.status, ERROR_INPUT);
	if (!strstr(err.text, "'own'") || !strstr(err.text, with))
		fail_msg("\"%s\" does not name '%s'", err.text, with);
	machine_done(&m);
}

static void a_device_in_anothers_place_is_refused_by_name(void **state)
{
	static const uint16_t taken[] = {
		0x60,  0x64,  0x70,  0x71,  0x80,  0xe9,  0xf4,
		0xf7,  0x3f8, 0x3ff, 0x402, 0x505, 0x510, 0x511,
		0x560, 0x563, 0x600, 0x60f, 0xcf8, 0xcff,
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(taken); i++)
		assert_clashes(TRAPMAP_SPACE_PIO, taken[i], 1, "clashes with");
	/* Around it, not at its ends. */
	assert_clashes(TRAPMAP_SPACE_PIO, 0x3f0, 0x20, "clashes with");

	config.test_device = true;
	assert_clashes(TRAPMAP_SPACE_PIO, 0xe4, 1, "clashes with pc-testdev");
	assert_clashes(TRAPMAP_SPACE_PIO, 0x2017, 1, "clashes with pc-testdev");
	assert_clashes(TRAPMAP_SPACE_MMIO, 0xff00ffff, 1,
		       "clashes with pc-testdev");
}

/* It would never be asked: KVM answers before us. */
static void a_device_in_the_place_of_one_in_kvm_is_refused(void **state)
{
	assert_clashes(TRAPMAP_SPACE_PIO, 0x20, 1, "KVM's interrupt controller");
	assert_clashes(TRAPMAP_SPACE_PIO, 0x21, 1, "KVM's interrupt controller");
	assert_clashes(TRAPMAP_SPACE_PIO, 0xa0, 2, "KVM's interrupt controller");
	assert_clashes(TRAPMAP_SPACE_PIO, 0x4d1, 1, "KVM's interrupt controller"); /* ELCR */
	assert_clashes(TRAPMAP_SPACE_PIO, 0x43, 1, "KVM's timer");
	assert_clashes(TRAPMAP_SPACE_PIO, 0x61, 1, "KVM's timer");
	assert_clashes(TRAPMAP_SPACE_MMIO, 0xfec00010, 4, "KVM's IOAPIC");
	assert_clashes(TRAPMAP_SPACE_MMIO, 0xfee00ff0, 4096, "KVM's local APIC");
	assert_clashes(TRAPMAP_SPACE_MMIO, 0xfeffc000, 1, "kvm-intel");
}

static void a_device_in_the_place_of_memory_is_refused(void **state)
{
	struct gmem ram = { .count = 0 };
	struct own own = { 0 };
	struct trapmap_device desc = own_device(&own);
	uint8_t byte;

	assert_int_equal(gmem_add(&ram, 0, 0xa0000, &byte), 0);
	assert_int_equal(gmem_add(&ram, 0xc0000, 0xf40000, &byte), 0);
	config.ram = &ram;
	assert_clashes(TRAPMAP_SPACE_MMIO, 0, 1, "guest memory");
	assert_clashes(TRAPMAP_SPACE_MMIO, 0xffffff, 2, "guest memory");
	assert_clashes(TRAPMAP_SPACE_MMIO, 0xa0000, 0x20001, "guest memory");

	/* Right between, and right behind; ports are none of it. */
	config.extra = &desc;
	config.extra_count = 1;
	desc.space = TRAPMAP_SPACE_MMIO;
	desc.base = 0xa0000;
	desc.len = 0x20000;
	assert_builds();
	machine_done(&m);
	desc.base = 0x1000000;
	assert_builds();
	machine_done(&m);
	desc = own_device(&own);
	assert_builds();
}

static void a_reset_reaches_it_if_it_wants_to_know(void **state)
{
	struct own own = { 0 };
	struct trapmap_device desc[2] = { own_device(&own), own_device(&own) };

	desc[1].base = 0x708;
	desc[1].reset = NULL;
	config.extra = desc;
	config.extra_count = 2;
	assert_builds();
	assert_int_equal(own.resets, 0);
	machine_reset(&m);
	assert_int_equal(own.resets, 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_device_of_the_embedders_answers_by_the_contract),
		T(a_device_in_anothers_place_is_refused_by_name),
		T(a_device_in_the_place_of_one_in_kvm_is_refused),
		T(a_device_in_the_place_of_memory_is_refused),
		T(a_reset_reaches_it_if_it_wants_to_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
