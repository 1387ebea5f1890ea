// SPDX-License-Identifier: MIT
#include "machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "acpi_pm.h"
#include "attach/attach.h"
#include "backend/chardev.h"
#include "backend/chardev_fd.h"
#include "backend/chardev_tap.h"
#include "backend/nvram_file.h"
#include "core/base.h"
#include "core/device.h"
#include "core/gmem.h"
#include "debug_exit.h"
#include "debugcon.h"
#include "fw_cfg.h"
#include "i8042.h"
#include "layout.h"
#include "pc_testdev.h"
#include "pci_config.h"
#include "post_code.h"
#include "pvpanic.h"
#include "trapmap/guest_abi.h"

int machine_keep(struct machine *m, struct device *dev)
{
	if (m->count == MACHINE_MAX_DEVICES) {
		device_free(dev);
		return -ENOSPC;
	}
	m->device[m->count++] = dev;
	return 0;
}

static void tap_output(void *opaque, const uint8_t *buf, size_t len)
{
	const struct machine_tap *tap = opaque;

	tap->host->console_output(tap->host->opaque, tap->stream, buf, len);
}

int machine_add_tap(struct machine *m, enum watch_stream stream,
		    struct chardev *under, struct chardev **ret_chr)
{
	struct machine_tap *tap = &m->tap[stream];
	int r;

	if (!m->host.console_output) {
		*ret_chr = under;
		return 0;
	}
	tap->host = &m->host;
	tap->stream = stream;
	r = chardev_tap_new(&(struct chardev_tap_config){ .under = under,
							  .output = tap_output,
							  .opaque = tap },
			    &tap->chr);
	if (r == 0)
		*ret_chr = tap->chr;
	return r;
}

/* What a PC has, in the order of its ports. */
static int add_pc(struct machine *m, const struct machine_config *config,
		  const struct machine_host *host, struct loop *loop,
		  const int *vm_fd)
{
	struct i8042_config i8042 = {
		.irq_kbd = irqchip_line(&m->irq_kbd, vm_fd, LAYOUT_IRQ_KEYBOARD),
		.irq_aux = irqchip_line(&m->irq_aux, vm_fd, LAYOUT_IRQ_MOUSE),
		.end = host->end,
	};
	const struct acpi_pm_config pm = {
		.loop = loop,
		.sci = irqchip_line(&m->irq_sci, vm_fd, LAYOUT_IRQ_SCI),
		.end = host->end,
	};
	struct device *dev = NULL;
	int r;

	r = i8042_new(&i8042, &dev) ?: machine_keep(m, dev) ?:
	    bus_add(&m->pio, LAYOUT_PORT_I8042_DATA, 1, dev, 0) ?:
	    bus_add(&m->pio, LAYOUT_PORT_I8042_COMMAND, 1, dev, 4);
	if (r < 0)
		return r;

	r = post_code_new(loop, &m->post) ?: machine_keep(m, m->post) ?:
	    bus_add(&m->pio, TRAPMAP_POST_PORT, 1, m->post, 0);
	if (r < 0)
		return r;

	r = acpi_pm_new(&pm, &m->pm) ?: machine_keep(m, m->pm) ?:
	    bus_add(&m->pio, LAYOUT_PORT_PM_EVENT, ACPI_PM_LEN, m->pm, 0);
	if (r < 0)
		return r;

	/* A PCI bus has the ports itself. */
	if (platform_has_pci(&config->platform))
		return 0;
	return pci_config_new(&dev) ?: machine_keep(m, dev) ?:
	       bus_add(&m->pio, LAYOUT_PORT_PCI_CONFIG, PCI_CONFIG_LEN, dev, 0);
}

/* What only a virtual machine has, in the order of its ports. */
static int add_virtual(struct machine *m, const struct machine_config *config,
		       const struct machine_host *host, struct loop *loop)
{
	const struct chardev_fd_config debugcon = {
		.loop = loop,
		.in_fd = -1,
		.out_fd = config->debugcon_fd,
		.throttle = host->throttle,
		.drained = host->drained,
		.failed = host->debugcon_failed,
		.opaque = host->opaque,
	};
	const struct fw_cfg_config fw_cfg = { .ram = config->ram };
	struct chardev *chr = NULL;
	struct device *dev = NULL;
	int r;

	r = chardev_fd_new(&debugcon, &m->debugcon);
	if (r < 0)
		return r;
	r = machine_add_tap(m, WATCH_DEBUGCON, m->debugcon, &chr) ?:
	    debugcon_new(chr, &m->debugcon_dev) ?:
	    machine_keep(m, m->debugcon_dev) ?:
	    bus_add(&m->pio, TRAPMAP_DEBUGCON_PORT, 1, m->debugcon_dev, 0) ?:
	    bus_add(&m->pio, TRAPMAP_DEBUGCON_PORT_2, 1, m->debugcon_dev, 0);
	if (r < 0)
		return r;

	r = debug_exit_new(&host->end, &dev) ?: machine_keep(m, dev) ?:
	    bus_add(&m->pio, TRAPMAP_DEBUG_EXIT_PORT, 4, dev, 0);
	if (r < 0)
		return r;

	r = pvpanic_new(&host->end, &dev) ?: machine_keep(m, dev) ?:
	    bus_add(&m->pio, TRAPMAP_PVPANIC_PORT, 1, dev, 0);
	if (r < 0)
		return r;

	r = fw_cfg_new(&fw_cfg, &m->fw_cfg) ?: machine_keep(m, m->fw_cfg) ?:
	    bus_add(&m->pio, LAYOUT_PORT_FW_CFG, FW_CFG_LEN, m->fw_cfg, 0);
	if (r < 0)
		return r;

	return test_exit_new(&host->end, &dev) ?: machine_keep(m, dev) ?:
	       bus_add(&m->pio, TRAPMAP_TEST_EXIT_PORT, 4, dev, 0);
}

