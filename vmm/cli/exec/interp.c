// SPDX-License-Identifier: MIT
/*
 * Sources: System V ABI, "Program Header", of ELF files of both classes; Linux,
 * fs/binfmt_script.c, which looks at 256 bytes.
 */
#include "exec/interp.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

#define LINE_MAX 256

/* A word that ends at a blank or with the line. Returns where it ended. */
static const char *take_word(const char *at, const char *end,
			     char ret_word[INTERP_MAX])
{
	size_t n = 0;

	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	for (; at < end && *at && !strchr(" \t\r\n", *at); at++)
		if (n < INTERP_MAX - 1)
			ret_word[n++] = *at;
	ret_word[n] = '\0';
	return at;
}

static enum interp of_script(const uint8_t *image, size_t len,
			     char ret_path[INTERP_MAX],
			     char ret_word[INTERP_MAX])
{
	const char *at = (const char *)image + 2;
	const char *end = (const char *)image + (len < LINE_MAX ? len : LINE_MAX);
	const char *newline = memchr(at, '\n', (size_t)(end - at));

	if (newline)
		end = newline;
	at = take_word(at, end, ret_path);
	if (!*ret_path)
		return INTERP_NONE;
	at = take_word(at, end, ret_word);
	/* Of env(1): an option that splits what follows into words. */
	if (strcmp(ret_word, "-S") == 0)
		take_word(at, end, ret_word);
	return INTERP_SCRIPT;
}

/* What both classes have of a program header. */
struct segment {
	uint32_t type;
	uint64_t offset, len;
};

static bool get_segment(const uint8_t *image, size_t len, unsigned i,
			struct segment *ret_segment)
{
	uint64_t at, size;
	Elf64_Ehdr eh;
	Elf32_Ehdr eh32;
	Elf64_Phdr ph;
	Elf32_Phdr ph32;

	if (image[EI_CLASS] == ELFCLASS64) {
		if (len < sizeof(eh))
			return false;
		memcpy(&eh, image, sizeof(eh));
		at = eh.e_phoff;
		size = sizeof(ph);
		if (i >= eh.e_phnum || eh.e_phentsize != size)
			return false;
	} else {
		memcpy(&eh32, image, sizeof(eh32));
		at = eh32.e_phoff;
		size = sizeof(ph32);
		if (i >= eh32.e_phnum || eh32.e_phentsize != size)
			return false;
	}
	if (at > len || (len - at) / size <= i)
		return false;
	at += i * size;
	if (image[EI_CLASS] == ELFCLASS64) {
		memcpy(&ph, image + at, sizeof(ph));
		*ret_segment = (struct segment){ ph.p_type, ph.p_offset,
						 ph.p_filesz };
	} else {
		memcpy(&ph32, image + at, sizeof(ph32));
		*ret_segment = (struct segment){ ph32.p_type, ph32.p_offset,
						 ph32.p_filesz };
	}
	return true;
}

static enum interp of_elf(const uint8_t *image, size_t len,
			  char ret_path[INTERP_MAX])
{
	struct segment s;
	unsigned i;

	for (i = 0; get_segment(image, len, i, &s); i++) {
		if (s.type != PT_INTERP)
			continue;
		if (s.len == 0 || s.len >= INTERP_MAX || s.offset > len ||
		    len - s.offset < s.len)
			return INTERP_NONE;
		memcpy(ret_path, image + s.offset, s.len);
		ret_path[s.len] = '\0';
		return *ret_path ? INTERP_LOADER : INTERP_NONE;
	}
	return INTERP_NONE;
}

enum interp interp_find(const uint8_t *image, size_t len,
			char ret_path[INTERP_MAX], char ret_word[INTERP_MAX])
{
	*ret_path = *ret_word = '\0';
	if (len > 2 && memcmp(image, "#!", 2) == 0)
		return of_script(image, len, ret_path, ret_word);
	if (len >= sizeof(Elf32_Ehdr) && memcmp(image, ELFMAG, SELFMAG) == 0 &&
	    (image[EI_CLASS] == ELFCLASS64 || image[EI_CLASS] == ELFCLASS32))
		return of_elf(image, len, ret_path);
	return INTERP_NONE;
}
