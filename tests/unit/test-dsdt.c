// SPDX-License-Identifier: MIT
/*
 * What the DSDT says, byte by byte: the encoding is that of ACPI 6.4, chapters 6 and
 * 20. iasl reads it in acpi-iasl.sh.
 */
#include "acpi_rig.h"

/* Byte for byte from the specification's encoding, chapters 6 and 20. */
static void the_dsdt_has_s5_serial_port_and_clock(void **state)
{
	static const uint8_t s5[] = { 0x08, '_', 'S', '5', '_', 0x12, 0x06,
				      0x04, 0,	 0,   0,   0 };
	static const uint8_t com1[] = {
		0x08, '_', 'H',	 'I',  'D',  0x0c, 0x41, 0xd0, 0x05, 0x01,
		0x08, '_', 'U',	 'I',  'D',  0x01, 0x08, '_',  'C',  'R',
		'S',  0x11, 0x10, 0x0a, 0x0d, 0x47, 0x01, 0xf8, 0x03, 0xf8,
		0x03, 0x01, 0x08, 0x22, 0x10, 0x00, 0x79, 0x00,
	};
	static const uint8_t rtc[] = {
		0x0c, 0x41, 0xd0, 0x0b, 0x00, 0x08, '_',  'C',	 'R',
		'S',  0x11, 0x10, 0x0a, 0x0d, 0x47, 0x01, 0x70, 0x00,
		0x70, 0x00, 0x01, 0x02, 0x22, 0x00, 0x01, 0x79, 0x00,
	};
	const uint8_t *fadt, *dsdt;

	build(1);
	fadt = find("FACP");
	dsdt = table_at(get_le32(fadt + 40), "DSDT");
	assert_int_equal(get_le64(fadt + 140), get_le32(fadt + 40));
	assert_int_equal(dsdt[8], 2);
	assert_true(contains(dsdt, s5, sizeof(s5)));
	assert_true(contains(dsdt, com1, sizeof(com1)));
	assert_true(contains(dsdt, rtc, sizeof(rtc)));
}

static void a_board_that_is_no_pc_is_told_as_it_is(void **state)
{
	/* Memory32Fixed and Interrupt (Edge, ActiveHigh, Exclusive) { 18 } */
	static const uint8_t com2[] = {
		'_', 'U', 'I', 'D', 0x0a, 2, 0x08, '_', 'C', 'R', 'S', 0x11,
		0x1a, 0x0a, 0x17,
		0x86, 9, 0, 1, 0x00, 0x10, 0x10, 0xd0, 8, 0, 0, 0,
		0x89, 6, 0, 3, 1, 18, 0, 0, 0,
		0x79, 0,
	};
	/* IRQ (Edge, ActiveHigh, Shared) { 4 }, 6.4.2.1 */
	static const uint8_t com3[] = {
		0x47, 1, 0xe8, 3, 0xe8, 3, 1, 8, 0x23, 0x10, 0, 0x11, 0x79, 0,
	};
	struct platform p = board();
	const uint8_t *fadt, *dsdt;
	unsigned i;

	build_for(&p);
	fadt = find("FACP");
	assert_int_equal(fadt[106] | fadt[107] | fadt[108], 0);
	assert_true(get_le32(fadt + 112) & BIT(6));
	assert_true(get_le16(fadt + 109) & BIT(5)); /* no CMOS RTC */
	dsdt = table_at(get_le32(fadt + 40), "DSDT");
	assert_false(contains(dsdt, "COM1", 4));
	assert_true(contains(dsdt, com2, sizeof(com2)));
	assert_true(contains(dsdt, com3, sizeof(com3)));
	assert_true(contains(dsdt, "COM4", 4));
	assert_false(contains(dsdt, "RTC_", 4));

	for (i = 0; i < PLATFORM_UARTS; i++)
		p.uart[i].there = false;
	build_for(&p);
	assert_int_equal(get_le32(table_at(get_le64(mem + 24), "XSDT") + 4),
			 36 + 2 * 8);
}

/* Linux' drivers find both by _HID, and their port in _CRS. */
static void the_dsdt_has_pvpanic_and_fw_cfg(void **state)
{
	static const uint8_t pvpanic[] = {
		0x08, '_',  'H',  'I', 'D',  0x0d, 'Q',	 'E',  'M',  'U',  '0',
		'0',  '0',  '1',  0,   0x08, '_',  'S',	 'T',  'A',  0x0a, 0x0f,
		0x08, '_',  'C',  'R', 'S',  0x11, 0x0d, 0x0a, 0x0a, 0x47, 0x01,
		0x05, 0x05, 0x05, 0x05, 0x01, 0x01, 0x79, 0x00,
	};
	static const uint8_t fw_cfg[] = {
		0x08, '_',  'H',  'I', 'D',  0x0d, 'Q',	 'E',  'M',  'U',  '0',
		'0',  '0',  '2',  0,   0x08, '_',  'S',	 'T',  'A',  0x0a, 0x0b,
		0x08, '_',  'C',  'R', 'S',  0x11, 0x0d, 0x0a, 0x0a, 0x47, 0x01,
		0x10, 0x05, 0x10, 0x05, 0x01, 0x0c, 0x79, 0x00,
	};
	const uint8_t *dsdt;

	build(1);
	dsdt = table_at(get_le32(find("FACP") + 40), "DSDT");
	assert_true(contains(dsdt, pvpanic, sizeof(pvpanic)));
	assert_true(contains(dsdt, fw_cfg, sizeof(fw_cfg)));
}

