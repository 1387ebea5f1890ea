// SPDX-License-Identifier: MIT
/*
 * QEMU's firmware configuration device. A guest selects an item, then reads it byte
 * by byte, or has it copied into its memory (the DMA interface).
 *
 * Source: QEMU's docs/specs/fw_cfg; the keys that it does not describe:
 * include/standard-headers/linux/qemu_fw_cfg.h and fw_cfg_keys.h there. An item that
 * is not there and what lies beyond an item's end reads as 0. The selector is
 * write-only and reads as a port that nobody answers.
 *
 * Not modelled: writes to items (a DMA write ends in the error bit; by the data port
 * QEMU ignores them since 2.4); the items for ACPI tables, SMBIOS, NUMA, the boot
 * menu. Which items there are is the board's affair.
 */
#include "fw_cfg.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base.h"
#include "core/device.h"
#include "core/gmem.h"

/* A bit of the selector: the item shall be written. It is the same item. */
#define KEY_WRITE_CHANNEL 0x4000

#define ID_TRADITIONAL BIT(0)
#define ID_DMA BIT(1)

#define OFF_SELECTOR 0
#define OFF_DATA 1
#define OFF_DMA_HIGH 4
#define OFF_DMA_LOW 8

#define DMA_ERROR BIT(0)
#define DMA_READ BIT(1)
#define DMA_SKIP BIT(2)
#define DMA_SELECT BIT(3)
#define DMA_WRITE BIT(4)

/* The descriptor, in guest memory, big-endian. */
struct dma_access {
	uint32_t control;
	uint32_t length;
	uint64_t address;
};

/* An entry of the directory. */
struct dir_file {
	uint32_t size;
	uint16_t select;
	uint16_t reserved;
	char name[FW_CFG_NAME_MAX + 1];
};

struct directory {
	uint32_t count;
	struct dir_file file[FW_CFG_FILES_MAX];
};

_Static_assert(sizeof(struct dma_access) == 16 &&
		       sizeof(struct dir_file) == 64,
	       "as the guest has them");

struct entry {
	struct fw_cfg_item item;
	uint8_t number[8]; /* item.data, where it is one */
};

#define KEYS (FW_CFG_FILE_FIRST + FW_CFG_FILES_MAX)

/* So much is fetched at once of an item that is read byte by byte. */
#define WINDOW 4096u

struct fw_cfg {
	struct device dev;
	const struct gmem *ram;
	struct entry entry[KEYS];
	struct directory dir; /* big-endian, as an item is */
	unsigned files;
	struct {
		uint16_t key;
		uint64_t pos;
		uint32_t dma_high;
	} state;
	uint8_t window[WINDOW]; /* of the selected item, from window_pos on */
	uint64_t window_pos;
	uint32_t window_len; /* 0: nothing yet */
};

static struct fw_cfg *to_fw_cfg(struct device *dev)
{
	return container_of(dev, struct fw_cfg, dev);
}

/* The selected item; an empty one where there is none. */
static const struct fw_cfg_item *selected(const struct fw_cfg *fw)
{
	static const struct fw_cfg_item none;
	unsigned key = fw->state.key & ~KEY_WRITE_CHANNEL;

	return key < KEYS ? &fw->entry[key].item : &none;
}

static void select_item(struct fw_cfg *fw, uint16_t key)
{
	fw->state.key = key;
	fw->state.pos = 0;
	fw->window_len = 0;
}

/* Bytes of an item from pos on; zeros beyond its end. 0 or -errno. */
static int fetch(const struct fw_cfg_item *item, uint64_t pos, uint8_t *buf,
		 size_t len)
{
	size_t n = pos < item->len ? item->len - pos : 0;

	if (n > len)
		n = len;
	memset(buf + n, 0, len - n);
	if (n == 0)
		return 0;
	if (item->read)
		return item->read(item->opaque, pos, buf, n);
	memcpy(buf, (const uint8_t *)item->data + pos, n);
	return 0;
}

static uint8_t next_byte(struct fw_cfg *fw)
{
	const struct fw_cfg_item *item = selected(fw);
	uint64_t pos = fw->state.pos;
	uint32_t len;

	if (pos >= item->len)
		return 0;
	fw->state.pos++;
	if (!item->read)
		return ((const uint8_t *)item->data)[pos];
	if (pos - fw->window_pos >= fw->window_len) {
		len = item->len - pos < WINDOW ? (uint32_t)(item->len - pos) :
						 WINDOW;
		if (item->read(item->opaque, pos, fw->window, len) < 0)
			memset(fw->window, 0, len);
		fw->window_pos = pos;
		fw->window_len = len;
	}
	return fw->window[pos - fw->window_pos];
}

/* ---- the DMA interface -------------------------------------------------- */

/* Returns what the guest finds in the descriptor's control afterwards. */
static uint32_t transfer(struct fw_cfg *fw, const struct dma_access *dma)
{
	uint32_t control = be32toh(dma->control), len = be32toh(dma->length);
	uint8_t *to;
	int r = 0;

	if (control & DMA_SELECT)
		select_item(fw, (uint16_t)(control >> 16));
	if (control & DMA_READ) {
		to = gmem_ptr(fw->ram, be64toh(dma->address), len);
		if (!to)
			return DMA_ERROR;
		r = fetch(selected(fw), fw->state.pos, to, len);
	} else if (control & DMA_WRITE) {
		return DMA_ERROR;
	} else if (!(control & DMA_SKIP)) {
		len = 0;
	}
	fw->state.pos += len;
	return r < 0 ? DMA_ERROR : 0;
}

