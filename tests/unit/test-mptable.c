// SPDX-License-Identifier: MIT
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "a_pc.h"
#include "core/base.h"
#include "layout.h"
#include "x86/mptable.h"

#define GPA LAYOUT_MPTABLE
#define SIGNATURE 0x00a10f11
#define FEATURES 0x178bfbff

static uint8_t mem[LAYOUT_MPTABLE_MAX];
static bool gaps; /* there are three cores to a socket, in ids of two bits */

static uint8_t sum(const uint8_t *p, size_t len)
{
	uint8_t s = 0;

	while (len-- > 0)
		s += *p++;
	return s;
}

/* What a kernel has learnt when it has read the tables. */
struct found {
	unsigned cpus, boot_cpus, buses, ioapics, ints, lints;
	uint8_t ioapic_id;
	uint8_t pin_of_irq[16], flags_of_irq[16];
	uint8_t lint_type[2];
	unsigned pci_buses, pci_ints;
	uint8_t isa, pin_of_slot[32];
};

static const uint8_t *config_of(void)
{
	uint32_t gpa = get_le32(mem + 4);

	assert_memory_equal(mem, "_MP_", 4);
	assert_int_equal(mem[8], 1);
	assert_int_equal(mem[9], 4);
	assert_int_equal(sum(mem, 16), 0);
	assert_int_equal(mem[11], 0); /* a configuration table is present */
	assert_int_equal(mem[12], 0); /* virtual wire, no IMCR */
	assert_in_range(gpa, GPA + 16, GPA + sizeof(mem) - 44);
	return mem + (gpa - GPA);
}

static void read_entry(const uint8_t *e, struct found *f)
{
	switch (e[0]) {
	case 0:
		/* local APIC id */
		assert_int_equal(e[1], gaps ? f->cpus / 3 * 4 + f->cpus % 3 :
					      f->cpus);
		assert_int_not_equal(e[2], 0); /* its version */
		assert_true(e[3] & 1);
		f->boot_cpus += e[3] >> 1 & 1;
		assert_int_equal(e[3] >> 1 & 1, f->cpus == 0);
		assert_int_equal(get_le32(e + 4), SIGNATURE);
		assert_int_equal(get_le32(e + 8), FEATURES);
		f->cpus++;
		break;
	case 1:
		/* 4.3.2: ascending, and a PCI bus has the id of its number. */
		assert_int_equal(e[1], f->buses + f->pci_buses);
		if (!memcmp(e + 2, "PCI   ", 6)) {
			assert_int_equal(e[1], 0);
			f->pci_buses++;
			break;
		}
		assert_memory_equal(e + 2, "ISA   ", 6);
		f->isa = e[1];
		f->buses++;
		break;
	case 2:
		f->ioapic_id = e[1];
		assert_int_equal(e[3], 1);
		assert_int_equal(get_le32(e + 4), 0xfec00000);
		f->ioapics++;
		break;
	case 3:
		assert_int_equal(e[1], 0); /* INT */
		assert_int_equal(e[6], f->ioapic_id);
		if (e[4] != f->isa) {
			/* Table 4-10 and D.3: the slot, INTA; level, low. */
			assert_int_equal(e[4], 0);
			assert_int_equal(e[5] & 0x83, 0);
			assert_int_equal(get_le16(e + 2), 0);
			f->pin_of_slot[e[5] >> 2] = e[7];
			f->pci_ints++;
			break;
		}
		assert_in_range(e[5], 0, 15);
		f->pin_of_irq[e[5]] = e[7];
		f->flags_of_irq[e[5]] = (uint8_t)get_le16(e + 2);
		f->ints++;
		break;
	case 4:
		assert_int_equal(get_le16(e + 2), 0);
		assert_int_equal(e[6], 0xff);
		assert_in_range(e[7], 0, 1);
		f->lint_type[e[7]] = e[1];
		f->lints++;
		break;
	default: fail_msg("entry type %u", e[0]);
	}
}

static struct found read_tables_of(const struct platform *platform)
{
	struct found f = { 0 };
	const uint8_t *c, *e;
	size_t used = 0;
	unsigned n = 0;

	memset(mem, 0xa5, sizeof(mem));
	memset(f.pin_of_irq, 0xff, sizeof(f.pin_of_irq));
	assert_int_equal(mptable_build(mem, sizeof(mem), GPA, platform, &used),
			 0);
	c = config_of();
	assert_memory_equal(c, "PCMP", 4);
	assert_int_equal(c[6], 4);
	assert_int_equal(sum(c, get_le16(c + 4)), 0);
	assert_int_equal(get_le32(c + 36), 0xfee00000);
	assert_int_equal(get_le16(c + 40), 0); /* no extended table */
	for (e = c + 44; e < c + get_le16(c + 4); n++) {
		read_entry(e, &f);
		e += e[0] == 0 ? 20 : 8;
	}
	assert_ptr_equal(e, c + get_le16(c + 4));
	assert_ptr_equal(e, mem + used);
	assert_int_equal(mem[used], 0xa5);
	assert_int_equal(get_le16(c + 34), n);
	return f;
}

