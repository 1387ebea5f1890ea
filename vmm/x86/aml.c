// SPDX-License-Identifier: MIT
#include "x86/aml.h"

#include <string.h>

#include "core/base.h"

/* Opcodes, section 20.3. */
#define ZERO_OP 0x00
#define ONE_OP 0x01
#define NAME_OP 0x08
#define BYTE_PREFIX 0x0a
#define WORD_PREFIX 0x0b
#define DWORD_PREFIX 0x0c
#define STRING_PREFIX 0x0d
#define QWORD_PREFIX 0x0e
#define SCOPE_OP 0x10
#define BUFFER_OP 0x11
#define PACKAGE_OP 0x12
#define EXT_OP_PREFIX 0x5b
#define DEVICE_OP 0x82 /* after EXT_OP_PREFIX */

/* Small resource descriptors, section 6.4.2: the tag with its length. */
#define RES_IRQ_NO_FLAGS 0x22
#define RES_IRQ 0x23 /* with a byte of flags */
#define RES_IRQ_EDGE 0x01 /* the rest 0: active high, */
#define RES_IRQ_SHARED 0x10 /* exclusive */
#define RES_IO 0x47
#define RES_IO_DECODE16 0x01
#define RES_END_TAG 0x79

/* Large ones, section 6.4.3: the tag, then two bytes of length. */
#define RES_MEMORY32_FIXED 0x86
#define RES_MEMORY_WRITABLE 0x01
#define RES_EXTENDED_INTERRUPT 0x89
#define RES_INTERRUPT_CONSUMER 0x01
#define RES_INTERRUPT_EDGE 0x02 /* the rest 0: high, exclusive */
#define RES_DWORD_SPACE 0x87
#define RES_WORD_SPACE 0x88
#define RES_SPACE_MEMORY 0
#define RES_SPACE_BUS 2
#define RES_SPACE_FIXED 0x0c /* minimum and maximum; a producer */

static void put(struct aml *a, const void *data, size_t len)
{
	if (len > a->cap - a->len) {
		a->full = true;
		return;
	}
	memcpy(a->buf + a->len, data, len);
	a->len += len;
}

static void put_byte(struct aml *a, uint8_t byte)
{
	put(a, &byte, 1);
}

/* Moves what was written since `at` up, to put len bytes before it. */
static void insert(struct aml *a, size_t at, const void *data, size_t len)
{
	if (a->full || len > a->cap - a->len) {
		a->full = true;
		return;
	}
	memmove(a->buf + at + len, a->buf + at, a->len - at);
	memcpy(a->buf + at, data, len);
	a->len += len;
}

static size_t encode_integer(uint8_t out[9], uint64_t value)
{
	static const uint8_t prefix[] = { BYTE_PREFIX, WORD_PREFIX,
					  DWORD_PREFIX, QWORD_PREFIX };
	unsigned order = 0;
	uint8_t le[8];

	if (value <= 1) {
		out[0] = value ? ONE_OP : ZERO_OP;
		return 1;
	}
	while (order < 3 && value > size_mask(1u << order))
		order++;
	out[0] = prefix[order];
	put_le64(le, value);
	memcpy(out + 1, le, (size_t)1 << order);
	return 1 + ((size_t)1 << order);
}

void aml_integer(struct aml *a, uint64_t value)
{
	uint8_t out[9];

	put(a, out, encode_integer(out, value));
}

/* PkgLength (20.2.4) of a body of len bytes; it counts its own bytes too. */
static size_t encode_pkg_length(uint8_t out[4], size_t len)
{
	unsigned more = 0, i;

	if (len + 1 < 0x40) {
		out[0] = (uint8_t)(len + 1);
		return 1;
	}
	do
		more++;
	while (len + 1 + more >= (size_t)1 << (4 + 8 * more) && more < 3);
	len += 1 + more;
	out[0] = (uint8_t)(more << 6 | (len & 0xf));
	for (i = 1; i <= more; i++)
		out[i] = (uint8_t)(len >> (8 * i - 4));
	return 1 + more;
}

static void close_pkg(struct aml *a, size_t start)
{
	uint8_t out[4];

	insert(a, start, out, encode_pkg_length(out, a->len - start));
}

static void put_name(struct aml *a, const char *name)
{
	put(a, name, strlen(name));
}

size_t aml_open_scope(struct aml *a, const char *name)
{
	size_t start;

	put_byte(a, SCOPE_OP);
	start = a->len;
	put_name(a, name);
	return start;
}

size_t aml_open_device(struct aml *a, const char *name)
{
	size_t start;

	put_byte(a, EXT_OP_PREFIX);
	put_byte(a, DEVICE_OP);
	start = a->len;
	put_name(a, name);
	return start;
}

void aml_close(struct aml *a, size_t start)
{
	close_pkg(a, start);
}

void aml_name_integer(struct aml *a, const char *name, uint64_t value)
{
	put_byte(a, NAME_OP);
	put_name(a, name);
	aml_integer(a, value);
}

