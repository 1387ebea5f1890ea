// SPDX-License-Identifier: MIT
/*
 * elf_notes.c: the two things to know from a kernel's notes: where PVH enters
 * it, and whether it is Linux.
 *
 * Sources: System V ABI, chapter 5, "Note Section"; Xen's
 * xen/include/public/elfnote.h (XEN_ELFNOTE_GUEST_OS, _PHYS32_ENTRY); Linux's
 * include/linux/elfnote.h and init/version.c: since 4.19 it has notes whose
 * owner is "Linux".
 *
 * Not here: notes in sections only, with no PT_NOTE to load them by.
 */
#include "boot/elf_notes.h"

#include <string.h>

#include "boot/elf.h"
#include "core/base.h"

#define XEN_GUEST_OS 6u
#define XEN_PHYS32_ENTRY 18u

bool elf_notes_find(const struct boot_image *image, unsigned n,
		    struct elf_notes_range *ret_range)
{
	struct boot_error err;
	Elf64_Ehdr e = { 0 };
	unsigned i;

	if (!elf_is(image) || elf_header(image, true, &e, &err) < 0)
		return false;
	for (i = 0; i < e.e_phnum; i++) {
		Elf64_Phdr ph = elf_phdr(image, &e, i);

		if (ph.p_type != PT_NOTE || n-- > 0)
			continue;
		if (ph.p_offset > image->len ||
		    ph.p_filesz > image->len - ph.p_offset)
			ph.p_filesz = 0;
		ret_range->off = ph.p_offset;
		ret_range->len = ph.p_filesz < ELF_NOTES_MAX ? ph.p_filesz :
							       ELF_NOTES_MAX;
		ret_range->align = ph.p_align == 8 ? 8 : 4;
		return true;
	}
	return false;
}

struct note {
	uint32_t type;
	const uint8_t *name, *desc;
	uint32_t name_len, desc_len; /* of the name with its NUL */
};

/* The note at *off, and moves *off behind it; false: there is none. */
static bool next_note(const uint8_t *data, size_t len, unsigned align,
		      size_t *off, struct note *ret_note)
{
	uint64_t at = *off, desc, end;
	struct note note;

	if (len < 12 || at > len - 12)
		return false;
	note.name_len = get_le32(data + at);
	note.desc_len = get_le32(data + at + 4);
	note.type = get_le32(data + at + 8);
	desc = align_up(at + 12 + note.name_len, align);
	end = desc + note.desc_len;
	if (end > len)
		return false;
	note.name = data + at + 12;
	note.desc = data + desc;
	*ret_note = note;
	*off = (size_t)align_up(end, align);
	return true;
}

static bool is_text(const uint8_t *data, uint32_t len, const char *text)
{
	return len == strlen(text) + 1 && memcmp(data, text, len) == 0;
}

void elf_notes_read(const uint8_t *data, const struct elf_notes_range *range,
		    struct boot_notes *notes)
{
	struct note note;
	size_t off = 0;

	while (next_note(data, range->len, range->align, &off, &note)) {
		bool xen = is_text(note.name, note.name_len, "Xen");

		if (is_text(note.name, note.name_len, "Linux") ||
		    (xen && note.type == XEN_GUEST_OS &&
		     is_text(note.desc, note.desc_len, "linux")))
			notes->is_linux = true;
		/* A word of the kernel's own size, but of 32 bits always. */
		if (!xen || note.type != XEN_PHYS32_ENTRY ||
		    (note.desc_len != 4 && note.desc_len != 8))
			continue;
		notes->has_pvh = true;
		notes->pvh_entry = note.desc_len == 8 ? get_le64(note.desc) :
							get_le32(note.desc);
		notes->pvh_off = range->off + (uint64_t)(note.desc - data);
	}
}
