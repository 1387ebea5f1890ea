// SPDX-License-Identifier: MIT
/*
 * recognise.c: what a file is, by its content alone.
 *
 * A flat binary has no mark of its own, so that any file could be one. Running
 * a compressed kernel or a script as code ends in a crash that tells nobody
 * anything: what is well known to be something else is refused by its name.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "boot/elf.h"
#include "boot/plan.h"
#include "boot/unpack.h"
#include "core/base.h"
#include "layout.h"

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

static int refuse_foreign(const struct boot_image *image,
			  struct boot_error *err)
{
	const uint8_t *head = image->head;
	size_t len = image->head_len;
	const char *packed;
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(foreign); i++) {
		const struct mark *m = &foreign[i];

		if (len >= m->off + m->len &&
		    memcmp(head + m->off, m->bytes, m->len) == 0)
			return boot_refuse(err, m->off, "%s", m->what);
	}
	/* What was compressed twice, or is to run as it is. */
	packed = unpack_recognise(head, len);
	if (packed)
		return boot_refuse(err, 0, "%s" UNPACK, packed);
	if (is_text(head, len))
		return boot_refuse(err, 0, "a text file" NOT_A_KERNEL);
	return 0;
}

/*
 * An ELF file may be a multiboot kernel, too, and is one unless another of its
 * protocols is wanted.
 */
static int parse_elf(const struct boot_image *image, struct boot_plan *ret_plan,
		     struct boot_error *err)
{
	const uint32_t others = BIT(TRAPMAP_BOOT_LINUX64) |
				BIT(TRAPMAP_BOOT_LINUX32) |
				BIT(TRAPMAP_BOOT_PVH);
	int r = 0;

	if (!elf_is(image) || !(others & BIT(image->want)))
		r = multiboot_parse(image, ret_plan, err);
	return r ? r : elf_parse(image, ret_plan, err);
}

static int recognise(const struct boot_image *image, struct boot_plan *ret_plan,
		     struct boot_error *err)
{
	int r;

	r = bzimage_parse(image, ret_plan, err);
	if (r == 0)
		r = parse_elf(image, ret_plan, err);
	if (r == 0)
		r = refuse_foreign(image, err);
	if (r == 0)
		r = bootsector_parse(image, ret_plan, err);
	if (r == 0)
		r = flat_parse(image, ret_plan, err);
	return r;
}

/* "linux64, linux32 and linux16" */
static void list_offers(uint32_t offers, char *text, size_t size)
{
	size_t at = 0;
	unsigned i;

	for (i = 0; i < 32; i++) {
		const char *name = boot_name((enum trapmap_boot)i);
		const char *sep = !at ? "" : offers >> i == 1 ? " and " : ", ";

		if (offers & BIT(i) && name && at < size)
			at += (size_t)snprintf(text + at, size - at, "%s%s",
					       sep, name);
	}
}

/* What to do about it, where that is known. */
static const char *advice(const struct boot_plan *plan, enum trapmap_boot want)
{
	bool bzimage = plan->offers & BIT(TRAPMAP_BOOT_LINUX16);

	if (bzimage &&
	    (want == TRAPMAP_BOOT_PVH || want == TRAPMAP_BOOT_MULTIBOOT))
		return ": that takes the vmlinux from which it was made";
	if (bzimage && want == TRAPMAP_BOOT_LINUX64)
		return ": that takes a 64-bit kernel of protocol 2.12 or newer";
	if (bzimage && want == TRAPMAP_BOOT_UNPACK)
		return ": that takes a 64-bit kernel that is packed in it";
	if (want == TRAPMAP_BOOT_LINUX32 || want == TRAPMAP_BOOT_LINUX16 ||
	    want == TRAPMAP_BOOT_UNPACK)
		return ": that takes a bzImage";
	if (want == TRAPMAP_BOOT_PVH)
		return ": that takes an ELF file with a PVH note";
	if (want == TRAPMAP_BOOT_MULTIBOOT)
		return ": that takes a multiboot header in the first 8 KiB";
	if (want == TRAPMAP_BOOT_SECTOR)
		return ": that takes 512 bytes that end in 55 aa";
	return "";
}

static int refuse_protocol(const struct boot_plan *plan, enum trapmap_boot want,
			   struct boot_error *err)
{
	char offers[80] = "nothing", version[32] = "";
	const char *name = boot_name(want);
	const unsigned of = plan->version;

	list_offers(plan->offers, offers, sizeof(offers));
	if (of)
		snprintf(version, sizeof(version), " of boot protocol %u.%02u",
			 of >> 8, of & 0xff);
	return boot_refuse(err, BOOT_NOWHERE,
			   "%s %s%s, which offers %s; %s was asked for%s",
			   plan->format[0] == 'E' ? "an" : "a", plan->format,
			   version, offers, name ? name : "another",
			   advice(plan, want));
}

/* Any file is a flat binary that is small enough; one that is not has a name. */
static int parse_flat(const struct boot_image *image,
		      struct boot_plan *ret_plan, struct boot_error *err)
{
	struct boot_image any = *image;
	struct boot_plan plan;

	any.want = TRAPMAP_BOOT_AUTO;
	if (image->len <= LAYOUT_FLAT_MAX || recognise(&any, &plan, err) != 1)
		return flat_parse(image, ret_plan, err);
	return boot_refuse(err, BOOT_NOWHERE,
			   "%s %s of %" PRIu64
			   " bytes; as a flat binary a file may have at most %u",
			   plan.format[0] == 'E' ? "an" : "a", plan.format,
			   image->len, LAYOUT_FLAT_MAX);
}

int boot_recognise(const struct boot_image *image, struct boot_plan *ret_plan,
		   struct boot_error *err)
{
	const enum trapmap_boot want = image->want;
	struct boot_plan plan = { .format = "file" };
	int r;

	if (want == TRAPMAP_BOOT_FLAT)
		r = parse_flat(image, &plan, err);
	else
		r = recognise(image, &plan, err);
	if (r < 0)
		return r;
	if (want != TRAPMAP_BOOT_AUTO && plan.boot != want)
		return refuse_protocol(&plan, want, err);
	*ret_plan = plan;
	return 0;
}
