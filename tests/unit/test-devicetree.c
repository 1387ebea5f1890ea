// SPDX-License-Identifier: MIT
/*
 * With arguments "dump FILE CPUS KIND" it writes the blob of a machine to a file
 * instead, for devicetree-dtc.sh: a PC with virtio-mmio or pci, one with all four
 * serial ports, a board in pieces, or bare.
 */
#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libfdt.h>

#include "a_pc.h"
#include "core/base.h"
#include "devicetree.h"

static void *blob;

static int drop_blob(void **state)
{
	free(blob);
	blob = NULL;
	return 0;
}

static void build(const struct devicetree_config *m)
{
	size_t len = 0;

	drop_blob(NULL);
	assert_int_equal(devicetree_build(m, &blob, &len), 0);
	assert_int_equal(fdt_check_full(blob, len), 0);
	assert_int_equal(fdt_totalsize(blob), len);
}

static void simple(void)
{
	const struct devicetree_config m = {
		.platform = a_pc(MIB(512), 1, PLATFORM_TRANSPORT, 0),
	};

	build(&m);
}

static const void *property(const char *path, const char *name, int want)
{
	int node = fdt_path_offset(blob, path), len;
	const void *p;

	if (node < 0)
		fail_msg("no node %s", path);
	p = fdt_getprop(blob, node, name, &len);
	if (!p)
		fail_msg("%s has no %s", path, name);
	if (want >= 0)
		assert_int_equal(len, want);
	return p;
}

static uint32_t cell(const char *path, const char *name, int count, int index)
{
	const fdt32_t *p = property(path, name, count * 4);

	return fdt32_ld(p + index);
}

static uint64_t cell2(const char *path, const char *name, int count, int index)
{
	return (uint64_t)cell(path, name, count, index) << 32 |
	       cell(path, name, count, index + 1);
}

static bool is_compatible(const char *path, const char *compatible)
{
	return fdt_node_check_compatible(blob, fdt_path_offset(blob, path),
					 compatible) == 0;
}

static void the_root_says_what_it_is(void **state)
{
	simple();
	assert_true(is_compatible("/", "trapmap,pc"));
	assert_int_equal(cell("/", "#address-cells", 1, 0), 2);
	assert_int_equal(cell("/", "#size-cells", 1, 0), 2);
}

static void a_small_machine_has_memory_around_the_bios(void **state)
{
	simple();
	assert_string_equal(property("/memory@0", "device_type", -1), "memory");
	assert_true(cell2("/memory@0", "reg", 8, 0) == 0);
	assert_true(cell2("/memory@0", "reg", 8, 2) <= 0xa0000);
	assert_true(cell2("/memory@0", "reg", 8, 4) == MIB(1));
	assert_true(cell2("/memory@0", "reg", 8, 6) == MIB(511));
}

static void a_large_machine_goes_on_above_the_hole(void **state)
{
	const struct devicetree_config m = {
		.platform = a_pc(GIB(5), 1, PLATFORM_TRANSPORT, 0),
	};

	build(&m);
	assert_true(cell2("/memory@0", "reg", 12, 4) == MIB(1));
	assert_true(cell2("/memory@0", "reg", 12, 6) == GIB(3) - MIB(1));
	assert_true(cell2("/memory@0", "reg", 12, 8) == GIB(4));
	assert_true(cell2("/memory@0", "reg", 12, 10) == GIB(2));
}

static void each_processor_has_a_node_with_its_apic_id(void **state)
{
	static const unsigned counts[] = { 1, 2, 64, 255 };
	char path[32];
	unsigned i, id;
	int node, nodes;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		const struct devicetree_config m = {
			.platform = a_pc(MIB(64), counts[i], PLATFORM_TRANSPORT, 0),
		};

		build(&m);
		for (id = 0; id < counts[i]; id++) {
			snprintf(path, sizeof(path), "/cpus/cpu@%x", id);
			assert_int_equal(cell(path, "reg", 1, 0), id);
			assert_string_equal(property(path, "device_type", -1),
					    "cpu");
		}
		nodes = 0;
		fdt_for_each_subnode(node, blob, fdt_path_offset(blob, "/cpus"))
			nodes++;
		assert_int_equal(nodes, counts[i]);
	}
}

/* Three cores take two bits, so ids 3 and 7 are no one's. */
static void nodes_go_by_the_apic_id_not_by_the_number(void **state)
{
	struct devicetree_config m = {
		.platform = a_pc(MIB(64), 9, PLATFORM_TRANSPORT, 0),
	};

	m.platform.topology = (struct topology){ 3, 3, 1 };
	build(&m);
	assert_int_equal(cell("/cpus/cpu@4", "reg", 1, 0), 4);
	assert_int_equal(cell("/cpus/cpu@a", "reg", 1, 0), 10);
	assert_true(fdt_path_offset(blob, "/cpus/cpu@3") < 0);
}

