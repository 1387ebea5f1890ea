/* SPDX-License-Identifier: MIT */
/* apic.h: the local APIC, and the other processors. 64-bit guests only. */
#ifndef KVM_UNIT_TESTS_APIC_H
#define KVM_UNIT_TESTS_APIC_H

#include <stdbool.h>
#include <stdint.h>

#define APIC_ADDRESS 0xfee00000u
#define APIC_ID 0x20
#define APIC_SPURIOUS 0xf0
#define APIC_IRR 0x200 /* eight registers, 0x10 apart */
#define APIC_ICR 0x300

void apic_enable(void);
uint32_t apic_read(uint32_t reg);
void apic_write(uint32_t reg, uint32_t val);
uint32_t apic_id(void);

/*
 * Starts all others at once, as broadcasts of INIT and start-up, and gives them
 * two seconds. Returns how many processors run then, this one included.
 */
unsigned start_processors(unsigned expected);
/* The id of the nth that came, from 0 on; this one's is the first. */
uint32_t processor_id(unsigned n);

#define PROCESSORS_MAX 17

#endif
