// SPDX-License-Identifier: MIT
/*
 * With arguments "dump FOLDER CPUS mmio|pci|board|bare" it writes each table to a
 * file of its own instead, for acpi-iasl.sh.
 */
#include "acpi_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "acpi_pm.h"

static void the_rsdp_comes_first_with_both_checksums(void **state)
{
	build(1);
	assert_memory_equal(mem, "RSD PTR ", 8);
	assert_int_equal(mem[15], 2);
	assert_int_equal(get_le32(mem + 20), 36);
	assert_int_equal(sum(mem, 20), 0);
	assert_int_equal(sum(mem, 36), 0);
}

static void rsdt_and_xsdt_list_the_same_tables(void **state)
{
	const uint8_t *rsdt, *xsdt;

	build(2);
	rsdt = table_at(get_le32(mem + 16), "RSDT");
	xsdt = table_at(get_le64(mem + 24), "XSDT");
	assert_int_equal(get_le32(rsdt + 4), 36 + 3 * 4);
	assert_int_equal(get_le32(xsdt + 4), 36 + 3 * 8);
	assert_int_equal(get_le32(rsdt + 36), get_le64(xsdt + 36));
	assert_int_equal(get_le32(rsdt + 40), get_le64(xsdt + 44));
	assert_int_equal(get_le32(rsdt + 44), get_le64(xsdt + 52));
	table_at(get_le64(xsdt + 36), "FACP");
	table_at(get_le64(xsdt + 44), "APIC");
	table_at(get_le64(xsdt + 52), "SPCR");

	build_for(&pci);
	rsdt = table_at(get_le32(mem + 16), "RSDT");
	xsdt = table_at(get_le64(mem + 24), "XSDT");
	assert_int_equal(get_le32(rsdt + 4), 36 + 4 * 4);
	assert_int_equal(get_le32(xsdt + 4), 36 + 4 * 8);
	assert_int_equal(get_le32(rsdt + 44), get_le64(xsdt + 52));
	table_at(get_le64(xsdt + 52), "MCFG");
}

/* The same blocks twice: in 32 bits, and as generic addresses. */
static void the_fadt_describes_the_fixed_hardware(void **state)
{
	const uint8_t *fadt;

	build(1);
	fadt = find("FACP");
	assert_int_equal(get_le32(fadt + 4), 276);
	assert_int_equal(fadt[8], 6);
	assert_int_equal(get_le16(fadt + 46), 9);
	assert_int_equal(get_le32(fadt + 48), 0); /* no SMI_CMD */

	assert_int_equal(get_le32(fadt + 56), 0x600);
	assert_int_equal(fadt[88], 4);
	assert_gas(fadt + 148, 0x600, 32);
	assert_int_equal(get_le32(fadt + 64), 0x604);
	assert_int_equal(fadt[89], 2);
	assert_gas(fadt + 172, 0x604, 16);
	assert_int_equal(get_le32(fadt + 76), 0x608);
	assert_int_equal(fadt[91], 4);
	assert_gas(fadt + 208, 0x608, 32);
	assert_gas(fadt + 116, 0x60c, 8);
	assert_int_equal(fadt[128], ACPI_PM_RESET_VALUE);
	assert_int_equal(fadt[106], 0x0d); /* DAY_ALRM */
	assert_int_equal(fadt[107], 0); /* MON_ALRM */
	assert_int_equal(fadt[108], 0x32); /* CENTURY */

	/* No second PM1 block, no PM2, no GPEs. */
	assert_int_equal(get_le32(fadt + 60) | get_le32(fadt + 68) |
				 get_le32(fadt + 72) | get_le32(fadt + 80) |
				 get_le32(fadt + 84),
			 0);
	assert_int_equal(fadt[90] | fadt[92] | fadt[93], 0);
}

static void the_fadt_says_what_is_not_there(void **state)
{
	const uint8_t *fadt;
	uint32_t flags;

	build(1);
	fadt = find("FACP");
	flags = get_le32(fadt + 112);
	assert_true(flags & BIT(0)); /* WBINVD */
	assert_true(flags & BIT(2)); /* PROC_C1 */
	assert_false(flags & BIT(4)); /* a fixed power button */
	assert_true(flags & BIT(5)); /* no fixed sleep button */
	assert_false(flags & BIT(6)); /* no RTC status in PM1 */
	assert_int_equal(!!(flags & BIT(8)), ACPI_PM_TIMER_BITS == 32);
	assert_true(flags & BIT(10)); /* RESET_REG_SUP */
	assert_false(flags & BIT(20)); /* not hardware-reduced */

	assert_true(get_le16(fadt + 109) & BIT(0)); /* legacy devices */
	assert_false(get_le16(fadt + 109) & BIT(1)); /* 8042 */
	assert_true(get_le16(fadt + 109) & BIT(2)); /* no VGA */
	assert_false(get_le16(fadt + 109) & BIT(5)); /* a CMOS RTC */

	assert_true(get_le16(fadt + 96) > 100); /* no C2 */
	assert_true(get_le16(fadt + 98) > 1000); /* no C3 */
}