static void the_kernel_finds_what_it_was_given(void **state)
{
	const struct devicetree_config m = {
		.platform = a_pc(MIB(512), 2, PLATFORM_TRANSPORT, 0),
		.cmdline = "console=ttyS0 panic=-1",
		.initrd = 0x1f000000,
		.initrd_len = 0x123456,
	};

	build(&m);
	assert_string_equal(property("/chosen", "bootargs", -1), m.cmdline);
	assert_true(cell2("/chosen", "linux,initrd-start", 2, 0) == 0x1f000000);
	assert_true(cell2("/chosen", "linux,initrd-end", 2, 0) == 0x1f123456);
	assert_true(is_compatible(property("/chosen", "stdout-path", -1),
				  "ns16550a"));
}

static void what_is_not_given_is_not_there(void **state)
{
	int chosen;

	simple();
	chosen = fdt_path_offset(blob, "/chosen");
	assert_null(fdt_getprop(blob, chosen, "bootargs", NULL));
	assert_null(fdt_getprop(blob, chosen, "linux,initrd-start", NULL));
}

static void a_long_command_line_fits(void **state)
{
	static char cmdline[65536];
	const struct devicetree_config m = {
		.platform = a_pc(MIB(64), 255, PLATFORM_TRANSPORT, 0),
		.cmdline = cmdline,
	};

	memset(cmdline, 'x', sizeof(cmdline) - 1);
	build(&m);
	assert_string_equal(property("/chosen", "bootargs", sizeof(cmdline)),
			    cmdline);
}

/* <space port length>, and an interrupt that leads to the IOAPIC. */
static void isa_devices_have_ports_and_interrupts(void **state)
{
	uint32_t parent;

	simple();
	assert_int_equal(cell("/soc/isa@0/serial@i3f8", "reg", 3, 0), 1);
	assert_int_equal(cell("/soc/isa@0/serial@i3f8", "reg", 3, 1), 0x3f8);
	assert_int_equal(cell("/soc/isa@0/serial@i3f8", "reg", 3, 2), 8);
	assert_int_equal(cell("/soc/isa@0/serial@i3f8", "interrupts", 2, 0), 4);
	assert_int_equal(cell("/soc/isa@0/serial@i3f8", "clock-frequency", 1, 0),
			 1843200);
	assert_true(is_compatible("/soc/isa@0/rtc@i70", "motorola,mc146818"));
	assert_int_equal(cell("/soc/isa@0/rtc@i70", "reg", 3, 1), 0x70);
	assert_int_equal(cell("/soc/isa@0/rtc@i70", "interrupts", 2, 0), 8);

	parent = cell("/soc/isa@0", "interrupt-parent", 1, 0);
	assert_int_equal(fdt_node_offset_by_phandle(blob, parent),
			 fdt_path_offset(blob,
					 "/soc/interrupt-controller@fec00000"));
}

static void virtio_transports_have_memory_and_an_edge_interrupt(void **state)
{
	const struct devicetree_config none = {
		.platform = a_pc(MIB(64), 1, TRAPMAP_TRANSPORT_MMIO_CMDLINE, 8),
	};
	const struct devicetree_config m = {
		.platform = a_pc(MIB(64), 255, TRAPMAP_TRANSPORT_MMIO, 8),
	};
	const char *last = "/soc/virtio@d0007000";

	build(&m);
	assert_true(is_compatible("/soc/virtio@d0000000", "virtio,mmio"));
	assert_true(is_compatible(last, "virtio,mmio"));
	assert_true(cell2(last, "reg", 4, 0) == 0xd0007000);
	assert_true(cell2(last, "reg", 4, 2) == 0x1000);
	assert_int_equal(cell(last, "interrupts", 2, 0), 23);
	assert_int_equal(cell(last, "interrupts", 2, 1), 0); /* rising */
	assert_int_equal(fdt_node_offset_by_phandle(
				 blob, cell(last, "interrupt-parent", 1, 0)),
			 fdt_path_offset(
				 blob, "/soc/interrupt-controller@fec00000"));
	drop_blob(NULL);

	build(&none);
	assert_true(fdt_path_offset(blob, "/soc/virtio@d0000000") < 0);
}