static void run_dma(struct fw_cfg *fw, gpa_t gpa)
{
	struct dma_access dma;
	uint32_t control;

	if (gmem_read(fw->ram, gpa, &dma, sizeof(dma)) < 0)
		return;
	control = htobe32(transfer(fw, &dma));
	(void)gmem_write(fw->ram, gpa, &control, sizeof(control));
}

static void write_dma(struct fw_cfg *fw, uint64_t off, uint32_t val)
{
	gpa_t gpa;

	if (off == OFF_DMA_HIGH) {
		fw->state.dma_high = be32toh(val);
	} else if (off == OFF_DMA_LOW) {
		gpa = (uint64_t)fw->state.dma_high << 32 | be32toh(val);
		fw->state.dma_high = 0;
		run_dma(fw, gpa);
	}
}

/* ---- registers ---------------------------------------------------------- */

static uint64_t fw_cfg_read(struct device *dev, uint64_t off, unsigned size)
{
	struct fw_cfg *fw = to_fw_cfg(dev);

	if (off == OFF_DATA && size == 1)
		return next_byte(fw);
	/* "QEMU CFG" in the place of the address says that there is DMA. */
	if (fw->ram && off == OFF_DMA_HIGH && size == 4)
		return get_le32("QEMU");
	if (fw->ram && off == OFF_DMA_LOW && size == 4)
		return get_le32(" CFG");
	return UINT64_MAX;
}

static void fw_cfg_write(struct device *dev, uint64_t off, unsigned size,
			 uint64_t val)
{
	struct fw_cfg *fw = to_fw_cfg(dev);

	if (off == OFF_SELECTOR && size == 2)
		select_item(fw, (uint16_t)val);
	else if (fw->ram && size == 4)
		write_dma(fw, off, (uint32_t)val);
}

static void fw_cfg_reset(struct device *dev)
{
	struct fw_cfg *fw = to_fw_cfg(dev);

	select_item(fw, FW_CFG_SIGNATURE);
	fw->state.dma_high = 0;
}

static void fw_cfg_free(struct device *dev)
{
	struct fw_cfg *fw = to_fw_cfg(dev);

	device_done(dev);
	free(fw);
}

static const struct device_ops fw_cfg_ops = {
	.name = "fw_cfg",
	.sizes = 1 | 2 | 4,
	.read = fw_cfg_read,
	.write = fw_cfg_write,
	.reset = fw_cfg_reset,
	.free = fw_cfg_free,
};

int fw_cfg_new(const struct fw_cfg_config *config, struct device **ret_dev)
{
	struct fw_cfg *fw = calloc(1, sizeof(*fw));
	struct fw_cfg_item signature = { .data = "QEMU", .len = 4 };

	if (!fw)
		return -ENOMEM;
	device_init(&fw->dev, &fw_cfg_ops);
	fw->ram = config->ram;
	fw_cfg_set(&fw->dev, FW_CFG_SIGNATURE, &signature);
	fw_cfg_set_int(&fw->dev, FW_CFG_ID,
		       ID_TRADITIONAL | (fw->ram ? ID_DMA : 0), 4);
	fw->entry[FW_CFG_FILE_DIR].item = (struct fw_cfg_item){
		.data = &fw->dir, .len = sizeof(fw->dir.count)
	};
	fw_cfg_reset(&fw->dev);
	*ret_dev = &fw->dev;
	return 0;
}

/* ---- items -------------------------------------------------------------- */

void fw_cfg_set(struct device *dev, enum fw_cfg_key key,
		const struct fw_cfg_item *item)
{
	to_fw_cfg(dev)->entry[key].item = *item;
}

void fw_cfg_set_int(struct device *dev, enum fw_cfg_key key, uint64_t val,
		    unsigned size)
{
	struct entry *e = &to_fw_cfg(dev)->entry[key];

	put_le64(e->number, val);
	e->item = (struct fw_cfg_item){ .data = e->number, .len = size };
}

int fw_cfg_set_file(struct device *dev, const char *name,
		    const struct fw_cfg_item *item)
{
	struct fw_cfg *fw = to_fw_cfg(dev);
	size_t len = strlen(name);
	struct dir_file *f;
	unsigned i;

	if (len == 0 || len > FW_CFG_NAME_MAX)
		return -EINVAL;
	for (i = 0; i < fw->files && strcmp(fw->dir.file[i].name, name); i++)
		;
	if (i == FW_CFG_FILES_MAX)
		return -ENOSPC;
	f = &fw->dir.file[i];
	if (i == fw->files) {
		fw->files++;
		memcpy(f->name, name, len + 1);
		f->select = htobe16((uint16_t)(FW_CFG_FILE_FIRST + i));
		fw->dir.count = htobe32(fw->files);
		fw->entry[FW_CFG_FILE_DIR].item.len =
			(uint32_t)(sizeof(fw->dir.count) +
				   fw->files * sizeof(*f));
	}
	f->size = htobe32(item->len);
	fw->entry[FW_CFG_FILE_FIRST + i].item = *item;
	return 0;
}