static void the_facs_is_aligned_and_pointed_to_once(void **state)
{
	const uint8_t *fadt, *facs;

	build(3);
	fadt = find("FACP");
	facs = table_at(get_le32(fadt + 36), "FACS");
	assert_int_equal(get_le32(fadt + 36) % 64, 0);
	assert_int_equal(get_le32(facs + 4), 64);
	assert_int_equal(get_le64(fadt + 132), 0);
}

struct madt {
	unsigned cpus, ioapics, overrides, nmis;
};

static struct madt parse_madt(unsigned cpus)
{
	struct madt m = { 0 };
	const uint8_t *t, *e;

	build(cpus);
	t = find("APIC");
	assert_int_equal(get_le32(t + 36), 0xfee00000);
	assert_int_equal(get_le32(t + 40), 1);
	for (e = t + 44; e < t + get_le32(t + 4); e += e[1]) {
		assert_true(e[1] >= 6);
		switch (e[0]) {
		case 0:
			assert_int_equal(e[1], 8);
			assert_int_equal(e[2], m.cpus);
			assert_int_equal(e[3], m.cpus);
			assert_int_equal(get_le32(e + 4), 1);
			m.cpus++;
			break;
		case 1:
			assert_int_equal(e[1], 12);
			assert_int_equal(e[2], 0);
			assert_int_equal(get_le32(e + 4), 0xfec00000);
			assert_int_equal(get_le32(e + 8), 0);
			m.ioapics++;
			break;
		case 2:
			assert_int_equal(e[1], 10);
			assert_int_equal(e[2], 0);
			if (e[3] == 0) {
				assert_int_equal(get_le32(e + 4), 2);
				assert_int_equal(get_le16(e + 8), 0);
			} else { /* the SCI: active high, level */
				assert_int_equal(e[3], 9);
				assert_int_equal(get_le32(e + 4), 9);
				assert_int_equal(get_le16(e + 8), 0xd);
			}
			m.overrides++;
			break;
		case 4:
			assert_int_equal(e[1], 6);
			assert_int_equal(e[2], 0xff);
			assert_int_equal(get_le16(e + 3), 0);
			assert_int_equal(e[5], 1);
			m.nmis++;
			break;
		default: fail_msg("entry type %u", e[0]);
		}
	}
	assert_ptr_equal(e, t + get_le32(t + 4));
	return m;
}

static void the_madt_has_one_entry_per_processor(void **state)
{
	static const unsigned counts[] = { 1, 2, 64, 255 };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		struct madt m = parse_madt(counts[i]);

		assert_int_equal(m.cpus, counts[i]);
		assert_int_equal(m.ioapics, 1);
		assert_int_equal(m.overrides, 2);
		assert_int_equal(m.nmis, 1);
	}
}

/*
 * 5.2.12.12: ids from 255 on have an entry of their own, and NMIs too; here the last
 * of five sockets of 5 x 5, 256 to 292.
 */
static void ids_beyond_254_have_x2apic_entries(void **state)
{
	struct platform p = a_pc(MIB(64), 125, TRAPMAP_TRANSPORT_MMIO, 0);
	unsigned uid = 0, nmis = 0;
	const uint8_t *t, *e;

	p.topology = (struct topology){ 5, 5, 5 };
	build_for(&p);
	t = find("APIC");
	for (e = t + 44; e < t + get_le32(t + 4); e += e[1]) {
		uint32_t id = uid / 25 << 6 | uid / 5 % 5 << 3 | uid % 5;

		assert_true(e[1] >= 6);
		if (e[0] == 0) {
			assert_int_equal(e[2], uid);
			assert_int_equal(e[3], id);
			assert_true(id < 255);
			uid++;
		} else if (e[0] == 9) {
			assert_int_equal(e[1], 16);
			assert_int_equal(get_le32(e + 4), id);
			assert_true(id >= 255);
			assert_int_equal(get_le32(e + 8), 1);
			assert_int_equal(get_le32(e + 12), uid);
			uid++;
		} else if (e[0] == 10) {
			assert_int_equal(e[1], 12);
			assert_int_equal(get_le16(e + 2), 0);
			assert_int_equal(get_le32(e + 4), 0xffffffff);
			assert_int_equal(e[8], 1);
			nmis++;
		} else if (e[0] == 4) {
			nmis++;
		}
	}
	assert_ptr_equal(e, t + get_le32(t + 4));
	assert_int_equal(uid, 125);
	assert_int_equal(nmis, 2);
}

