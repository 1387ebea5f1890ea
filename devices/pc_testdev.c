// SPDX-License-Identifier: MIT
/*
 * QEMU's pc-testdev, which the x86 guests of kvm-unit-tests are written for.
 *
 * Source: QEMU's hw/misc/pc-testdev.c. Ioport and byte port are two ways to one
 * register of 32 bits. The flush port takes the address of a page below 4 GiB, in
 * a write of four bytes.
 *
 * Otherwise than in QEMU: the byte port is one port wide, not four, since the
 * one after it is the debug console's; there are lines for all 24 inputs of the
 * IOAPIC, not for 16; a reset clears all.
 *
 * Not modelled: two devices on one line: the level is what the last one said.
 */
#include "pc_testdev.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/base.h"
#include "core/device.h"
#include "core/gmem.h"

#define PAGE 4096

struct pc_testdev {
	struct device dev;
	struct pc_testdev_config cfg;
	struct {
		uint8_t ioport[PC_TESTDEV_IOPORT_LEN];
		uint8_t iomem[PC_TESTDEV_IOMEM_LEN];
	} state;
};

static struct pc_testdev *to_testdev(struct device *dev)
{
	return container_of(dev, struct pc_testdev, dev);
}

/* The bytes behind an access, or NULL for the parts that are actions. */
static uint8_t *cell(struct pc_testdev *test, uint64_t off, unsigned size)
{
	if (off + size <= PC_TESTDEV_IOPORT_LEN)
		return test->state.ioport + off;
	if (off == PC_TESTDEV_BYTE && size == 1)
		return test->state.ioport;
	if (off >= PC_TESTDEV_IOMEM &&
	    off - PC_TESTDEV_IOMEM <= PC_TESTDEV_IOMEM_LEN - size)
		return test->state.iomem + (off - PC_TESTDEV_IOMEM);
	return NULL;
}

/*
 * A change of the page's protection makes the host's kernel tell KVM, which
 * drops its translations. The page stays readable and writable all the time:
 * another vCPU or thread may be using it. Where the host refuses memory that is
 * executable the translations stay, which a guest notices by nothing but speed.
 */
static void flush_page(const struct pc_testdev *test, gpa_t gpa)
{
	void *page = NULL;

	if (test->cfg.ram)
		page = gmem_ptr(test->cfg.ram, align_down(gpa, PAGE), PAGE);
	if (!page || align_down((uintptr_t)page, PAGE) != (uintptr_t)page)
		return;
	(void)mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	(void)mprotect(page, PAGE, PROT_READ | PROT_WRITE);
}

static uint64_t testdev_read(struct device *dev, uint64_t off, unsigned size)
{
	const uint8_t *bytes = cell(to_testdev(dev), off, size);
	uint8_t val[8] = { 0 };

	if (!bytes)
		return UINT64_MAX;
	memcpy(val, bytes, size);
	return get_le64(val);
}

static void testdev_write(struct device *dev, uint64_t off, unsigned size,
			  uint64_t val)
{
	struct pc_testdev *test = to_testdev(dev);
	uint8_t *bytes = cell(test, off, size);
	uint8_t le[8];

	if (bytes) {
		put_le64(le, val);
		memcpy(bytes, le, size);
	} else if (off == PC_TESTDEV_FLUSH && size == 4) {
		flush_page(test, val);
	} else if (off >= PC_TESTDEV_IRQ && size == 1 &&
		   off < PC_TESTDEV_IRQ + PC_TESTDEV_IRQ_LEN) {
		irq_set(&test->cfg.line[off - PC_TESTDEV_IRQ], val != 0);
	}
}

static void testdev_reset(struct device *dev)
{
	struct pc_testdev *test = to_testdev(dev);
	unsigned i;

	memset(&test->state, 0, sizeof(test->state));
	for (i = 0; i < PC_TESTDEV_LINES; i++)
		irq_set(&test->cfg.line[i], false);
}

static void testdev_free(struct device *dev)
{
	struct pc_testdev *test = to_testdev(dev);

	device_done(dev);
	free(test);
}

static const struct device_ops testdev_ops = {
	.name = "pc-testdev",
	.sizes = 1 | 2 | 4 | 8,
	.read = testdev_read,
	.write = testdev_write,
	.reset = testdev_reset,
	.free = testdev_free,
};

int pc_testdev_new(const struct pc_testdev_config *config,
		   struct device **ret_dev)
{
	struct pc_testdev *test = calloc(1, sizeof(*test));

	if (!test)
		return -ENOMEM;
	device_init(&test->dev, &testdev_ops);
	test->cfg = *config;
	*ret_dev = &test->dev;
	return 0;
}
