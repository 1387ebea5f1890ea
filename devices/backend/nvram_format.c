// SPDX-License-Identifier: MIT
/*
 * The bytes of an NVRAM file, as docs/nvram.md has them. All numbers are
 * little-endian.
 */
#include "backend/nvram_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base.h"

#define VERSION 1

/* In a slot. */
#define AT_MAGIC 0
#define AT_VERSION 8
#define AT_SEQUENCE 16
#define AT_OFFSET_SEC 24
#define AT_OFFSET_NS 32
#define AT_RAM 128
#define AT_CRC 508

static const char magic[8] = { 'T', 'R', 'A', 'P', 'C', 'M', 'O', 'S' };

/* CRC-32 of IEEE 802.3, as zlib's crc32() and Python's have it. */
static uint32_t crc32_of(const uint8_t *p, size_t len)
{
	uint32_t crc = UINT32_MAX;
	unsigned bit;

	while (len-- > 0) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

void nvram_encode(const struct rtc_kept *kept, uint64_t sequence,
		  uint8_t slot[NVRAM_SLOT_LEN])
{
	memset(slot, 0, NVRAM_SLOT_LEN);
	memcpy(slot + AT_MAGIC, magic, sizeof(magic));
	put_le32(slot + AT_VERSION, VERSION);
	put_le64(slot + AT_SEQUENCE, sequence);
	put_le64(slot + AT_OFFSET_SEC, (uint64_t)kept->offset_sec);
	put_le32(slot + AT_OFFSET_NS, (uint32_t)kept->offset_ns);
	memcpy(slot + AT_RAM, kept->ram, RTC_RAM_SIZE);
	put_le32(slot + AT_CRC, crc32_of(slot, AT_CRC));
}

static bool is_blank(const uint8_t *slot)
{
	size_t i;

	for (i = 0; i < NVRAM_SLOT_LEN; i++)
		if (slot[i])
			return false;
	return true;
}

/* Why a slot does not count, or NULL. */
static const char *read_slot(const uint8_t *slot, unsigned n,
			     struct nvram_image *image)
{
	uint64_t sequence = get_le64(slot + AT_SEQUENCE);
	int64_t sec = (int64_t)get_le64(slot + AT_OFFSET_SEC);
	uint32_t ns = get_le32(slot + AT_OFFSET_NS);

	if (memcmp(slot + AT_MAGIC, magic, sizeof(magic)) != 0)
		return "no NVRAM file of Trapmap's ('TRAPCMOS' was expected)";
	if (get_le32(slot + AT_VERSION) != VERSION)
		return "a version that is not known here (1 was expected)";
	if (get_le32(slot + AT_CRC) != crc32_of(slot, AT_CRC))
		return "damaged (the checksum is wrong)";
	if (sequence % 2 != n || sequence > INT64_MAX)
		return "a sequence number that does not belong there";
	if (sec < -RTC_KEPT_OFFSET_MAX || sec > RTC_KEPT_OFFSET_MAX ||
	    ns > 999999999)
		return "a clock that is more than 10000 years wrong";
	*image = (struct nvram_image){
		.sequence = sequence,
		.kept = { .offset_sec = sec, .offset_ns = (int32_t)ns },
	};
	memcpy(image->kept.ram, slot + AT_RAM, RTC_RAM_SIZE);
	return NULL;
}

int nvram_decode(const uint8_t *file, size_t len, struct nvram_image *ret_image,
		 char *why, size_t why_len)
{
	struct nvram_image image[2] = { 0 };
	const char *wrong[2];
	unsigned n;

	if (len == 0) {
		*ret_image = (struct nvram_image){ .fresh = true };
		return 0;
	}
	if (len != NVRAM_FILE_LEN) {
		snprintf(why, why_len,
			 "is %zu bytes long; an NVRAM file has %u, or none "
			 "while it is new",
			 len, NVRAM_FILE_LEN);
		return -EINVAL;
	}
	for (n = 0; n < 2; n++)
		wrong[n] = read_slot(file + n * NVRAM_SLOT_LEN, n, &image[n]);
	if (wrong[0] && wrong[1]) {
		if (is_blank(file) && is_blank(file + NVRAM_SLOT_LEN)) {
			*ret_image = (struct nvram_image){ .fresh = true };
			return 0;
		}
		n = is_blank(file);
		snprintf(why, why_len, "at offset %u: %s", n * NVRAM_SLOT_LEN,
			 wrong[n]);
		return -EINVAL;
	}
	n = wrong[0] || (!wrong[1] && image[1].sequence > image[0].sequence);
	*ret_image = image[n];
	return 0;
}
