// SPDX-License-Identifier: MIT
#include "boot/plan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int boot_refuse(struct boot_error *err, uint64_t off, const char *fmt, ...)
{
	va_list ap;

	err->off = off;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -EINVAL;
}