/* What Linux' virtio_mmio driver asks for: _HID, then memory and interrupt. */
static void the_dsdt_has_every_virtio_transport(void **state)
{
	static const uint8_t last[] = {
		'V',  'I',  'O',  '7',	0x08, '_',  'H',  'I',	'D',  0x0d,
		'L',  'N',  'R',  'O',	'0',  '0',  '0',  '5',	0,    0x08,
		'_',  'U',  'I',  'D',	0x0a, 7,    0x08, '_',	'C',  'R',
		'S',  0x11, 0x1a, 0x0a, 0x17,
		/* Memory32Fixed (ReadWrite, 0xd0007000, 0x1000) */
		0x86, 9,    0,	  1,	0x00, 0x70, 0x00, 0xd0, 0x00, 0x10,
		0x00, 0x00,
		/* Interrupt (Consumer, Edge, ActiveHigh, Exclusive) { 23 } */
		0x89, 6,    0,	  3,	1,    23,   0,	  0,	0,
		0x79, 0x00,
	};
	const struct platform cmdline =
		a_pc(MIB(64), 1, TRAPMAP_TRANSPORT_MMIO_CMDLINE, 8);
	const uint8_t *dsdt;

	build(1);
	dsdt = table_at(get_le32(find("FACP") + 40), "DSDT");
	assert_true(contains(dsdt, last, sizeof(last)));
	assert_true(contains(dsdt, "VIO0", 4));
	assert_false(contains(dsdt, "PCI0", 4));

	/* Where something else names them, ACPI does not. */
	build_for(&cmdline);
	dsdt = table_at(get_le32(find("FACP") + 40), "DSDT");
	assert_false(contains(dsdt, "LNRO0005", 8));
	build_for(&pci);
	dsdt = table_at(get_le32(find("FACP") + 40), "DSDT");
	assert_false(contains(dsdt, "LNRO0005", 8));
}

static void the_dsdt_has_a_pci_host_bridge(void **state)
{
	static const uint8_t crs[] = {
		0x08, '_', 'C', 'R', 'S', 0x11, 0x37, 0x0a, 0x34,
		/* WordBusNumber (Producer, MinFixed, MaxFixed) { 0 to 0 } */
		0x88, 13, 0, 2, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0,
		/* IO (Decode16, 0xcf8, 0xcf8, 1, 8) */
		0x47, 1, 0xf8, 0x0c, 0xf8, 0x0c, 1, 8,
		/* DWordMemory (Producer, fixed, NonCacheable, ReadWrite) */
		0x87, 23, 0, 0, 0x0c, 1, 0, 0, 0, 0, 0, 0, 0, 0xe0,
		0xff, 0xff, 0xff, 0xef, 0, 0, 0, 0, 0, 0, 0, 0x10,
		0x79, 0,
	};
	/* Memory32Fixed: what MCFG says is reserved. */
	static const uint8_t ecam[] = { 0x86, 9, 0, 1, 0, 0, 0, 0xd8,
					0,    0, 0x10, 0 };
	/* PNP0A03, as a name and as an EISA id. */
	static const uint8_t hid[] = { '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0,
				       0x0a, 0x03 };
	const uint8_t *dsdt;

	build_for(&pci);
	dsdt = table_at(get_le32(find("FACP") + 40), "DSDT");
	assert_true(contains(dsdt, crs, sizeof(crs)));
	assert_true(contains(dsdt, ecam, sizeof(ecam)));
	assert_true(contains(dsdt, hid, sizeof(hid)));
}

/* 6.2.13: slot n's INTA is at 16 + n % 4. */
static void every_pci_slot_has_its_interrupt(void **state)
{
	const uint8_t *dsdt, *prt;
	unsigned slot;

	build_for(&pci);
	dsdt = table_at(get_le32(find("FACP") + 40), "DSDT");
	prt = memmem(dsdt, get_le32(dsdt + 4), "_PRT", 4);
	assert_non_null(prt);
	assert_int_equal(prt[4], 0x12);
	assert_int_equal(prt[5] >> 6, 1); /* a length of two bytes */
	assert_int_equal(prt[7], 31);
	for (prt += 8, slot = 1; slot <= 31; slot++, prt += prt[1] + 1) {
		const uint8_t want[] = { 0x12, 11, 4, 0x0c, 0xff, 0xff,
					 (uint8_t)slot, 0, 0, 0, 0x0a,
					 (uint8_t)(16 + slot % 4) };

		assert_memory_equal(prt, want, sizeof(want));
	}
}

static void the_dsdt_has_every_processor(void **state)
{
	static const uint8_t first[] = {
		0x5b, 0x82, 0x1a, 'C', 'P', '0', '0', 0x08, '_', 'H', 'I', 'D',
		0x0d, 'A',  'C',  'P', 'I', '0', '0', '0',  '7', 0,   0x08, '_',
		'U',  'I',  'D',  0x00,
	};
	static const uint8_t last_uid[] = { 'U', 'I', 'D', 0x0a, 254 };
	const uint8_t *dsdt;

	build(255);
	dsdt = table_at(get_le32(find("FACP") + 40), "DSDT");
	assert_true(contains(dsdt, first, sizeof(first)));
	assert_true(contains(dsdt, "CPFE", 4));
	assert_true(contains(dsdt, last_uid, sizeof(last_uid)));
	assert_false(contains(dsdt, "CPFF", 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_dsdt_has_s5_serial_port_and_clock),
		cmocka_unit_test(a_board_that_is_no_pc_is_told_as_it_is),
		cmocka_unit_test(the_dsdt_has_pvpanic_and_fw_cfg),
		cmocka_unit_test(the_dsdt_has_every_virtio_transport),
		cmocka_unit_test(the_dsdt_has_a_pci_host_bridge),
		cmocka_unit_test(every_pci_slot_has_its_interrupt),
		cmocka_unit_test(the_dsdt_has_every_processor),
	};

	rig_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
