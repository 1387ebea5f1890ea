// SPDX-License-Identifier: MIT
/* A machine file: whatever it says, it is a board that can be had or it is refused. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "board/read.h"
#include "core/base.h"
#include "devicetree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* platform.h's promises, on which the rest of the board is built. */
static void check(const struct tree_board *board)
{
	const struct platform *p = &board->platform;
	uint64_t mem = 0, end = 0;
	unsigned i;

	assert(p->rams <= PLATFORM_RAM_MAX && p->cpus <= PLATFORM_CPUS_MAX);
	assert(p->slots <= LAYOUT_VIRTIO_MAX);
	for (i = 0; i < p->rams; i++) {
		const struct platform_ram *ram = &p->ram[i];

		assert(i == 0 ? ram->base == 0 && ram->len >= LAYOUT_HIGH_RAM :
				ram->base > end);
		assert(ram->len > 0 && ram->base % 4096 == 0 &&
		       ram->len % 4096 == 0);
		end = ram->base + ram->len;
		assert(end > ram->base &&
		       (end <= LAYOUT_HOLE || ram->base >= LAYOUT_HOLE_END));
		mem += ram->len;
	}
	assert(mem == p->mem);
	for (i = 0; i < PLATFORM_UARTS; i++)
		assert(!p->uart[i].there || p->uart[i].irq < LAYOUT_IOAPIC_PINS);
	for (i = 0; i < p->slots; i++)
		assert(p->slot[i].there && p->slot[i].irq < LAYOUT_IOAPIC_PINS);
}

/* What was read can be told again, and is then the same. */
static void tell(const struct tree_board *board)
{
	struct devicetree_config config = { .platform = board->platform,
					    .model = board->model,
					    .cmdline = board->bootargs };
	struct tree_board *again = NULL;
	char err[BOARD_ERR_LEN];
	void *blob = NULL;
	size_t len = 0;
	int r;

	if (!config.platform.rams || !config.platform.cpus)
		return;
	config.platform.virtio = config.platform.slots;
	r = devicetree_build(&config, &blob, &len);
	assert(r == 0);
	r = board_read(blob, len, &again, err);
	assert(r == 0);
	assert(memcmp(&again->platform, &board->platform,
		      sizeof(board->platform)) == 0);
	board_free(again);
	free(blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tree_board *board = NULL;
	char err[BOARD_ERR_LEN] = "";
	void *blob = malloc(size + 1);

	if (!blob)
		return 0;
	if (size)
		memcpy(blob, data, size);
	if (board_read(blob, size, &board, err) == 0) {
		check(board);
		tell(board);
	} else {
		assert(err[0] && !memchr(err, '\n', strlen(err)));
	}
	board_free(board);
	free(blob);
	return 0;
}