/* Microsoft's "Serial Port Console Redirection Table", revision 2. */
static void the_spcr_names_the_console(void **state)
{
	const struct platform other = board();
	const uint8_t *spcr;

	build(1);
	spcr = find("SPCR");
	assert_int_equal(get_le32(spcr + 4), 80);
	assert_int_equal(spcr[8], 2);
	assert_int_equal(spcr[36], 0); /* a 16550 */
	assert_gas(spcr + 40, 0x3f8, 8);
	assert_int_equal(spcr[52], 3); /* IRQ and GSI are given */
	assert_int_equal(spcr[53], 4);
	assert_int_equal(get_le32(spcr + 54), 4);
	assert_int_equal(spcr[58], 7); /* 115200 baud */
	assert_int_equal(spcr[59], 0); /* no parity */
	assert_int_equal(spcr[60], 1); /* one stop bit */
	assert_int_equal(spcr[61], 0); /* no flow control */
	assert_int_equal(get_le32(spcr + 64), 0xffffffff); /* not PCI */

	/* The first with a register a byte. */
	build_for(&other);
	spcr = find("SPCR");
	assert_int_equal(spcr[40], 0); /* memory */
	assert_true(get_le64(spcr + 44) == 0xd0101000);
	assert_int_equal(spcr[52], 2); /* only a GSI */
	assert_int_equal(spcr[53], 0);
	assert_int_equal(get_le32(spcr + 54), 18);
}

/* PCI Firmware Specification 3.3, table 4-2 and 4-3. */
static void the_mcfg_has_one_bus(void **state)
{
	const uint8_t *mcfg;

	build_for(&pci);
	mcfg = find("MCFG");
	assert_int_equal(get_le32(mcfg + 4), 60);
	assert_int_equal(mcfg[8], 1);
	assert_true(get_le64(mcfg + 44) == 0xd8000000);
	assert_int_equal(get_le16(mcfg + 52), 0); /* segment group */
	assert_int_equal(mcfg[54], 0); /* the first bus */
	assert_int_equal(mcfg[55], 0); /* and the last */
}

static void too_little_room_is_an_error_and_never_overrun(void **state)
{
	size_t used = build_for(&pci), len, ret = 77;

	for (len = 0; len < used; len++) {
		uint8_t *buf = malloc(len + 1);

		assert_non_null(buf);
		buf[len] = 0x5a;
		assert_int_equal(acpi_build(buf, len, GPA, &pci, &ret),
				 -ENOSPC);
		assert_int_equal(buf[len], 0x5a);
		assert_int_equal(ret, 77);
		free(buf);
	}
	assert_int_equal(acpi_build(mem, used, GPA, &pci, &ret), 0);
	assert_int_equal(ret, used);
}

static int dump_table(const char *dir, const char *name, const uint8_t *t)
{
	char path[4096];
	size_t len = get_le32(t + 4);
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.dat", dir, name);
	f = fopen(path, "wb");
	if (!f)
		return 1;
	if (fwrite(t, 1, len, f) != len) {
		fclose(f);
		return 1;
	}
	return fclose(f) != 0;
}

static int dump(const char *dir, unsigned cpus, const char *kind)
{
	struct platform platform = a_pc(MIB(64), cpus, TRAPMAP_TRANSPORT_MMIO, 8);
	const uint8_t *xsdt, *fadt;
	size_t used, off;

	if (!strcmp(kind, "pci"))
		platform = a_pc(MIB(64), cpus, TRAPMAP_TRANSPORT_PCI, 31);
	if (!strcmp(kind, "board"))
		platform = board();
	if (!strcmp(kind, "bare")) {
		platform.virtio = 0;
		platform.rtc.there = false;
		memset(platform.uart, 0, sizeof(platform.uart));
	}
	if (acpi_build(mem, sizeof(mem), GPA, &platform, &used))
		return 1;
	xsdt = mem + (get_le64(mem + 24) - GPA);
	fadt = mem + (get_le64(xsdt + 36) - GPA);
	for (off = 36; off < get_le32(xsdt + 4); off += 8) {
		const uint8_t *t = mem + (get_le64(xsdt + off) - GPA);
		char name[5] = { 0 };

		memcpy(name, t, 4);
		if (dump_table(dir, name, t))
			return 1;
	}
	return dump_table(dir, "xsdt", xsdt) ||
	       dump_table(dir, "rsdt", mem + (get_le32(mem + 16) - GPA)) ||
	       dump_table(dir, "facs", mem + (get_le32(fadt + 36) - GPA)) ||
	       dump_table(dir, "dsdt", mem + (get_le32(fadt + 40) - GPA));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rsdp_comes_first_with_both_checksums),
		cmocka_unit_test(rsdt_and_xsdt_list_the_same_tables),
		cmocka_unit_test(the_fadt_describes_the_fixed_hardware),
		cmocka_unit_test(the_fadt_says_what_is_not_there),
		cmocka_unit_test(the_facs_is_aligned_and_pointed_to_once),
		cmocka_unit_test(the_madt_has_one_entry_per_processor),
		cmocka_unit_test(ids_beyond_254_have_x2apic_entries),
		cmocka_unit_test(the_spcr_names_the_console),
		cmocka_unit_test(the_mcfg_has_one_bus),
		cmocka_unit_test(too_little_room_is_an_error_and_never_overrun),
	};

	if (argc == 5 && !strcmp(argv[1], "dump"))
		return dump(argv[2], (unsigned)atoi(argv[3]), argv[4]);
	rig_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
