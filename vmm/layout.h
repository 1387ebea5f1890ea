/* SPDX-License-Identifier: MIT */
/*
 * layout.h: the guest-physical map, the port map and the interrupt map. Every
 * number that the board decides is here and nowhere else.
 *
 *	0x0000000000  +--------------------------+
 *	              | real-mode vectors, BDA   |
 *	0x0000001000  | boot: GDT, page tables   |  free once a kernel runs
 *	0x0000007000  | boot: boot_params        |
 *	0x0000007c00  | (a boot sector)          |
 *	0x0000008000  | boot: setup_data, or the |
 *	              |  multiboot information,  |
 *	              |  or PVH's start info     |
 *	0x0000010000  | (a flat binary, or the   |
 *	              |  setup code of a kernel) |
 *	0x0000020000  | boot: command line       |
 *	0x0000030000  | boot: devicetree         |
 *	              | free                     |
 *	0x000009fc00  | EBDA, reserved           |
 *	0x00000a0000  +--------------------------+
 *	              | no memory (a VGA's)      |
 *	0x00000c0000  +--------------------------+
 *	              | BIOS area, reserved:     |
 *	0x00000e0000  |  ACPI tables             |
 *	0x00000f0000  |  MP table                |
 *	0x00000f8000  |  real-mode services      |
 *	0x0000100000  +--------------------------+
 *	              | RAM; kernel from 1 MiB   |
 *	              | or where it prefers,     |
 *	              | initrd at the top        |
 *	0x00c0000000  +--------------------------+
 *	              | no memory: devices       |
 *	0x00d0000000  |  virtio-mmio, 4 KiB each |
 *	0x00d8000000  |  PCI configuration: ECAM |
 *	0x00e0000000  |  PCI: BARs, 256 MiB      |
 *	0x00fec00000  |  IOAPIC   (in KVM)       |
 *	0x00fee00000  |  LAPIC    (in KVM)       |
 *	0x00feffc000  |  4 pages for kvm-intel   |
 *	0x00ff000000  |  test device, if wanted  |
 *	 up to 4 GiB  |  firmware, if given      |
 *	0x0100000000  +--------------------------+
 *	              | RAM that did not fit     |
 *	              +--------------------------+
 *	  by 128 MiB  | images, read-only: see   |
 *	              | mem_add_window()         |
 *	              +--------------------------+
 */
#ifndef TRAPMAP_LAYOUT_H
#define TRAPMAP_LAYOUT_H

/* Below 1 MiB, while the guest starts. */
#define LAYOUT_BOOT_GDT 0x1000
#define LAYOUT_BOOT_PML4 0x2000
#define LAYOUT_BOOT_PDPT 0x3000
#define LAYOUT_BOOT_PD 0x4000 /* no further: 1 GiB pages are not needed */
#define LAYOUT_BOOT_PARAMS 0x7000
#define LAYOUT_BOOT_SECTOR 0x7c00
#define LAYOUT_SETUP_DATA 0x8000
#define LAYOUT_SETUP_DATA_MAX 0x1000
#define LAYOUT_MULTIBOOT 0x8000 /* in place of setup_data */
#define LAYOUT_MULTIBOOT_MAX 0x8000
#define LAYOUT_PVH 0x8000 /* as well */
#define LAYOUT_PVH_MAX 0x8000
/* boot.rst's X, with the setup code's heap and stack behind it. */
#define LAYOUT_SETUP 0x10000
#define LAYOUT_SETUP_MAX 0x8000
#define LAYOUT_SETUP_HEAP_END 0xe000 /* from X */
#define LAYOUT_FLAT 0x10000
#define LAYOUT_FLAT_MAX 0x8fc00 /* up to the EBDA */
#define LAYOUT_CMDLINE 0x20000
#define LAYOUT_CMDLINE_MAX 0x10000
/* A setup_data; as much as Linux maps while it boots (NR_FIX_BTMAPS pages). */
#define LAYOUT_DTB 0x30000
#define LAYOUT_DTB_MAX 0x40000
#define LAYOUT_EBDA 0x9fc00
#define LAYOUT_LOW_RAM_END 0xa0000

