// SPDX-License-Identifier: MIT
#include "irqchip.h"

#include <errno.h>
#include <stdlib.h>

#include "kvm.h"
#include "layout.h"

#define PIC_INPUTS 16
#define PIC_CASCADE 2

static void add_route(struct kvm_irq_routing *table, uint32_t gsi,
		      uint32_t chip, uint32_t pin)
{
	table->entries[table->nr++] = (struct kvm_irq_routing_entry){
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { .irqchip = chip, .pin = pin },
	};
}

/*
 * KVM by itself joins GSI n to input n of the PICs and of the IOAPIC alike. On
 * a PC the timer's IRQ 0 reaches the IOAPIC's input 2, which the cascade leaves
 * free; the MADT and the MP table say so too.
 */
static int set_routes(int vm_fd)
{
	struct kvm_irq_routing *table;
	uint32_t i;
	int r;

	table = calloc(1, sizeof(*table) + (PIC_INPUTS + LAYOUT_IOAPIC_PINS) *
						   sizeof(table->entries[0]));
	if (!table)
		return -ENOMEM;
	for (i = 0; i < PIC_INPUTS; i++)
		if (i != PIC_CASCADE)
			add_route(table, i,
				  i < 8 ? KVM_IRQCHIP_PIC_MASTER :
					  KVM_IRQCHIP_PIC_SLAVE,
				  i % 8);
	for (i = 0; i < LAYOUT_IOAPIC_PINS; i++)
		if (i != PIC_CASCADE)
			add_route(table, i, KVM_IRQCHIP_IOAPIC,
				  i == 0 ? PIC_CASCADE : i);
	r = kvm_ioctl(vm_fd, KVM_SET_GSI_ROUTING, table);
	free(table);
	return r;
}

int irqchip_create(int vm_fd, struct error *err)
{
	/* Port 0x61 too: its timer gate is how kernels calibrate the TSC. */
	struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };
	uint64_t identity_map = LAYOUT_IDENTITY_MAP;
	int r;

	/*
	 * Only kvm-intel without unrestricted guest needs these; KVMs that do
	 * not know them have no use for them.
	 */
	(void)kvm_ioctl(vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map);
	(void)kvm_ioctl_val(vm_fd, KVM_SET_TSS_ADDR, LAYOUT_TSS);

	r = kvm_ioctl_val(vm_fd, KVM_CREATE_IRQCHIP, 0);
	if (r < 0)
		return error_host(err, r,
				  "KVM gives no interrupt controllers "
				  "(KVM_CREATE_IRQCHIP)");
	r = set_routes(vm_fd);
	if (r < 0)
		return error_host(err, r,
				  "KVM does not take the interrupts' wiring "
				  "(KVM_SET_GSI_ROUTING)");
	r = kvm_ioctl(vm_fd, KVM_CREATE_PIT2, &pit);
	if (r < 0)
		return error_host(err, r, "KVM gives no timer (KVM_CREATE_PIT2)");
	return 0;
}

bool irqchip_wakes_halted(int vm_fd)
{
	/* SMI, NMI and INIT: 82093AA data sheet, 3.2.4, "Delivery Mode". */
	const unsigned modes = 1u << 2 | 1u << 4 | 1u << 5;
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };
	unsigned i;

	if (kvm_ioctl(vm_fd, KVM_GET_IRQCHIP, &chip) < 0)
		return false;
	for (i = 0; i < KVM_IOAPIC_NUM_PINS; i++)
		if (!chip.chip.ioapic.redirtbl[i].fields.mask &&
		    modes >> chip.chip.ioapic.redirtbl[i].fields.delivery_mode &
			    1)
			return true;
	return false;
}

static void input_set(void *opaque, bool level)
{
	const struct irqchip_input *input = opaque;
	struct kvm_irq_level irq = { .irq = input->gsi, .level = level };

	/* Fails only while a reboot changes VMs, and then all lines are low. */
	(void)kvm_ioctl(*input->vm_fd, KVM_IRQ_LINE, &irq);
}

struct irq_line irqchip_line(struct irqchip_input *input, const int *vm_fd,
			     unsigned gsi)
{
	*input = (struct irqchip_input){ .vm_fd = vm_fd, .gsi = gsi };
	return (struct irq_line){ .set = input_set, .opaque = input };
}
