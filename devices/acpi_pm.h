/* SPDX-License-Identifier: MIT */
/* acpi_pm.h: ACPI's fixed hardware: PM1, the PM timer, the reset register. */
#ifndef TRAPMAP_ACPI_PM_H
#define TRAPMAP_ACPI_PM_H

#include "core/end.h"
#include "core/irq.h"

struct device;
struct loop;

/* Offsets, and so the layout of one range of ACPI_PM_LEN ports. */
#define ACPI_PM1_STATUS 0x0 /* 2 */
#define ACPI_PM1_ENABLE 0x2 /* 2 */
#define ACPI_PM1_CONTROL 0x4 /* 2 */
#define ACPI_PM_TIMER 0x8 /* 4 */
#define ACPI_PM_RESET 0xc /* 1 */
#define ACPI_PM_LEN 0x10

#define ACPI_PM_RESET_VALUE 0x06
/* SLP_TYPx for S5; 0, so that the customary outw(0x604, 0x2000) works too. */
#define ACPI_PM_S5 0
#define ACPI_PM_TIMER_HZ 3579545
/* 24, so FADT's TMR_VAL_EXT is 0; the upper byte reads as 0. */
#define ACPI_PM_TIMER_BITS 24

struct acpi_pm_config {
	struct loop *loop; /* the PM timer runs on LOOP_CLOCK_VM */
	struct irq_line sci;
	struct end_sink end; /* END_POWEROFF, END_RESET */
};

int acpi_pm_new(const struct acpi_pm_config *config, struct device **ret_dev);

/* Presses the power button. Any thread, dev's lock not held. */
void acpi_pm_power_button(struct device *dev);

/* The RTC has raised its interrupt. As above; the RTC's lock may be held. */
void acpi_pm_rtc_event(struct device *dev);

#endif
