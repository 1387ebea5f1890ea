// SPDX-License-Identifier: MIT
/*
 * recognise.c: what a file is, by its content alone.
 *
 * A flat binary has no mark of its own, so that any file could be one. Running
 * a compressed kernel or a script as code ends in a crash that tells nobody
 * anything: what is well known to be something else is refused by its name.
 */
#include <errno.h>
#include <string.h>

#include "boot/plan.h"
#include "core/base.h"

#define UNPACK "-compressed data; unpack it first"
#define NOT_A_KERNEL "; a kernel expected"

struct mark {
	uint32_t off;
	uint32_t len;
	const char *bytes;
	const char *what;
};

#define MARK(off, bytes, what) { off, sizeof(bytes) - 1, bytes, what }

/* The first that fits counts: more particular ones before their kin. */
static const struct mark foreign[] = {
	MARK(0, "\x1f\x8b\x08", "gzip" UNPACK),
	MARK(0, "\xfd" "7zXZ\0", "xz" UNPACK),
	MARK(0, "\x28\xb5\x2f\xfd", "zstd" UNPACK),
	MARK(0, "\x04\x22\x4d\x18", "lz4" UNPACK),
	MARK(0, "\x02\x21\x4c\x18", "lz4" UNPACK),
	MARK(0, "BZh", "bzip2" UNPACK),
	MARK(0, "LZIP", "lzip" UNPACK),
	MARK(0, "\x89LZO\0\r\n\x1a\n", "lzop" UNPACK),
	MARK(0, "PK\3\4", "a zip archive" NOT_A_KERNEL),
	MARK(0, "!<arch>\ndebian-binary", "a Debian package" NOT_A_KERNEL),
	MARK(0, "!<arch>\n", "an ar archive" NOT_A_KERNEL),
	MARK(0, "\xed\xab\xee\xdb", "an RPM package" NOT_A_KERNEL),
	MARK(0, "07070", "a cpio archive, as an initrd is" NOT_A_KERNEL),
	MARK(257, "ustar", "a tar archive" NOT_A_KERNEL),
	MARK(0, "#!", "a script (#!)" NOT_A_KERNEL),
	MARK(0x38, "ARM\x64", "a kernel for AArch64; x86-64 expected"),
	MARK(0x38, "RSC\x05", "a kernel for RISC-V; x86-64 expected"),
	MARK(0, "MZ", "an EFI or DOS program (MZ) without Linux's setup header at 0x202; a bzImage, ELF or flat binary expected"),
	MARK(0, "\x27\x05\x19\x56", "a U-Boot image (uImage); the kernel inside it expected"),
	MARK(0, "\xd0\x0d\xfe\xed", "a device tree or FIT image" NOT_A_KERNEL),
	MARK(0, "ANDROID!", "an Android boot image; the kernel inside it expected"),
	MARK(0, "hsqs", "a squashfs file system" NOT_A_KERNEL),
	MARK(0, "QFI\xfb", "a qcow2 disk image" NOT_A_KERNEL),
	MARK(0x8001, "CD001", "an ISO 9660 disc image" NOT_A_KERNEL),
};

/*
 * An .lzma file has no magic number, but a header of 13 bytes that leaves few
 * choices: properties (0x5d as all tools write), the dictionary's size (64 KiB
 * or more, in whole 64 KiB) and the unpacked size, which is -1 or sane.
 */
static bool is_lzma(const uint8_t *head, size_t len)
{
	uint64_t unpacked;

	if (len < 13 || head[0] != 0x5d || get_le16(head + 1) != 0 ||
	    get_le16(head + 3) == 0)
		return false;
	unpacked = get_le64(head + 5);
	return unpacked == UINT64_MAX || (unpacked > 0 && unpacked < GIB(1024));
}

/* Useful code has bytes that ASCII has not: JMP, IN, OUT, HLT among them. */
static bool is_text(const uint8_t *head, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!(head[i] >= ' ' && head[i] <= '~') &&
		    !(head[i] >= '\t' && head[i] <= '\r'))
			return false;
	return len > 0;
}

static int refuse_foreign(const uint8_t *head, size_t len,
			  struct boot_error *err)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(foreign); i++) {
		const struct mark *m = &foreign[i];

		if (len >= m->off + m->len &&
		    memcmp(head + m->off, m->bytes, m->len) == 0)
			return boot_refuse(err, m->off, "%s", m->what);
	}
	if (is_lzma(head, len))
		return boot_refuse(err, 0, "lzma" UNPACK);
	if (is_text(head, len))
		return boot_refuse(err, 0, "a text file" NOT_A_KERNEL);
	return 0;
}

int boot_recognise(const uint8_t *head, size_t head_len, uint64_t file_len,
		   struct boot_plan *ret_plan, struct boot_error *err)
{
	int r;

	r = bzimage_parse(head, head_len, file_len, ret_plan, err);
	if (r == 0)
		r = multiboot_parse(head, head_len, file_len, ret_plan, err);
	if (r == 0)
		r = elf_parse(head, head_len, file_len, ret_plan, err);
	if (r == 0)
		r = refuse_foreign(head, head_len, err);
	if (r == 0)
		r = bootsector_parse(head, head_len, file_len, ret_plan, err);
	if (r == 0)
		r = flat_parse(head, head_len, file_len, ret_plan, err);
	return r < 0 ? r : 0;
}
