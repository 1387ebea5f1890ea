/* SPDX-License-Identifier: MIT */
/* pci_config.h: where a PC has PCI's configuration ports, and here is nothing. */
#ifndef TRAPMAP_PCI_CONFIG_H
#define TRAPMAP_PCI_CONFIG_H

struct device;

#define PCI_CONFIG_LEN 8

/* PCI_CONFIG_LEN ports: those of CONFIG_ADDRESS, then those of CONFIG_DATA. */
int pci_config_new(struct device **ret_dev);

#endif
