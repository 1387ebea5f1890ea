// SPDX-License-Identifier: MIT
/* The tree of a PC, changed in one place after another. */
#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libfdt.h>

#include "a_pc.h"
#include "board/read.h"
#include "core/base.h"
#include "devicetree.h"

#define ROOM 65536

static _Alignas(8) uint8_t blob[ROOM];
static struct tree_board *board;
static char err[BOARD_ERR_LEN];

static int drop(void **state)
{
	board_free(board);
	board = NULL;
	return 0;
}

static void start(unsigned cpus, enum trapmap_transport transport)
{
	const struct devicetree_config m = {
		.platform = a_pc(MIB(512), cpus, transport, 2),
		.cmdline = "console=ttyS0",
	};
	void *made = NULL;
	size_t len = 0;

	drop(NULL);
	assert_int_equal(devicetree_build(&m, &made, &len), 0);
	assert_int_equal(fdt_open_into(made, blob, ROOM), 0);
	free(made);
}

static int at(const char *path)
{
	int node = fdt_path_offset(blob, path);

	if (node < 0)
		fail_msg("no node %s", path);
	return node;
}

static int add(const char *parent, const char *name)
{
	int node = fdt_add_subnode(blob, at(parent), name);

	assert_true(node > 0);
	return node;
}

static void cells(const char *path, const char *name, unsigned n,
		  const uint32_t *cell)
{
	fdt32_t be[16];
	unsigned i;

	for (i = 0; i < n; i++)
		be[i] = cpu_to_fdt32(cell[i]);
	assert_int_equal(fdt_setprop(blob, at(path), name, be, (int)n * 4), 0);
}

#define CELLS(path, name, ...)                                               \
	cells(path, name, sizeof((uint32_t[]){ __VA_ARGS__ }) / 4,           \
	      (uint32_t[]){ __VA_ARGS__ })

static void string(const char *path, const char *name, const char *val)
{
	assert_int_equal(fdt_setprop_string(blob, at(path), name, val), 0);
}

#define ISA "/soc/isa@0/"

static void add_isa(const char *name, const char *compatible, uint32_t port,
		    uint32_t len, uint32_t irq)
{
	char path[64];

	snprintf(path, sizeof(path), ISA "%s", name);
	add("/soc/isa@0", name);
	string(path, "compatible", compatible);
	CELLS(path, "reg", 1, port, len);
	CELLS(path, "interrupts", irq, 0);
}

static void add_uart(const char *name, uint32_t port, uint32_t irq)
{
	add_isa(name, "ns16550a", port, 8, irq);
}

static const struct platform *read_ok(void)
{
	drop(NULL);
	if (board_read(blob, ROOM, &board, err))
		fail_msg("refused: %s", err);
	return &board->platform;
}

/* Refused, with a line that has all of this in it. */
static void refused(const char *a, const char *b)
{
	assert_int_equal(board_read(blob, ROOM, &board, err), -EINVAL);
	if (!strstr(err, a) || !strstr(err, b))
		fail_msg("'%s' has no '%s' or no '%s'", err, a, b);
	assert_null(strchr(err, '\n'));
}

static void a_pc_is_read_as_it_was_written(void **state)
{
	const struct platform pc = a_pc(MIB(512), 3, TRAPMAP_TRANSPORT_MMIO, 2);
	const struct platform *p;

	start(3, TRAPMAP_TRANSPORT_MMIO);
	p = read_ok();
	assert_int_equal(p->rams, 1);
	assert_true(p->ram[0].base == 0 && p->ram[0].len == MIB(512));
	assert_true(p->mem == MIB(512));
	assert_int_equal(p->cpus, 3);
	assert_int_equal(p->topology.sockets, 0);
	assert_memory_equal(&p->uart[0], &pc.uart[0], sizeof(pc.uart[0]));
	assert_memory_equal(&p->rtc, &pc.rtc, sizeof(pc.rtc));
	assert_int_equal(p->slots, 2);
	assert_memory_equal(&p->slot[1], &pc.slot[1], sizeof(pc.slot[1]));
	assert_int_equal(p->transport, TRAPMAP_TRANSPORT_MMIO);
	assert_string_equal(board->bootargs, "console=ttyS0");
	assert_int_equal(board->notes, 0);

	start(1, TRAPMAP_TRANSPORT_PCI);
	p = read_ok();
	assert_int_equal(p->transport, TRAPMAP_TRANSPORT_PCI);
	assert_int_equal(p->slots, 0);
}