/* host-generic-pci.yaml, and IEEE 1275's PCI and interrupt mapping. */
static void a_pci_bus_has_a_window_and_a_map_of_interrupts(void **state)
{
	const struct devicetree_config m = {
		.platform = a_pc(MIB(64), 2, TRAPMAP_TRANSPORT_PCI, 28),
	};
	const char *pci = "/soc/pci@d8000000";
	int i, found = 0;

	build(&m);
	assert_true(is_compatible(pci, "pci-host-ecam-generic"));
	assert_true(cell2(pci, "reg", 4, 0) == 0xd8000000);
	assert_true(cell2(pci, "reg", 4, 2) == 0x100000);
	assert_int_equal(cell(pci, "bus-range", 2, 1), 0);
	assert_int_equal(cell(pci, "ranges", 7, 0), 0x02000000);
	assert_true(cell2(pci, "ranges", 7, 1) == 0xe0000000);
	assert_true(cell2(pci, "ranges", 7, 3) == 0xe0000000);
	assert_true(cell2(pci, "ranges", 7, 5) == 0x10000000);

	/* Slot 6's INTA is 16 + 6 % 4, level low. */
	for (i = 0; i < 16; i++) {
		uint32_t slot = 6 << 11 & cell(pci, "interrupt-map-mask", 4, 0);

		if (cell(pci, "interrupt-map", 112, 7 * i) != slot ||
		    cell(pci, "interrupt-map", 112, 7 * i + 3) != 1)
			continue;
		assert_int_equal(cell(pci, "interrupt-map", 112, 7 * i + 5), 18);
		assert_int_equal(cell(pci, "interrupt-map", 112, 7 * i + 6), 1);
		found++;
	}
	assert_int_equal(found, 1);
	assert_true(fdt_path_offset(blob, "/soc/virtio@d0000000") < 0);
}

static void the_apics_are_where_linux_looks(void **state)
{
	simple();
	assert_true(is_compatible("/soc/interrupt-controller@fec00000",
				  "intel,ce4100-ioapic"));
	assert_true(cell2("/soc/interrupt-controller@fec00000", "reg", 4, 0) ==
		    0xfec00000);
	assert_true(is_compatible("/soc/lapic@fee00000", "intel,ce4100-lapic"));
	assert_true(cell2("/soc/lapic@fee00000", "reg", 4, 0) == 0xfee00000);
}

/* Memory in four ranges, ports in memory and not, a clock elsewhere. */
static void take_apart(struct platform *p)
{
	static const struct platform_ram ram[] = {
		{ 0, MIB(64) },
		{ GIB(1), MIB(1) },
		{ GIB(4), GIB(1) },
		{ GIB(64), GIB(1) },
	};

	memcpy(p->ram, ram, sizeof(ram));
	p->rams = ARRAY_SIZE(ram);
	p->rtc.base = 0x170;
	p->uart[0] = (struct platform_place){
		.there = true,
		.space = TRAPMAP_SPACE_MMIO,
		.reg_shift = 2,
		.irq = 6,
		.base = 0xd2000000,
	};
	p->uart[1] = (struct platform_place){
		.there = true,
		.space = TRAPMAP_SPACE_MMIO,
		.irq = 7,
		.base = 0xd2001000,
	};
	p->uart[2] = (struct platform_place){
		.there = true,
		.irq = 5,
		.base = 0x1000,
	};
	p->slot[3].irq = 3;
}

static int dump(const char *path, unsigned cpus, const char *kind)
{
	struct devicetree_config m = {
		.platform = a_pc(GIB(5), cpus,
				 !strcmp(kind, "pci") ? TRAPMAP_TRANSPORT_PCI :
							TRAPMAP_TRANSPORT_MMIO,
				 8),
		.cmdline = "console=ttyS0",
		.initrd = 0x1f000000,
		.initrd_len = 0x123456,
	};
	size_t len;
	FILE *f;
	bool ok;
	unsigned i;

	for (i = 0; i < PLATFORM_UARTS && !strcmp(kind, "four"); i++)
		platform_add_pc_uart(&m.platform, i);
	if (!strcmp(kind, "pieces"))
		take_apart(&m.platform);
	if (!strcmp(kind, "bare")) {
		m.platform.rtc.there = false;
		m.platform.uart[0].there = false;
		m.platform.virtio = 0;
	}
	if (devicetree_build(&m, &blob, &len))
		return 1;
	f = fopen(path, "wb");
	if (!f)
		return 1;
	ok = fwrite(blob, 1, len, f) == len;
	ok = fclose(f) == 0 && ok;
	drop_blob(NULL);
	return !ok;
}

#define T(f) cmocka_unit_test_teardown(f, drop_blob)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(the_root_says_what_it_is),
		T(a_small_machine_has_memory_around_the_bios),
		T(a_large_machine_goes_on_above_the_hole),
		T(each_processor_has_a_node_with_its_apic_id),
		T(nodes_go_by_the_apic_id_not_by_the_number),
		T(the_kernel_finds_what_it_was_given),
		T(what_is_not_given_is_not_there),
		T(a_long_command_line_fits),
		T(isa_devices_have_ports_and_interrupts),
		T(virtio_transports_have_memory_and_an_edge_interrupt),
		T(a_pci_bus_has_a_window_and_a_map_of_interrupts),
		T(the_apics_are_where_linux_looks),
	};

	if (argc == 5 && !strcmp(argv[1], "dump"))
		return dump(argv[2], (unsigned)atoi(argv[3]), argv[4]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