/* Where it is asked for: it takes ports and memory of its own. */
static int add_testdev(struct machine *m, const struct gmem *ram,
		       const int *vm_fd)
{
	struct pc_testdev_config config = { .ram = ram };
	struct device *dev = NULL;
	unsigned i;

	for (i = 0; i < PC_TESTDEV_LINES; i++)
		config.line[i] = irqchip_line(&m->irq_test[i], vm_fd, i);
	return pc_testdev_new(&config, &dev) ?: machine_keep(m, dev) ?:
	       bus_add(&m->pio, LAYOUT_PORT_TESTDEV, PC_TESTDEV_IOPORT_LEN, dev,
		       PC_TESTDEV_IOPORT) ?:
	       bus_add(&m->pio, LAYOUT_PORT_TESTDEV_FLUSH, PC_TESTDEV_FLUSH_LEN,
		       dev, PC_TESTDEV_FLUSH) ?:
	       bus_add(&m->pio, LAYOUT_PORT_TESTDEV_BYTE, PC_TESTDEV_BYTE_LEN,
		       dev, PC_TESTDEV_BYTE) ?:
	       bus_add(&m->pio, LAYOUT_PORT_TESTDEV_IRQ, PC_TESTDEV_IRQ_LEN, dev,
		       PC_TESTDEV_IRQ) ?:
	       bus_add(&m->mmio, LAYOUT_TESTDEV_IOMEM, PC_TESTDEV_IOMEM_LEN,
		       dev, PC_TESTDEV_IOMEM);
}

int machine_init(struct machine *m, const struct machine_config *config,
		 const struct machine_host *host, struct loop *loop,
		 const int *vm_fd, struct error *err)
{
	int r;

	memset(m, 0, sizeof(*m));
	m->host = *host;
	m->attached = config->attached;
	m->attached_count = config->attached_count;
	irqchip_init(&m->irqchip, vm_fd);
	bus_init(&m->pio, 0xffff);
	bus_init(&m->mmio, UINT64_MAX - 1);

	r = add_pc(m, config, host, loop, vm_fd) ?:
	    add_virtual(m, config, host, loop);
	if (r == 0 && config->test_device)
		r = add_testdev(m, config->ram, vm_fd);
	if (r < 0)
		return error_host(err, r, "cannot build the machine");
	r = machine_add_rtc(m, config, loop, vm_fd, err);
	if (r < 0)
		return r;
	r = machine_add_serial(m, config, loop, vm_fd, err);
	if (r < 0)
		return r;
	r = machine_add_virtio(m, config, loop, vm_fd, err);
	if (r < 0)
		return r;
	return machine_add_embedded(m, config, err);
}

/* The next from *i on that has something to say to the host, or NULL. */
static struct attachment *speaker(const struct machine *m, unsigned *i)
{
	for (; *i < m->attached_count; (*i)++)
		if (m->attached[*i]->ops->finish && m->attached[*i]->vd)
			return m->attached[(*i)++];
	return NULL;
}

bool machine_output_finish(struct machine *m)
{
	struct attachment *at;
	bool all = true;
	unsigned i = 0;

	while ((at = speaker(m, &i)))
		all &= at->ops->finish(at);
	return all;
}

size_t machine_output_pending(const struct machine *m)
{
	size_t n = machine_serial_pending(m) +
		   chardev_fd_pending(m->debugcon);
	struct attachment *at;
	unsigned i = 0;

	while ((at = speaker(m, &i)))
		n += at->ops->pending(at);
	return n;
}

size_t machine_output_discard(struct machine *m)
{
	size_t n = machine_serial_discard(m) +
		   chardev_fd_discard(m->debugcon);
	struct attachment *at;
	unsigned i = 0;

	while ((at = speaker(m, &i)))
		n += at->ops->discard(at);
	return n;
}

void machine_reset(struct machine *m)
{
	unsigned i;

	for (i = 0; i < m->count; i++)
		device_reset(m->device[i]);
	if (m->pci)
		device_reset(m->pci);
	for (i = 0; i < m->extra_count; i++)
		device_reset(m->extra[i]);
}

void machine_done(struct machine *m)
{
	unsigned i;

	for (i = 0; i < m->count; i++)
		device_free(m->device[i]);
	device_free(m->pci); /* after its functions */
	for (i = 0; i < m->extra_count; i++)
		device_free(m->extra[i]);
	free(m->extra);
	for (i = 0; i < WATCH_HVC; i++)
		chardev_free(m->tap[i].chr);
	machine_serial_done(m);
	nvram_file_free(m->nvram);
	chardev_free(m->debugcon);
	bus_done(&m->pio);
	bus_done(&m->mmio);
	irqchip_done(&m->irqchip);
	memset(m, 0, sizeof(*m));
}