static void memory_of_several_nodes_is_put_in_order(void **state)
{
	const struct platform *p;

	start(1, TRAPMAP_TRANSPORT_MMIO);
	CELLS("/memory@0", "reg", 0, 0, 0, 0xa0000, 1, 0, 0, 0x200000);
	add("/", "memory@100000");
	string("/memory@100000", "device_type", "memory");
	CELLS("/memory@100000", "reg", 0, 0x40000000, 0, 0x1000, 0, 0x100000, 0,
	      0x700000);
	p = read_ok();
	assert_int_equal(p->rams, 3);
	assert_true(p->ram[0].len == MIB(8));
	assert_true(p->ram[1].base == GIB(1) && p->ram[1].len == 4096);
	assert_true(p->ram[2].base == GIB(4) && p->ram[2].len == MIB(2));
	assert_true(p->mem == MIB(10) + 4096);

	/* What has only 640 KiB has the BIOS's part as well. */
	fdt_del_node(blob, at("/memory@100000"));
	CELLS("/memory@0", "reg", 0, 0, 0, 0xa0000);
	p = read_ok();
	assert_true(p->rams == 1 && p->ram[0].len == MIB(1));
}

static void memory_that_cannot_be_is_refused(void **state)
{
	static const struct {
		uint32_t reg[8];
		unsigned n;
		const char *why;
	} bad[] = {
		{ { 0, 0x100000, 0, 0x100000 }, 4, "expected some at 0" },
		{ { 0, 0, 0, 0x100800 }, 4, "whole pages" },
		{ { 0, 0, 0, 0xc0001000 }, 4, "3 GiB to 4 GiB" },
		{ { 0, 0, 1, 0x100000 }, 4, "3 GiB to 4 GiB" },
		{ { 0, 0, 0, 0 }, 4, "0 bytes" },
		{ { 0xffffffff, 0xfffff000, 0, 0x2000 }, 4, "4 PiB" },
		{ { 0, 0, 0xffffffff, 0xfffff000 }, 4, "4 PiB" },
		{ { 0, 0, 0, 0x800000, 0, 0x700000, 0, 0x200000 },
		  8,
		  "both have address 0x700000" },
		{ { 0, 0, 0 }, 3, "reg has 3 cells" },
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		start(1, TRAPMAP_TRANSPORT_MMIO);
		cells("/memory@0", "reg", bad[i].n, bad[i].reg);
		refused("/memory@0: ", bad[i].why);
	}
}

static void processors_go_by_their_apic_ids(void **state)
{
	const struct platform *p;

	start(6, TRAPMAP_TRANSPORT_MMIO);
	/* Two sockets of three cores, and not in order. */
	CELLS("/cpus/cpu@0", "reg", 6);
	CELLS("/cpus/cpu@3", "reg", 4);
	CELLS("/cpus/cpu@4", "reg", 5);
	CELLS("/cpus/cpu@5", "reg", 0);
	p = read_ok();
	assert_int_equal(p->cpus, 6);
	assert_int_equal(p->topology.sockets, 2);
	assert_int_equal(p->topology.cores, 3);
	assert_int_equal(p->topology.threads, 1);

	string("/cpus/cpu@0", "status", "disabled");
	string("/cpus/cpu@3", "status", "fail");
	string("/cpus/cpu@4", "status", "disabled");
	p = read_ok();
	assert_int_equal(p->cpus, 3);

	CELLS("/cpus/cpu@5", "reg", 9);
	refused("/cpus/cpu@1: local APIC id 1", "expected 0");
	CELLS("/cpus/cpu@5", "reg", 1);
	refused("/cpus/cpu@", "both have local APIC id 1");
}

