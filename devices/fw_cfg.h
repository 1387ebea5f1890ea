/* SPDX-License-Identifier: MIT */
/* fw_cfg.h: facts of the machine for firmware and kernels, item by item. */
#ifndef TRAPMAP_FW_CFG_H
#define TRAPMAP_FW_CFG_H

#include <stdint.h>

struct device;

struct fw_cfg_config {
	uint64_t mem; /* bytes of RAM */
	uint16_t cpus;
};

#define FW_CFG_LEN 2

/* FW_CFG_LEN ports: the selector, 16 bits; the data, 8 bits, at offset 1. */
int fw_cfg_new(const struct fw_cfg_config *config, struct device **ret_dev);

#endif