#define LAYOUT_BIOS 0xc0000
#define LAYOUT_ACPI 0xe0000
#define LAYOUT_ACPI_MAX 0x10000
#define LAYOUT_MPTABLE 0xf0000
#define LAYOUT_MPTABLE_MAX 0x8000
#define LAYOUT_BIOS_IMAGE 0xf8000
#define LAYOUT_BIOS_IMAGE_MAX 0x8000
#define LAYOUT_HIGH_RAM 0x100000

/* The hole below 4 GiB. */
#define LAYOUT_HOLE 0xc0000000ull
#define LAYOUT_HOLE_END 0x100000000ull
/* virtio-mmio transports, a page each so that a guest can map them apart. */
#define LAYOUT_VIRTIO 0xd0000000u
#define LAYOUT_VIRTIO_STEP 0x1000u
#define LAYOUT_VIRTIO_MAX 8
#define LAYOUT_VIRTIO_AT(n) (LAYOUT_VIRTIO + (n) * LAYOUT_VIRTIO_STEP)
/* With --transport pci, in their place: bus 0, and where BARs lie at first. */
#define LAYOUT_ECAM 0xd8000000u
#define LAYOUT_ECAM_LEN 0x100000u
#define LAYOUT_PCI_WINDOW 0xe0000000u
#define LAYOUT_PCI_WINDOW_LEN 0x10000000u
#define LAYOUT_IOAPIC 0xfec00000
#define LAYOUT_LAPIC 0xfee00000
#define LAYOUT_IDENTITY_MAP 0xfeffc000 /* KVM_SET_IDENTITY_MAP_ADDR: 1 page */
#define LAYOUT_TSS 0xfeffd000 /* KVM_SET_TSS_ADDR: 3 pages */
#define LAYOUT_TSS_END 0xff000000
#define LAYOUT_TESTDEV_IOMEM 0xff000000
/* A firmware image ends at 4 GiB. */
#define LAYOUT_ROM_MAX 0x1000000ull

/* Ports. The PICs, the PIT and port 0x61 are KVM's. */
#define LAYOUT_PORT_I8042_DATA 0x60
#define LAYOUT_PORT_I8042_COMMAND 0x64
#define LAYOUT_PORT_RTC 0x70
/* The test device's are QEMU's, as its guests know them. */
#define LAYOUT_PORT_TESTDEV 0xe0
#define LAYOUT_PORT_TESTDEV_FLUSH 0xe4
#define LAYOUT_PORT_TESTDEV_BYTE 0xe8
#define LAYOUT_PORT_COM1 0x3f8
#define LAYOUT_PORT_COM2 0x2f8
#define LAYOUT_PORT_COM3 0x3e8
#define LAYOUT_PORT_COM4 0x2e8
#define LAYOUT_PORT_FW_CFG 0x510
#define LAYOUT_PORT_PM_EVENT 0x600 /* PM1a_EVT_BLK, 4 */
#define LAYOUT_PORT_PM_CONTROL 0x604 /* PM1a_CNT_BLK, 2 */
#define LAYOUT_PORT_PM_TIMER 0x608 /* PM_TMR_BLK, 4 */
#define LAYOUT_PORT_PM_RESET 0x60c /* RESET_REG, 1 */
#define LAYOUT_PORT_PCI_CONFIG 0xcf8
#define LAYOUT_PORT_TESTDEV_IRQ 0x2000
/* guest_abi.h has the ports of a guest's reports: POST, debug console, ends. */

/* Interrupts: ISA IRQ numbers, which are IOAPIC inputs but for IRQ 0 -> 2. */
#define LAYOUT_IRQ_KEYBOARD 1
#define LAYOUT_IRQ_COM2 3 /* and COM4 */
#define LAYOUT_IRQ_COM1 4 /* and COM3 */
#define LAYOUT_IRQ_RTC 8
#define LAYOUT_IRQ_SCI 9 /* level, active high */
#define LAYOUT_IRQ_MOUSE 12
/* IOAPIC inputs that no ISA device has. */
#define LAYOUT_IRQ_VIRTIO 16 /* to 23: edge, active high; see platform.c */
#define LAYOUT_IRQ_PCI 16 /* to 19: level */
#define LAYOUT_IRQ_PCI_COUNT 4
#define LAYOUT_IOAPIC_PINS 24

#endif