static void the_console_is_the_first_serial_port(void **state)
{
	const struct platform *p;

	start(1, TRAPMAP_TRANSPORT_MMIO);
	add_uart("serial@i2f8", 0x2f8, 3);
	add_uart("serial@i3e8", 0x3e8, 4); /* with COM1's, as on a PC */
	string("/aliases", "serial1", ISA "serial@i3e8");
	string("/aliases", "serial2", ISA "serial@i2f8");
	p = read_ok();
	assert_true(p->uart[0].base == 0x3f8);
	assert_true(p->uart[1].base == 0x3e8 && p->uart[1].irq == 4);
	assert_true(p->uart[2].base == 0x2f8);
	assert_false(p->uart[3].there);

	string("/chosen", "stdout-path", "serial2:115200n8");
	p = read_ok();
	assert_true(p->uart[0].base == 0x2f8);
	assert_true(p->uart[1].base == 0x3f8);

	string("/chosen", "stdout-path", ISA "rtc@i70");
	refused("/chosen: ", "no serial port of the board");
	/* An alias of itself, and one of another. */
	string("/aliases", "console", "console");
	string("/chosen", "stdout-path", "console");
	refused("/chosen: ", "no serial port of the board");
}

static void a_serial_port_in_memory_is_found_through_its_buses(void **state)
{
	const char *path = "/soc/bus/inner/serial@10";
	const struct platform *p;

	start(1, TRAPMAP_TRANSPORT_MMIO);
	add("/soc", "bus");
	string("/soc/bus", "compatible", "simple-bus");
	CELLS("/soc/bus", "#address-cells", 1);
	CELLS("/soc/bus", "#size-cells", 1);
	CELLS("/soc/bus", "ranges", 0, 0, 0xd1000000, 0x1000, 0x8000, 0,
	      0xd2000000, 0x8000);
	add("/soc/bus", "inner");
	string("/soc/bus/inner", "compatible", "simple-bus");
	CELLS("/soc/bus/inner", "#address-cells", 1);
	CELLS("/soc/bus/inner", "#size-cells", 1);
	CELLS("/soc/bus/inner", "ranges", 0, 0x9000, 0x100);
	CELLS("/soc/bus/inner", "interrupt-parent", 1);
	add("/soc/bus/inner", "serial@10");
	string(path, "compatible", "ns16550a");
	CELLS(path, "reg", 0x10, 0x20);
	CELLS(path, "reg-shift", 2);
	CELLS(path, "interrupts", 21, 0);
	p = read_ok();
	assert_true(p->uart[1].base == 0xd2001010);
	assert_int_equal(p->uart[1].space, TRAPMAP_SPACE_MMIO);
	assert_int_equal(p->uart[1].reg_shift, 2);
	assert_int_equal(p->uart[1].irq, 21);

	CELLS(path, "reg", 0xf0, 0x20);
	refused(path, "in none of the ranges of its bus /soc/bus/inner");
	CELLS(path, "reg", 0xffffffff, 0xffffffff);
	refused(path, "in none of the ranges");
	CELLS(path, "reg", 0x10, 0x10);
	refused(path, "reg: 0x10 bytes");
	CELLS(path, "reg", 0x10);
	refused(path, "reg has 1 cells");
	CELLS(path, "reg", 0x10, 0x20);
	CELLS("/soc/bus/inner", "ranges", 0, 0x9000);
	refused("/soc/bus/inner: ranges has 2 cells", "");
	fdt_delprop(blob, at("/soc/bus/inner"), "ranges");
	refused(path, "its bus /soc/bus/inner has no ranges");
	CELLS("/soc/bus", "#address-cells", 0xffffffff);
	refused("/soc/bus: #address-cells", "expected 0 to 4");
}

