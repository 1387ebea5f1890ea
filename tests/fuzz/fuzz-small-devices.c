// SPDX-License-Identifier: MIT
/*
 * The devices of a few ports each, on one bus: POST codes, debug console,
 * pvpanic, fw_cfg, PCI configuration, the test device. Four bytes a step: what to
 * do and with what size, which port, and a value. Checks what holds in any state.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "core/bus.h"
#include "core/device.h"
#include "core/gmem.h"
#include "debugcon.h"
#include "fake_chardev.h"
#include "fake_loop.h"
#include "fw_cfg.h"
#include "pc_testdev.h"
#include "pci_config.h"
#include "post_code.h"
#include "pvpanic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { POST, DEBUGCON, PVPANIC, FW_CFG, PCI, TESTDEV, DEVICES };

static const struct {
	unsigned dev;
	uint16_t base, len, off;
} ranges[] = {
	{ POST, 0x80, 1, 0 },
	{ TESTDEV, 0xe0, PC_TESTDEV_IOPORT_LEN, PC_TESTDEV_IOPORT },
	{ TESTDEV, 0xe4, PC_TESTDEV_FLUSH_LEN, PC_TESTDEV_FLUSH },
	{ TESTDEV, 0xe8, PC_TESTDEV_BYTE_LEN, PC_TESTDEV_BYTE },
	{ DEBUGCON, 0xe9, 1, 0 },
	{ DEBUGCON, 0x402, 1, 0 },
	{ PVPANIC, 0x505, 1, 0 },
	{ FW_CFG, 0x510, FW_CFG_LEN, 0 },
	{ PCI, 0xcf8, PCI_CONFIG_LEN, 0 },
	{ TESTDEV, 0x2000, PC_TESTDEV_IRQ_LEN, PC_TESTDEV_IRQ },
};

struct board {
	struct device *dev[DEVICES];
	struct bus pio, mmio;
	struct fake_loop loop;
	struct fake_chardev chr;
	struct gmem ram;
	uint8_t *page;
	bool level[PC_TESTDEV_LINES];
	unsigned ends;
};

static void request(void *opaque, enum end_request kind, uint32_t value,
		    const char *who)
{
	if ((kind != END_PANIC && kind != END_CRASHLOADED) || !who)
		abort();
	((struct board *)opaque)->ends++;
}

static void set_line(void *opaque, bool level)
{
	*(bool *)opaque = level;
}

static int make(struct board *b)
{
	const struct end_sink sink = { request, b };
	const struct fw_cfg_config fw = { .ram = NULL };
	struct pc_testdev_config test = { .ram = &b->ram };
	unsigned i;

	fake_loop_init(&b->loop, 0);
	fake_chardev_init(&b->chr);
	for (i = 0; i < PC_TESTDEV_LINES; i++)
		test.line[i] = (struct irq_line){ .set = set_line,
						  .opaque = &b->level[i] };
	/* Two pages of RAM that the test device may flush. */
	b->page = aligned_alloc(4096, 8192);
	if (!b->page || gmem_add(&b->ram, 0x1000, 8192, b->page) < 0)
		return -1;
	if (post_code_new(&b->loop.loop, &b->dev[POST]) < 0 ||
	    debugcon_new(&b->chr.chr, &b->dev[DEBUGCON]) < 0 ||
	    pvpanic_new(&sink, &b->dev[PVPANIC]) < 0 ||
	    fw_cfg_new(&fw, &b->dev[FW_CFG]) < 0 ||
	    pci_config_new(&b->dev[PCI]) < 0 ||
	    pc_testdev_new(&test, &b->dev[TESTDEV]) < 0)
		return -1;
	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		if (bus_add(&b->pio, ranges[i].base, ranges[i].len,
			    b->dev[ranges[i].dev], ranges[i].off) < 0)
			return -1;
	return bus_add(&b->mmio, 0xff000000, PC_TESTDEV_IOMEM_LEN,
		       b->dev[TESTDEV], PC_TESTDEV_IOMEM);
}

static void check(struct board *b)
{
	struct post_code_entry e[POST_CODE_HISTORY];
	size_t n = post_code_history(b->dev[POST], e, POST_CODE_HISTORY), i;
	uint64_t val;

	for (i = 0; i < n; i++)
		if (e[i].count == 0 || (i > 0 && (e[i].ns < e[i - 1].ns ||
						  e[i].code == e[i - 1].code)))
			abort();
	if (post_code_last(b->dev[POST]) != (n ? e[n - 1].code : -1))
		abort();
	bus_read(&b->pio, 0x505, 1, &val);
	if (val != 3)
		abort();
	bus_read(&b->pio, 0xcf8, 4, &val);
	if (val != 0xffffffff)
		abort();
	bus_read(&b->pio, 0xcfc, 4, &val);
	if (val != 0xffffffff)
		abort();
}

static void step(struct board *b, const uint8_t *op)
{
	unsigned size = 1u << (op[0] >> 4) % 3;
	unsigned r = op[1] % ARRAY_SIZE(ranges);
	uint16_t port = (uint16_t)(ranges[r].base + (op[1] >> 4) % ranges[r].len);
	uint64_t val = get_le16(op + 2) * UINT64_C(0x10001) & size_mask(size);
	uint64_t back, at = 0xff000000 + (uint64_t)op[1] * 257;
	unsigned ends = b->ends;

	switch (op[0] & 7) {
	case 0:
	case 1:
		bus_write(&b->pio, port, size, val);
		if (b->ends != ends + (port == 0x505 && size == 1 && val & 3))
			abort();
		if (port >= 0x2000 && size == 1 && b->level[port & 31] != !!val)
			abort();
		break;
	case 2: bus_read(&b->pio, port, size, &back); break;
	case 3:
		size = 1u << (op[0] >> 4) % 4;
		val &= size_mask(size);
		if (bus_write(&b->mmio, at, size, val) &&
		    (!bus_read(&b->mmio, at, size, &back) || back != val))
			abort();
		break;
	case 4: bus_write(&b->pio, 0xe4, 4, val); break;
	case 5: bus_write(&b->pio, 0x510, 2, op[2]); break;
	case 6: fake_loop_advance(&b->loop, (int64_t)val); break;
	case 7: device_reset(b->dev[op[1] % DEVICES]); break;
	}
	check(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct board b = { 0 };
	unsigned i;

	bus_init(&b.pio, 0xffff);
	bus_init(&b.mmio, UINT64_MAX - 1);
	if (make(&b) == 0)
		for (; len >= 4; data += 4, len -= 4)
			step(&b, data);
	bus_done(&b.pio);
	bus_done(&b.mmio);
	for (i = 0; i < DEVICES; i++)
		device_free(b.dev[i]);
	free(b.page);
	return 0;
}