void aml_name_string(struct aml *a, const char *name, const char *value)
{
	put_byte(a, NAME_OP);
	put_name(a, name);
	put_byte(a, STRING_PREFIX);
	put(a, value, strlen(value) + 1);
}

static unsigned hex_digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/*
 * Section 19.3.4: five bits a letter and four a digit, the first letter in the
 * high bits, stored with the most significant byte first.
 */
void aml_name_eisaid(struct aml *a, const char *name, const char *id)
{
	uint32_t v = 0;
	uint8_t be[4];
	unsigned i;

	for (i = 0; i < 3; i++)
		v = v << 5 | ((uint32_t)(id[i] - 'A' + 1) & 0x1f);
	for (i = 3; i < 7; i++)
		v = v << 4 | hex_digit(id[i]);
	for (i = 0; i < 4; i++)
		be[i] = (uint8_t)(v >> (24 - 8 * i));
	aml_name_integer(a, name, get_le32(be));
}

size_t aml_open_package(struct aml *a, unsigned count)
{
	size_t start;

	put_byte(a, PACKAGE_OP);
	start = a->len;
	put_byte(a, (uint8_t)count);
	return start;
}

size_t aml_open_name_package(struct aml *a, const char *name, unsigned count)
{
	put_byte(a, NAME_OP);
	put_name(a, name);
	return aml_open_package(a, count);
}

void aml_name_integers(struct aml *a, const char *name, const uint8_t *value,
		       unsigned count)
{
	size_t start = aml_open_name_package(a, name, count);
	unsigned i;

	for (i = 0; i < count; i++)
		aml_integer(a, value[i]);
	close_pkg(a, start);
}

size_t aml_open_crs(struct aml *a)
{
	put_byte(a, NAME_OP);
	put_name(a, "_CRS");
	put_byte(a, BUFFER_OP);
	return a->len;
}

/* Section 6.4.2.5. Minimum and maximum alike: it cannot move. */
void aml_crs_io(struct aml *a, uint16_t port, uint8_t len)
{
	uint8_t d[8] = { RES_IO, RES_IO_DECODE16 };

	put_le16(d + 2, port);
	put_le16(d + 4, port);
	d[6] = 1; /* alignment */
	d[7] = len;
	put(a, d, sizeof(d));
}

/* Section 6.4.2.1: without a flags byte it is high, edge, exclusive. */
void aml_crs_isa_irq(struct aml *a, unsigned irq)
{
	uint8_t d[3] = { RES_IRQ_NO_FLAGS };

	put_le16(d + 1, (uint16_t)(1u << irq));
	put(a, d, sizeof(d));
}

void aml_crs_isa_irq_shared(struct aml *a, unsigned irq)
{
	uint8_t d[4] = { RES_IRQ, 0, 0, RES_IRQ_EDGE | RES_IRQ_SHARED };

	put_le16(d + 1, (uint16_t)(1u << irq));
	put(a, d, sizeof(d));
}

/* Section 6.4.3.4. */
void aml_crs_memory(struct aml *a, uint32_t base, uint32_t len)
{
	uint8_t d[12] = { RES_MEMORY32_FIXED, 9, 0, RES_MEMORY_WRITABLE };

	put_le32(d + 4, base);
	put_le32(d + 8, len);
	put(a, d, sizeof(d));
}

/* Section 6.4.3.6. */
void aml_crs_edge_irq(struct aml *a, uint32_t gsi)
{
	uint8_t d[9] = { RES_EXTENDED_INTERRUPT, 6, 0,
			 RES_INTERRUPT_CONSUMER | RES_INTERRUPT_EDGE, 1 };

	put_le32(d + 5, gsi);
	put(a, d, sizeof(d));
}

/* Section 6.4.3.5.3. */
void aml_crs_bus(struct aml *a, uint16_t first, uint16_t count)
{
	uint8_t d[16] = { RES_WORD_SPACE, 13, 0, RES_SPACE_BUS,
			  RES_SPACE_FIXED };

	put_le16(d + 8, first);
	put_le16(d + 10, (uint16_t)(first + count - 1));
	put_le16(d + 14, count);
	put(a, d, sizeof(d));
}

/* Section 6.4.3.5.2. */
void aml_crs_window(struct aml *a, uint32_t base, uint32_t len)
{
	uint8_t d[26] = { RES_DWORD_SPACE, 23, 0, RES_SPACE_MEMORY,
			  RES_SPACE_FIXED, RES_MEMORY_WRITABLE };

	put_le32(d + 10, base);
	put_le32(d + 14, base + (len - 1));
	put_le32(d + 22, len);
	put(a, d, sizeof(d));
}

void aml_close_crs(struct aml *a, size_t start)
{
	/* A checksum of zero counts as correct, section 6.4.2.9. */
	const uint8_t end[2] = { RES_END_TAG, 0 };
	uint8_t size[9];

	put(a, end, sizeof(end));
	insert(a, start, size, encode_integer(size, a->len - start));
	close_pkg(a, start);
}