static void a_clash_names_both_nodes(void **state)
{
	start(1, TRAPMAP_TRANSPORT_MMIO);
	add_uart("serial@i2f8", 0x2f8, 4);
	refused(ISA "serial@i2f8 and " ISA "serial@i3f8: ",
		"both have interrupt 4");
	CELLS(ISA "serial@i2f8", "interrupts", 3, 0);
	CELLS(ISA "serial@i2f8", "reg", 1, 0x3f4, 8);
	refused(ISA "serial@i2f8 and " ISA "serial@i3f8: ",
		"both have port 0x3f8");
	CELLS(ISA "serial@i2f8", "reg", 1, 0x2f8, 8);
	read_ok();
	CELLS("/soc/virtio@d0001000", "reg", 0, 0xd0000000, 0, 0x1000);
	refused("/soc/virtio@d0000000 and /soc/virtio@d0001000: ",
		"both have address 0xd0000000");
	CELLS("/soc/virtio@d0001000", "reg", 0, 0x10000000, 0, 0x1000);
	refused("/soc/virtio@d0001000 and /memory@0: ",
		"both have address 0x10000000");
}

static void what_every_board_has_is_not_to_be_had(void **state)
{
	static const struct {
		uint32_t port, irq;
		const char *why;
	} bad[] = {
		{ 0x600, 3, "port 0x600 is ACPI's" },
		{ 0x5a, 3, "port 0x60 is the keyboard controller's" },
		{ 0x20, 3, "port 0x20 is the interrupt controller's" },
		{ 0x510, 3, "port 0x510 is fw_cfg's" },
		{ 0xfff8, 3, NULL },
		{ 0xfffa, 3, "the last that there is is 0xffff" },
		{ 0xffffffff, 3, "the last that there is is 0xffff" },
		{ 0x2f8, 0, "interrupt 0 is the timer's" },
		{ 0x2f8, 9, "interrupt 9 is ACPI's (SCI)" },
		{ 0x2f8, 23, NULL },
		{ 0x2f8, 24, "inputs 0 to 23" },
		{ 0x2f8, 0xffffffff, "inputs 0 to 23" },
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		start(1, TRAPMAP_TRANSPORT_MMIO);
		add_uart("serial@i2f8", bad[i].port, bad[i].irq);
		if (bad[i].why)
			refused(ISA "serial@i2f8: ", bad[i].why);
		else
			read_ok();
	}
	start(1, TRAPMAP_TRANSPORT_MMIO);
	CELLS("/soc/virtio@d0001000", "reg", 0, 0xfee00000, 0, 0x1000);
	refused("/soc/virtio@d0001000: ", "the local APICs'");
	start(1, TRAPMAP_TRANSPORT_MMIO);
	CELLS("/soc/interrupt-controller@fec00000", "reg", 0, 0xfec01000, 0,
	      0x1000);
	refused("/soc/interrupt-controller@fec00000: it is at 0xfec01000",
		"expected 0xfec00000");
}

static void an_interrupt_leads_to_the_ioapic(void **state)
{
	const char *path = ISA "serial@i3f8";

	start(1, TRAPMAP_TRANSPORT_MMIO);
	CELLS("/soc/isa@0", "interrupt-parent", 77);
	refused(path, "no node has that phandle");
	/* A node that is its own parent, and one that is no controller. */
	CELLS("/soc/isa@0", "phandle", 77);
	refused(path, "goes to /soc/isa@0");
	fdt_delprop(blob, at("/soc/isa@0"), "interrupt-parent");
	refused(path, "no interrupt-parent");
	CELLS("/", "interrupt-parent", 1);
	assert_int_equal(read_ok()->uart[0].irq, 4);
	CELLS(path, "interrupts-extended", 1, 7, 0);
	assert_int_equal(read_ok()->uart[0].irq, 7);
	CELLS(path, "interrupts-extended", 1, 7, 1);
	refused(path, "interrupt 7 is of sense 1");
	CELLS(path, "interrupts-extended", 1, 7, 0, 1, 8, 0);
	refused(path, "5 cells; expected one interrupt");
	fdt_delprop(blob, at(path), "interrupts-extended");
	fdt_delprop(blob, at(path), "interrupts");
	refused(path, "it has no interrupts");
}