static struct found read_tables(unsigned cpus)
{
	const struct platform mmio = { .cpus = cpus,
				       .transport = TRAPMAP_TRANSPORT_MMIO,
				       .virtio = 8,
				       .cpu_signature = SIGNATURE,
				       .cpu_features = FEATURES };

	return read_tables_of(&mmio);
}

static const struct platform pci = { .cpus = 2,
				     .transport = TRAPMAP_TRANSPORT_PCI,
				     .virtio = 31,
				     .cpu_signature = SIGNATURE,
				     .cpu_features = FEATURES };

static void every_processor_is_there_and_the_first_one_boots(void **state)
{
	static const unsigned counts[] = { 1, 2, 64, 255 };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		struct found f = read_tables(counts[i]);

		assert_int_equal(f.cpus, counts[i]);
		assert_int_equal(f.boot_cpus, 1);
		assert_int_equal(f.buses, 1);
		assert_int_equal(f.ioapics, 1);
	}
}

static void the_ioapic_takes_an_id_that_no_processor_has(void **state)
{
	assert_int_equal(read_tables(1).ioapic_id, 1);
	assert_int_equal(read_tables(8).ioapic_id, 8);
	assert_int_equal(read_tables(254).ioapic_id, 254);
	/* 255 would mean all of them, so there it is KVM's own. */
	assert_int_equal(read_tables(255).ioapic_id, 0);
}

/* Of 3 x 3 processors, ids 3 and 7 are no one's. */
static void ids_with_gaps_leave_the_ioapic_the_first_gap(void **state)
{
	struct platform p = a_pc(MIB(64), 9, TRAPMAP_TRANSPORT_MMIO, 0);
	struct found f;

	p.topology = (struct topology){ 3, 3, 1 };
	p.cpu_signature = SIGNATURE;
	p.cpu_features = FEATURES;
	gaps = true;
	f = read_tables_of(&p);
	gaps = false;
	assert_int_equal(f.cpus, 9);
	assert_int_equal(f.ioapic_id, 3);
}

/* The table has eight bits for an id. */
static void processors_that_it_cannot_name_are_left_out(void **state)
{
	struct platform p = a_pc(MIB(64), 300, TRAPMAP_TRANSPORT_MMIO, 0);
	struct found f;

	p.cpu_signature = SIGNATURE;
	p.cpu_features = FEATURES;
	f = read_tables_of(&p);
	assert_int_equal(f.cpus, 255);
	assert_int_equal(f.ioapic_id, 0);
}

static void isa_interrupts_reach_the_pins_of_their_number(void **state)
{
	struct found f = read_tables(2);
	unsigned irq;

	assert_int_equal(f.ints, 15);
	assert_int_equal(f.pin_of_irq[0], 2);
	assert_int_equal(f.pin_of_irq[2], 0xff); /* the cascade */
	for (irq = 1; irq < 16; irq++) {
		if (irq == 2)
			continue;
		assert_int_equal(f.pin_of_irq[irq], irq);
		assert_int_equal(f.flags_of_irq[irq], irq == 9 ? 0xd : 0);
	}
}

static void pci_interrupts_have_a_bus_and_pins_of_their_own(void **state)
{
	struct found f = read_tables_of(&pci);
	unsigned slot;

	assert_int_equal(f.pci_buses, 1);
	assert_int_equal(f.isa, 1);
	assert_int_equal(f.pci_ints, 31);
	assert_int_equal(f.ints, 15);
	for (slot = 1; slot < 32; slot++)
		assert_int_equal(f.pin_of_slot[slot], 16 + slot % 4);
	assert_int_equal(read_tables(2).pci_buses, 0);
}

static void extint_and_nmi_reach_every_processor(void **state)
{
	struct found f = read_tables(3);

	assert_int_equal(f.lints, 2);
	assert_int_equal(f.lint_type[0], 3); /* ExtINT */
	assert_int_equal(f.lint_type[1], 1); /* NMI */
}

static void too_little_room_is_an_error_and_never_overrun(void **state)
{
	size_t used, len, ret = 77;

	assert_int_equal(mptable_build(mem, sizeof(mem), GPA, &pci, &used), 0);
	for (len = 0; len < used; len++) {
		uint8_t *buf = malloc(len + 1);

		assert_non_null(buf);
		buf[len] = 0x5a;
		assert_int_equal(mptable_build(buf, len, GPA, &pci, &ret),
				 -ENOSPC);
		assert_int_equal(buf[len], 0x5a);
		assert_int_equal(ret, 77);
		free(buf);
	}
	assert_int_equal(mptable_build(mem, used, GPA, &pci, &ret), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_processor_is_there_and_the_first_one_boots),
		cmocka_unit_test(the_ioapic_takes_an_id_that_no_processor_has),
		cmocka_unit_test(ids_with_gaps_leave_the_ioapic_the_first_gap),
		cmocka_unit_test(processors_that_it_cannot_name_are_left_out),
		cmocka_unit_test(isa_interrupts_reach_the_pins_of_their_number),
		cmocka_unit_test(
			pci_interrupts_have_a_bus_and_pins_of_their_own),
		cmocka_unit_test(extint_and_nmi_reach_every_processor),
		cmocka_unit_test(too_little_room_is_an_error_and_never_overrun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
