// SPDX-License-Identifier: MIT
/*
 * A file for an NVRAM with anything in it. What is taken must be what a clock can be
 * made from, and must be the same again when the clock gives it back and it is
 * written; what is refused must say why. The last byte, bit 0: the checksums are made
 * right first.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backend/nvram_file.h"
#include "core/base.h"
#include "core/device.h"
#include "fake_loop.h"
#include "rtc_mc146818.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define HOST_NOW INT64_C(1234567890123456789)

static void expect(bool truth)
{
	if (!truth)
		abort();
}

/* Bit by bit, from the end: apart from the one that is judged. */
static uint32_t crc_of(const uint8_t *p, size_t bits)
{
	uint32_t crc = UINT32_MAX;
	size_t i;

	for (i = 0; i < bits; i++) {
		bool in = p[i / 8] >> i % 8 & 1;
		bool out = crc & 1;

		crc >>= 1;
		if (in != out)
			crc ^= 0xedb88320;
	}
	return ~crc;
}

static bool same(const struct rtc_kept *a, const struct rtc_kept *b)
{
	return a->offset_sec == b->offset_sec && a->offset_ns == b->offset_ns &&
	       !memcmp(a->ram, b->ram, sizeof(a->ram));
}

/* A slot of it comes back as it was. */
static void check_written(const struct rtc_kept *kept, uint64_t sequence)
{
	uint8_t file[NVRAM_FILE_LEN] = { 0 };
	struct nvram_image image;
	char why[160];

	nvram_encode(kept, sequence, file + sequence % 2 * NVRAM_SLOT_LEN);
	expect(nvram_decode(file, sizeof(file), &image, why, sizeof(why)) == 0);
	expect(!image.fresh && image.sequence == sequence);
	expect(same(&image.kept, kept));
}

/* A clock from it keeps something that makes the same clock. */
static void check_clock(const struct rtc_kept *kept)
{
	struct fake_loop fl;
	struct rtc_config config = {
		.loop = &fl.loop,
		.clock = LOOP_CLOCK_HOST,
		.kept = kept,
		.offset_sec = kept->offset_sec,
		.offset_ns = kept->offset_ns,
	};
	struct rtc_kept first, again;
	struct device *dev = NULL;

	fake_loop_init(&fl, HOST_NOW);
	expect(rtc_new(&config, &dev) == 0);
	rtc_keep(dev, &first);
	device_free(dev);
	expect(first.offset_sec >= -RTC_KEPT_OFFSET_MAX &&
	       first.offset_sec <= RTC_KEPT_OFFSET_MAX);
	config.kept = &first;
	config.offset_sec = first.offset_sec;
	config.offset_ns = first.offset_ns;
	expect(rtc_new(&config, &dev) == 0);
	rtc_keep(dev, &again);
	device_free(dev);
	expect(same(&first, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t file[NVRAM_FILE_LEN + 1] = { 0 };
	struct nvram_image image;
	char why[160] = "";
	unsigned n;
	int r;

	if (len < 1 || len > sizeof(file) + 1)
		return 0;
	len--;
	memcpy(file, data, len);
	for (n = 0; data[len] & 1 && n < 2 && len == NVRAM_FILE_LEN; n++)
		put_le32(file + n * NVRAM_SLOT_LEN + 508,
			 crc_of(file + n * NVRAM_SLOT_LEN, 508 * 8));
	r = nvram_decode(file, len, &image, why, sizeof(why));
	if (r < 0) {
		expect(r == -EINVAL && *why);
		return 0;
	}
	if (image.fresh)
		return 0;
	check_written(&image.kept, image.sequence);
	check_clock(&image.kept);
	return 0;
}
