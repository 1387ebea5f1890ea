/* SPDX-License-Identifier: MIT */
/*
 * function.h: a PCI function: its configuration space (header type 0), its base
 * address registers (BARs) and capabilities, its interrupt pin. PCI Local Bus
 * Specification 3.0, chapter 6.
 *
 * A device embeds struct pci_function, fills it in with pci_function_init() and the
 * pci_function_add_*(), and gives it to pci_host_add(). What is behind the BARs is
 * the device's own read() and write(), as for any other device.
 *
 * Everything here with the device's lock held.
 */
#ifndef TRAPMAP_PCI_FUNCTION_H
#define TRAPMAP_PCI_FUNCTION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bus.h"
#include "core/device.h"
#include "core/irq.h"

#define PCI_CONFIG_SPACE_LEN 256
#define PCI_BARS 6

/* 6.1 and 6.2: the header's registers. */
enum pci_register {
	PCI_VENDOR_ID = 0x00,
	PCI_DEVICE_ID = 0x02,
	PCI_COMMAND = 0x04,
	PCI_STATUS = 0x06,
	PCI_REVISION_ID = 0x08,
	PCI_CLASS_CODE = 0x09, /* three bytes */
	PCI_CACHE_LINE_SIZE = 0x0c,
	PCI_BAR_0 = 0x10,
	PCI_SUBSYSTEM_VENDOR_ID = 0x2c,
	PCI_SUBSYSTEM_ID = 0x2e,
	PCI_CAPABILITIES_POINTER = 0x34,
	PCI_INTERRUPT_LINE = 0x3c,
	PCI_INTERRUPT_PIN = 0x3d,
};

#define PCI_COMMAND_MEMORY 0x0002u
#define PCI_COMMAND_MASTER 0x0004u
#define PCI_COMMAND_INTX_DISABLE 0x0400u
#define PCI_STATUS_INTERRUPT 0x0008u
#define PCI_STATUS_CAPABILITIES 0x0010u

/* Appendix H */
#define PCI_CAP_VENDOR 0x09
#define PCI_CAP_MSIX 0x11

struct msix;
struct pci_function;

struct pci_function_ops {
	/*
	 * What lies behind a BAR answers at base from now on, or BUS_NOWHERE:
	 * decoding is off.
	 */
	void (*moved)(struct pci_function *pf, unsigned bar, uint64_t base);
	/*
	 * Bytes of the configuration space are about to be read, so pf->config
	 * is brought up to date, or have been written. Both may be NULL.
	 */
	void (*config_read)(struct pci_function *pf, unsigned off,
			    unsigned len);
	void (*config_written)(struct pci_function *pf, unsigned off,
			       unsigned len);
};

struct pci_bar {
	uint64_t len; /* 0: there is none */
	uint64_t dev_off; /* of its first byte, as the device sees it */
	bool is_64; /* the next one holds its upper half */
	uint64_t initial; /* where a reset puts it; the host's choice */
	uint64_t base; /* where it answers, or BUS_NOWHERE */
	struct bus_window *window;
};

struct pci_function {
	const struct pci_function_ops *ops; /* NULL: nothing is to be told */
	/* Whose the BARs are; its lock guards the function. NULL: the host's. */
	struct device *dev;

	uint8_t config[PCI_CONFIG_SPACE_LEN];
	uint8_t writable[PCI_CONFIG_SPACE_LEN]; /* bits that a guest may set */
	uint8_t initial[PCI_CONFIG_SPACE_LEN];
	unsigned cap_end; /* where the next capability goes */
	unsigned cap_last; /* 0: there is none yet */
	struct pci_bar bar[PCI_BARS];

	struct msix *msix;
	unsigned msix_cap;

	bool asserted; /* what the device wants of its pin */
	struct irq_line intx; /* set by the host */
	const struct bus *bus;
};

struct pci_function_config {
	const struct pci_function_ops *ops;
	struct device *dev;
	uint16_t vendor_id, device_id, subsystem_vendor_id, subsystem_id;
	uint32_t class_code;
	uint8_t revision_id;
	uint8_t pin; /* 1: INTA; 0: none */
};

void pci_function_init(struct pci_function *pf,
		       const struct pci_function_config *config);

/*
 * A BAR of memory, not prefetchable. len is a power of two from 16 on, and one of
 * 64 bits takes two places.
 */
void pci_function_add_bar(struct pci_function *pf, unsigned bar, uint64_t len,
			  uint64_t dev_off, bool is_64);

/*
 * A capability of len bytes, its two of header included: `body` is the rest, of
 * which the bits of `writable` (NULL: none) may be written. Returns where it lies,
 * or 0: there is no room.
 */
unsigned pci_function_add_capability(struct pci_function *pf, uint8_t id,
				     const void *body, const void *writable,
				     unsigned len);

/*
 * The MSI-X capability (6.8.2): table and pending bits at these offsets of the BAR,
 * multiples of 8. *msix stays the caller's, and reads and writes of the two are
 * for the caller to hand on. Returns like the above.
 */
unsigned pci_function_add_msix(struct pci_function *pf, struct msix *msix,
			       unsigned bar, uint32_t table, uint32_t pba);

/* To the state after a system reset. */
void pci_function_reset(struct pci_function *pf);

/* What a guest reads and writes. off + size may reach beyond the space. */
uint32_t pci_function_read(struct pci_function *pf, unsigned off,
			   unsigned size);
void pci_function_write(struct pci_function *pf, unsigned off, unsigned size,
			uint32_t val);

/* Level of the pin, which goes out unless COMMAND forbids it. */
void pci_function_set_intx(struct pci_function *pf, bool asserted);

#endif
