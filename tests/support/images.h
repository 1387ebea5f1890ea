/* SPDX-License-Identifier: MIT */
/*
 * images.h: small kernel images, made up field by field from the documents, for
 * tests to mangle. Offsets are numbers on purpose: they are what is tested.
 */
#ifndef TRAPMAP_TEST_IMAGES_H
#define TRAPMAP_TEST_IMAGES_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "boot/plan.h"

struct image {
	uint8_t data[0x1000];
	size_t len;
};

typedef int image_parser(const struct boot_image *image,
			 struct boot_plan *ret_plan, struct boot_error *err);

static inline void image_put(struct image *img, size_t off, unsigned size,
			     uint64_t val)
{
	memcpy(img->data + off, &val, size);
}

/*
 * A bzImage of 2 KiB: two sectors of setup code, 1 KiB of protected-mode code;
 * prefers 16 MiB, needs 4 MiB there.
 */
static inline struct image image_bzimage(void)
{
	struct image img = { .len = 0x800 };

	image_put(&img, 0x1f1, 1, 1); /* setup_sects */
	image_put(&img, 0x1f4, 4, 0x40); /* syssize, in 16 bytes */
	image_put(&img, 0x1fe, 2, 0xaa55); /* boot_flag */
	image_put(&img, 0x200, 2, 0x6aeb); /* jump: the header ends at 0x26c */
	image_put(&img, 0x202, 4, 0x53726448); /* "HdrS" */
	image_put(&img, 0x206, 2, 0x020f); /* version */
	image_put(&img, 0x211, 1, 0x01); /* loadflags: LOADED_HIGH */
	image_put(&img, 0x214, 4, 0x100000); /* code32_start */
	image_put(&img, 0x22c, 4, 0x7fffffff); /* initrd_addr_max */
	image_put(&img, 0x230, 4, 0x200000); /* kernel_alignment */
	image_put(&img, 0x234, 1, 1); /* relocatable_kernel */
	image_put(&img, 0x236, 2, 0x03); /* xloadflags: 64 bits, above 4 GiB */
	image_put(&img, 0x238, 4, 2047); /* cmdline_size */
	image_put(&img, 0x248, 4, 0x240); /* payload_offset */
	image_put(&img, 0x24c, 4, 0x100); /* payload_length */
	image_put(&img, 0x258, 8, 0x1000000); /* pref_address */
	image_put(&img, 0x260, 4, 0x400000); /* init_size */
	image_put(&img, 0x268, 4, 0x300); /* kernel_info_offset */
	return img;
}

/* Where an ELF's program header i is, by image_elf(). */
#define IMAGE_PHDR(i) (0x40u + (i) * 56u)

static inline void image_phdr(struct image *img, unsigned i, uint32_t type,
			      uint64_t off, uint64_t vaddr, uint64_t paddr,
			      uint64_t filesz, uint64_t memsz)
{
	image_put(img, IMAGE_PHDR(i) + 0, 4, type);
	image_put(img, IMAGE_PHDR(i) + 8, 8, off);
	image_put(img, IMAGE_PHDR(i) + 16, 8, vaddr);
	image_put(img, IMAGE_PHDR(i) + 24, 8, paddr);
	image_put(img, IMAGE_PHDR(i) + 32, 8, filesz);
	image_put(img, IMAGE_PHDR(i) + 40, 8, memsz);
}

/*
 * An ELF64 of 1 KiB for x86-64, shaped as vmlinux: text at 16 MiB, data at 20
 * MiB with zeros after it, both linked high; a note. Entry at the text's start.
 */
static inline struct image image_elf(void)
{
	struct image img = { .len = 0x400 };

	memcpy(img.data, "\177ELF\2\1\1", 7);
	image_put(&img, 16, 2, 2); /* e_type: ET_EXEC */
	image_put(&img, 18, 2, 62); /* e_machine: EM_X86_64 */
	image_put(&img, 20, 4, 1); /* e_version */
	image_put(&img, 24, 8, 0x1000000); /* e_entry */
	image_put(&img, 32, 8, 0x40); /* e_phoff */
	image_put(&img, 52, 2, 64); /* e_ehsize */
	image_put(&img, 54, 2, 56); /* e_phentsize */
	image_put(&img, 56, 2, 3); /* e_phnum */
	image_phdr(&img, 0, 1, 0x200, 0xffffffff81000000, 0x1000000, 0x100,
		   0x100);
	image_phdr(&img, 1, 1, 0x300, 0xffffffff81400000, 0x1400000, 0x80,
		   0x200000);
	image_phdr(&img, 2, 4, 0x380, 0xffffffff81000040, 0x1000040, 0x20,
		   0x20);
	return img;
}

/*
 * Parses a copy of its own size, so that ASan sees a read past the end. The
 * plan must stay as it was unless the image is accepted: -EDOM if it did not.
 */
static inline int image_parse_as(image_parser *parse, const struct image *img,
				 enum trapmap_boot want,
				 const struct boot_notes *notes,
				 struct boot_plan *ret_plan,
				 struct boot_error *err)
{
	uint8_t *copy = calloc(1, img->len ? img->len : 1);
	struct boot_image image = {
		.head = copy,
		.head_len = img->len,
		.len = img->len,
		.want = want,
	};
	struct boot_plan before;
	int r;

	if (notes)
		image.notes = *notes;
	memcpy(copy, img->data, img->len);
	memset(ret_plan, 0xa5, sizeof(*ret_plan));
	memcpy(&before, ret_plan, sizeof(before));
	memset(err, 0, sizeof(*err));
	r = parse(&image, ret_plan, err);
	if (r < 0 && memcmp(&before, ret_plan, sizeof(before)) != 0)
		r = -EDOM;
	free(copy);
	return r;
}

static inline int image_parse(image_parser *parse, const struct image *img,
			      struct boot_plan *ret_plan,
			      struct boot_error *err)
{
	return image_parse_as(parse, img, TRAPMAP_BOOT_AUTO, NULL, ret_plan,
			      err);
}

/* The start of a file that is as long as len says. */
static inline int image_parse_head(image_parser *parse, const uint8_t *head,
				   size_t head_len, uint64_t len,
				   struct boot_plan *ret_plan,
				   struct boot_error *err)
{
	const struct boot_image image = {
		.head = head,
		.head_len = head_len,
		.len = len,
	};

	return parse(&image, ret_plan, err);
}

/* One way to spoil an image, and what is to be said of it. */
struct mangle {
	const char *name;
	struct {
		size_t off;
		unsigned size;
		uint64_t val;
	} put[2];
	size_t len; /* 0: as it was */
	uint64_t want_off;
	const char *want; /* a piece of the text */
};

/* What is wrong with the refusal of img spoilt as in m; NULL if it is right. */
static inline const char *image_mangle(image_parser *parse, struct image img,
				       const struct mangle *m,
				       struct boot_error *err)
{
	struct boot_plan plan;
	unsigned i;
	int r;

	for (i = 0; i < 2; i++)
		image_put(&img, m->put[i].off, m->put[i].size, m->put[i].val);
	if (m->len)
		img.len = m->len;
	r = image_parse(parse, &img, &plan, err);
	if (r == -EDOM)
		return "the plan was touched";
	if (r != -EINVAL)
		return "not refused";
	if (err->off != m->want_off)
		return "another offset";
	if (!strstr(err->text, m->want))
		return "another text";
	return NULL;
}

#endif
