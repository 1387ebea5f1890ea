// SPDX-License-Identifier: MIT
/*
 * QEMU's firmware configuration device, the traditional interface: a guest
 * selects an item, then reads it byte by byte.
 *
 * Source: QEMU's docs/specs/fw_cfg; the keys and the formats of the items that
 * it does not describe: include/standard-headers/linux/qemu_fw_cfg.h and
 * hw/i386/fw_cfg.c there. An item that is not there and what lies beyond an
 * item's end reads as 0. The selector is write-only and reads as a port that
 * nobody answers.
 *
 * Not modelled: the DMA interface, which bit 1 of the ID item says; writes to
 * items, as in QEMU since 2.4; files (the directory is there, and empty); all
 * other items, those for ACPI tables, SMBIOS and a kernel included.
 */
#include "fw_cfg.h"

#include <errno.h>
#include <stdlib.h>

#include "core/base.h"
#include "core/device.h"

#define KEY_SIGNATURE 0x0000
#define KEY_ID 0x0001
#define KEY_RAM_SIZE 0x0003
#define KEY_NB_CPUS 0x0005
#define KEY_MAX_CPUS 0x000f
#define KEY_FILE_DIR 0x0019

/* A bit of the selector: the item shall be written. It is the same item. */
#define KEY_WRITE_CHANNEL 0x4000

#define ID_TRADITIONAL BIT(0)

#define OFF_SELECTOR 0
#define OFF_DATA 1
#define ITEM_MAX 8

struct fw_cfg {
	struct device dev;
	struct fw_cfg_config cfg;
	struct {
		uint16_t key;
		uint8_t pos; /* at most ITEM_MAX */
	} state;
};

static struct fw_cfg *to_fw_cfg(struct device *dev)
{
	return container_of(dev, struct fw_cfg, dev);
}

/* The item's bytes, and zeros after its end. */
static void get_item(const struct fw_cfg *fw, uint8_t item[ITEM_MAX])
{
	uint64_t val = 0; /* KEY_FILE_DIR: a count of 0 files too */

	switch (fw->state.key & ~KEY_WRITE_CHANNEL) {
	case KEY_SIGNATURE: val = get_le32("QEMU"); break;
	case KEY_ID: val = ID_TRADITIONAL; break;
	case KEY_RAM_SIZE: val = fw->cfg.mem; break;
	case KEY_NB_CPUS:
	case KEY_MAX_CPUS: val = fw->cfg.cpus; break;
	}
	put_le64(item, val);
}

static uint64_t fw_cfg_read(struct device *dev, uint64_t off, unsigned size)
{
	struct fw_cfg *fw = to_fw_cfg(dev);
	uint8_t item[ITEM_MAX];

	if (off != OFF_DATA)
		return UINT64_MAX;
	if (fw->state.pos == ITEM_MAX)
		return 0;
	get_item(fw, item);
	return item[fw->state.pos++];
}

static void fw_cfg_write(struct device *dev, uint64_t off, unsigned size,
			 uint64_t val)
{
	struct fw_cfg *fw = to_fw_cfg(dev);

	if (off != OFF_SELECTOR || size != 2)
		return;
	fw->state.key = (uint16_t)val;
	fw->state.pos = 0;
}

static void fw_cfg_reset(struct device *dev)
{
	struct fw_cfg *fw = to_fw_cfg(dev);

	fw->state.key = KEY_SIGNATURE;
	fw->state.pos = 0;
}

static void fw_cfg_free(struct device *dev)
{
	struct fw_cfg *fw = to_fw_cfg(dev);

	device_done(dev);
	free(fw);
}

static const struct device_ops fw_cfg_ops = {
	.name = "fw_cfg",
	.sizes = 1 | 2,
	.read = fw_cfg_read,
	.write = fw_cfg_write,
	.reset = fw_cfg_reset,
	.free = fw_cfg_free,
};

int fw_cfg_new(const struct fw_cfg_config *config, struct device **ret_dev)
{
	struct fw_cfg *fw = calloc(1, sizeof(*fw));

	if (!fw)
		return -ENOMEM;
	device_init(&fw->dev, &fw_cfg_ops);
	fw->cfg = *config;
	fw_cfg_reset(&fw->dev);
	*ret_dev = &fw->dev;
	return 0;
}
