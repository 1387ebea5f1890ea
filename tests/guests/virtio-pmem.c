// SPDX-License-Identifier: MIT
/*
 * virtio-pmem.c: reads images where they lie in memory, writes to them in vain, and
 * has them flushed.
 *
 * case virtio-pmem
 *	setup: yes 0123456 | head -c 3000000 >$dir/image; cp $dir/image $dir/before
 *	options: --transport mmio --pmem $dir/image --params 3000000
 *	status: 0
 *	out: image at 0x100000000: 4 MiB
 *	out: 3000000 bytes as they are in the file, then zeroes
 *	out: what is written is gone, flushed
 *	check: cmp $dir/image $dir/before
 * case virtio-pmem-two
 *	setup: yes 0123456 | head -c 4096 >$dir/one; yes 0123456 | head -c 2097152 >$dir/two
 *	setup: chmod 400 $dir/one $dir/two
 *	options: --transport mmio -m 4096 --pmem $dir/one --pmem $dir/two --params 4096,2097152
 *	status: 0
 *	out: image at 0x140000000: 2 MiB
 *	out: 4096 bytes as they are in the file, then zeroes
 *	out: image at 0x148000000: 2 MiB
 *	out: 2097152 bytes as they are in the file, then zeroes
 * case virtio-pmem-reboot
 *	setup: yes 0123456 | head -c 8192 >$dir/image
 *	options: --transport mmio --on-reset=reboot --timeout 20 --pmem $dir/image --params 8192,reboot
 *	status: 0
 *	out: 8192 bytes as they are in the file, then zeroes
 *	out: rebooting
 *	out: 8192 bytes as they are in the file, then zeroes
 * case virtio-pmem-in-use
 *	setup: truncate -s 64K $dir/image
 *	setup: "$trapmap" run "$guest" -d $dir/image --params hold --timeout 2 >$dir/other 2>&1 &
 *	setup: timeout 10 sh -c "until grep -q holding $dir/other; do sleep 0.05; done"
 *	options: --transport mmio --pmem $dir/image
 *	status: 2
 *	err: ^trapmap: pmem '.*image': is being written to by another program
 * case virtio-pmem-shared
 *	setup: yes 0123456 | head -c 65536 >$dir/image
 *	setup: "$trapmap" run "$guest" --pmem $dir/image --params hold --timeout 2 >$dir/other 2>&1 &
 *	setup: timeout 10 sh -c "until grep -q holding $dir/other; do sleep 0.05; done"
 *	options: --transport mmio --pmem $dir/image --params 65536
 *	status: 0
 *	out: 65536 bytes as they are in the file, then zeroes
 * case virtio-pmem-cut-short
 *	if: ! "$trapmap" doctor | grep -qi software
 *	setup: yes 0123456 | head -c 65536 >$dir/image
 *	setup: { timeout 10 sh -c "until grep -q mapped $dir/out; do sleep 0.05; done"; : >$dir/image; } &
 *	options: --transport mmio --pmem $dir/image --params 65536,until-gone --timeout 20
 *	status: 4
 *	err: ^trapmap: the host failed: vCPU 0: KVM_RUN failed: Bad address
 * case virtio-pmem-cut-short-in-software
 *	if: "$trapmap" doctor | grep -qi software
 *	setup: yes 0123456 | head -c 65536 >$dir/image
 *	setup: { timeout 10 sh -c "until grep -q mapped $dir/out; do sleep 0.05; done"; : >$dir/image; } &
 *	options: --transport mmio --pmem $dir/image --params 65536,until-gone --timeout 20
 *	status: 0
 *	out: gone
 */
#include "virtio.h"

#define PMEM 27

static struct virtio_ring ring;
static uint32_t base;
static uint32_t request; /* 0: VIRTIO_PMEM_REQ_TYPE_FLUSH */
static volatile uint32_t answer;

static uint64_t get64(uint32_t reg)
{
	return virtio_get(base, reg) |
	       (uint64_t)virtio_get(base, reg + 4) << 32;
}

static void flush(void)
{
	answer = 0xeeeeeeee;
	ring.desc[0].addr = (uintptr_t)&request;
	ring.desc[0].len = 4;
	ring.desc[1].addr = (uintptr_t)&answer;
	ring.desc[1].len = 4;
	virtio_offer(base, 0, &ring, 2, 1);
	CHECK_EQ(virtio_wait(&ring), 4);
	CHECK_EQ(answer, 0);
}

static bool has(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (; *text; text++)
		if (!memcmp(text, word, len))
			return true;
	return false;
}

/* len bytes of "0123456\n", over and over, and then nothing. */
static void look(uint64_t len, bool until_gone)
{
	static const char text[] = "0123456\n";
	uint64_t start, size, at, words;
	volatile uint64_t *p;

	virtio_begin(base, 0);
	virtio_queue(base, 0, &ring);
	virtio_run(base);
	start = get64(CONFIG);
	size = get64(CONFIG + 8);
	print("image at 0x%lx: %lu MiB\n", start, size >> 20);
	for (at = start; at < start + size; at += 0x200000)
		map_page(at);
	p = (volatile uint64_t *)start;
	words = len / 8;
	for (at = 0; at < words; at += 512)
		CHECK_EQ(memcmp((const void *)&p[at], text, 8), 0);
	CHECK_EQ(memcmp((const void *)&p[words - 1], text, 8), 0);
	for (at = words; at < size / 8; at += 512)
		CHECK_EQ(p[at], 0);
	print("%lu bytes as they are in the file, then zeroes\n", len);
	if (until_gone) {
		print("mapped\n");
		while (*p != UINT64_MAX)
			cpu_relax();
		print("gone\n");
		return;
	}
	at = p[1];
	p[1] = ~at;
	p[size / 8 - 1] = 5;
	CHECK_EQ(p[1], at);
	flush();
	CHECK_EQ(p[1], at);
	print("what is written is gone, flushed\n");
}

int guest_main(void)
{
	const char *how = boot_cmdline();
	unsigned i;

	if (has(how, "hold")) {
		print("holding\n");
		for (;;)
			wait_for_interrupt();
	}
	for (i = 0; (base = virtio_find(PMEM, i)) != 0; i++) {
		uint64_t len = parse_number(&how);

		look(len, has(how, "until-gone"));
		if (*how == ',')
			how++;
	}
	CHECK(i > 0);
	if (has(how, "reboot") && rtc_read(0x40) != 0x5a) {
		rtc_write(0x40, 0x5a);
		print("rebooting\n");
		acpi_reset();
	}
	return 0;
}