static void what_nothing_serves_is_named_by_its_path(void **state)
{
	char name[32];
	unsigned i;

	start(1, TRAPMAP_TRANSPORT_MMIO);
	add_isa("beeper@i42\n", "pc,beeper\x1b[2J", 0x42, 1, 4);
	add("/soc", "nameless@1");
	CELLS("/soc/nameless@1", "reg", 0, 0, 0, 0);
	add("/soc", "off@1");
	string("/soc/off@1", "compatible", "acme,off");
	string("/soc/off@1", "status", "disabled");
	read_ok();
	assert_int_equal(board->notes, 2);
	assert_string_equal(board->note[0],
			    "/soc/nameless@1: no model; it has no compatible");
	assert_string_equal(board->note[1], ISA "beeper@i42?: no model for "
						"'pc,beeper?[2J'");
	for (i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "x@%u", i);
		add("/", name);
		snprintf(name, sizeof(name), "/x@%u", i);
		string(name, "compatible", "acme,x");
	}
	read_ok();
	assert_int_equal(board->notes, BOARD_NOTES_MAX);
	assert_int_equal(board->withheld, 42 - BOARD_NOTES_MAX);
}

static void too_many_and_too_deep_is_refused(void **state)
{
	char path[256] = "", name[16];
	unsigned i;

	start(1, TRAPMAP_TRANSPORT_MMIO);
	for (i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "serial@i%x", 0x1000 + 8 * i);
		add_uart(name, 0x1000 + 8 * i, 10 + i + (i > 1));
	}
	refused(ISA "serial@i", "there can be 4");

	start(1, TRAPMAP_TRANSPORT_MMIO);
	for (i = 0; i < 16; i++) {
		add(*path ? path : "/", "deep");
		strcat(path, "/deep");
	}
	refused("/deep/deep/deep", "deeper than any board's");
	string("/deep", "status", "disabled");
	read_ok();
}

static void no_part_of_a_blob_is_a_board(void **state)
{
	size_t len, i;
	uint8_t *part;

	start(2, TRAPMAP_TRANSPORT_MMIO);
	assert_int_equal(fdt_pack(blob), 0);
	len = fdt_totalsize(blob);
	for (i = 0; i < len; i++) {
		part = malloc(i + 1);
		assert_non_null(part);
		memcpy(part, blob, i);
		assert_int_equal(board_read(part, i, &board, err), -EINVAL);
		free(part);
	}
	memset(blob, 0, 4);
	refused("no devicetree blob", "d0 0d fe ed");
}

/* Each property would be a search through all of the name. */
static void a_name_without_an_end_in_sight_is_refused(void **state)
{
	char name[257];

	memset(name, 'a', sizeof(name));
	name[255] = '\0';
	start(1, TRAPMAP_TRANSPORT_MMIO);
	CELLS("/soc", name, 1);
	read_ok();
	name[255] = 'a';
	name[256] = '\0';
	CELLS("/soc", name, 1);
	refused("a property's name of more than", "255");
}

#define T(f) cmocka_unit_test_teardown(f, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_pc_is_read_as_it_was_written),
		T(memory_of_several_nodes_is_put_in_order),
		T(memory_that_cannot_be_is_refused),
		T(processors_go_by_their_apic_ids),
		T(the_console_is_the_first_serial_port),
		T(a_serial_port_in_memory_is_found_through_its_buses),
		T(a_clash_names_both_nodes),
		T(what_every_board_has_is_not_to_be_had),
		T(an_interrupt_leads_to_the_ioapic),
		T(what_nothing_serves_is_named_by_its_path),
		T(too_many_and_too_deep_is_refused),
		T(no_part_of_a_blob_is_a_board),
		T(a_name_without_an_end_in_sight_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
