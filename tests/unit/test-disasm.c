// SPDX-License-Identifier: MIT
/* Encodings from SDM volume 2. */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "postmortem/disasm.h"

static int setup(void **state)
{
	struct disasm *disasm;
	int r = disasm_new(&disasm);

	if (r == -ENOSYS || r == -ENOENT) {
		print_message("SKIPPED: no disassembler here\n");
		exit(77);
	}
	assert_int_equal(r, 0);
	*state = disasm;
	return 0;
}

static int teardown(void **state)
{
	assert_null(disasm_free(*state));
	return 0;
}

#define CHECK(mode, rip, expected, ...)                                        \
	do {                                                                   \
		const uint8_t code[] = { __VA_ARGS__ };                        \
		char text[64] = "";                                            \
		unsigned n = disasm_one(*state, mode, rip, code, sizeof(code), \
					text, sizeof(text));                   \
		assert_int_equal(n, sizeof(code));                             \
		assert_string_equal(text, expected);                           \
	} while (0)

static void intel_syntax_in_every_mode(void **state)
{
	CHECK(DISASM_64, 0, "ud2", 0x0f, 0x0b);
	CHECK(DISASM_64, 0, "mov rax, rbx", 0x48, 0x89, 0xd8);
	CHECK(DISASM_32, 0, "mov eax, ebx", 0x89, 0xd8);
	CHECK(DISASM_16, 0, "mov ax, bx", 0x89, 0xd8);
	CHECK(DISASM_32, 0, "dec eax", 0x48);
}

static void branches_name_their_target(void **state)
{
	CHECK(DISASM_64, 0x101000, "jmp 0x101000", 0xeb, 0xfe);
	CHECK(DISASM_32, 0x101000, "jmp 0x101010", 0xeb, 0x0e);
}

/* Lower case, without leading zeros: as the rest of a post-mortem has them. */
static void numbers_read_as_everywhere_else(void **state)
{
	CHECK(DISASM_64, 0x100dc0, "jmp 0x100dca", 0xeb, 0x08);
	CHECK(DISASM_64, 0, "mov esi, 0x100fae", 0xbe, 0xae, 0x0f, 0x10, 0);
	CHECK(DISASM_64, 0, "mov eax, 0x0", 0xb8, 0, 0, 0, 0);
	CHECK(DISASM_32, 0, "cmp byte ptr [eax+0x2], 0x0", 0x80, 0x78, 2, 0);
	CHECK(DISASM_32, 0x10, "jmp 0x0", 0xeb, 0xee);
}

static void one_instruction_at_a_time(void **state)
{
	const uint8_t code[] = { 0xf4, 0xeb, 0xfd };
	char text[64] = "";

	assert_int_equal(disasm_one(*state, DISASM_64, 0, code, 3, text, 64), 1);
	assert_string_equal(text, "hlt");
}

static void what_is_cut_or_invalid_has_no_length(void **state)
{
	const uint8_t cut[] = { 0x48, 0xb8, 1, 2, 3 };
	const uint8_t invalid[] = { 0x06, 0x90 }; /* push es */
	char text[64] = "as before";

	assert_int_equal(disasm_one(*state, DISASM_64, 0, cut, 5, text, 64), 0);
	assert_int_equal(disasm_one(*state, DISASM_64, 0, cut, 0, text, 64), 0);
	assert_int_equal(disasm_one(*state, DISASM_64, 0, invalid, 2, text, 64),
			 0);
	assert_string_equal(text, "as before");
}

static void text_that_does_not_fit_is_cut(void **state)
{
	const uint8_t code[] = { 0x48, 0x89, 0xd8 };
	char text[8] = "xxxxxxx";

	assert_int_equal(disasm_one(*state, DISASM_64, 0, code, 3, text, 5), 3);
	assert_string_equal(text, "mov ");
	assert_int_equal(text[5], 'x');
}

static void nothing_can_be_freed(void **state)
{
	assert_null(disasm_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intel_syntax_in_every_mode),
		cmocka_unit_test(branches_name_their_target),
		cmocka_unit_test(numbers_read_as_everywhere_else),
		cmocka_unit_test(one_instruction_at_a_time),
		cmocka_unit_test(what_is_cut_or_invalid_has_no_length),
		cmocka_unit_test(text_that_does_not_fit_is_cut),
		cmocka_unit_test(nothing_can_be_freed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
