// SPDX-License-Identifier: MIT
#include "irqchip.h"

#include "kvm.h"
#include "layout.h"

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
	r = kvm_ioctl(vm_fd, KVM_CREATE_PIT2, &pit);
	if (r < 0)
		return error_host(err, r, "KVM gives no timer (KVM_CREATE_PIT2)");
	return 0;
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
