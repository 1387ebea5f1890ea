/* SPDX-License-Identifier: MIT */
/*
 * fw_cfg.h: what firmware and kernels ask of the monitor, item by item: the
 * machine's size, what is to be booted, files by name.
 */
#ifndef TRAPMAP_FW_CFG_H
#define TRAPMAP_FW_CFG_H

#include <stddef.h>
#include <stdint.h>

struct device;
struct gmem;

struct fw_cfg_config {
	const struct gmem *ram; /* for the DMA interface; NULL: it is not there */
};

/* Keys, by QEMU's include/standard-headers/linux/qemu_fw_cfg.h and fw_cfg_keys.h. */
enum fw_cfg_key {
	FW_CFG_SIGNATURE = 0x00,
	FW_CFG_ID = 0x01,
	FW_CFG_RAM_SIZE = 0x03,
	FW_CFG_NB_CPUS = 0x05,
	FW_CFG_KERNEL_ADDR = 0x07,
	FW_CFG_KERNEL_SIZE = 0x08,
	FW_CFG_INITRD_ADDR = 0x0a,
	FW_CFG_INITRD_SIZE = 0x0b,
	FW_CFG_MAX_CPUS = 0x0f,
	FW_CFG_KERNEL_DATA = 0x11,
	FW_CFG_INITRD_DATA = 0x12,
	FW_CFG_CMDLINE_ADDR = 0x13,
	FW_CFG_CMDLINE_SIZE = 0x14,
	FW_CFG_CMDLINE_DATA = 0x15,
	FW_CFG_SETUP_ADDR = 0x16,
	FW_CFG_SETUP_SIZE = 0x17,
	FW_CFG_SETUP_DATA = 0x18,
	FW_CFG_FILE_DIR = 0x19,
	FW_CFG_FILE_FIRST = 0x20,
};

#define FW_CFG_FILES_MAX 40
#define FW_CFG_NAME_MAX 55 /* bytes of a file's name, without its NUL */

/* The bytes of an item: either data or read(); both outlive the device. */
struct fw_cfg_item {
	const void *data;
	/* Reads within len. 0 or -errno. The thread that makes the access. */
	int (*read)(void *opaque, uint64_t off, void *buf, size_t len);
	void *opaque;
	uint32_t len;
};

#define FW_CFG_LEN 12

/*
 * FW_CFG_LEN ports: the selector, 16 bits; the data, 8 bits, at offset 1; the
 * address of a DMA descriptor, 64 bits big-endian, at 4.
 */
int fw_cfg_new(const struct fw_cfg_config *config, struct device **ret_dev);

/*
 * Puts an item there, in the place of what was there. No guest runs.
 * fw_cfg_set_int(): a little-endian number of `size` bytes, up to 8.
 */
void fw_cfg_set(struct device *dev, enum fw_cfg_key key,
		const struct fw_cfg_item *item);
void fw_cfg_set_int(struct device *dev, enum fw_cfg_key key, uint64_t val,
		    unsigned size);

/*
 * The same for a file, by its name, which is copied. Returns 0; -EINVAL: the name is
 * empty or longer than FW_CFG_NAME_MAX; -ENOSPC: there are FW_CFG_FILES_MAX.
 */
int fw_cfg_set_file(struct device *dev, const char *name,
		    const struct fw_cfg_item *item);

#endif
