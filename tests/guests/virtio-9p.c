// SPDX-License-Identifier: MIT
/*
 * virtio-9p.c: mounts a shared folder by 9P2000.L as it were: reads a file in it,
 * writes another, looks for a way out, and resets in the middle.
 *
 * case virtio-9p
 *	setup: mkdir $dir/share; printf 'from the host' >$dir/share/in; printf secret >$dir/secret; ln -s ../secret $dir/share/link
 *	options: --transport mmio --share $dir/share --params write
 *	status: 0
 *	out: share 'share'
 *	out: read: from the host
 *	out: written
 *	out: no way out
 *	check: test "$(cat $dir/share/out)" = 'from the guest'
 * case virtio-9p-read-only
 *	setup: mkdir $dir/share; printf 'only to read' >$dir/share/in; ln -s ../secret $dir/share/link
 *	options: --transport mmio --share $dir/share,tag=a-tag,ro --params ro
 *	status: 0
 *	out: share 'a-tag'
 *	out: read: only to read
 *	out: writing is refused with 30
 *	check: test "$(ls $dir/share | tr '\n' ' ')" = 'in link '
 * case virtio-9p-reset
 *	setup: mkdir $dir/share; head -c 400000 /dev/zero >$dir/share/in
 *	options: --transport mmio --share $dir/share --params reset
 *	status: 0
 *	out: 20 resets with a read under way
 * case virtio-9p-reboot
 *	setup: mkdir $dir/share; printf 'again' >$dir/share/in
 *	options: --transport mmio --on-reset=reboot --timeout 20 --share $dir/share --params reboot
 *	status: 0
 *	out: read: again
 *	out: rebooting
 *	out: read: again
 * case virtio-9p-no-folder
 *	setup: : >$dir/file
 *	options: --share $dir/file
 *	status: 2
 *	err: ^trapmap: share '.*file': is not a folder
 */
#include "virtio.h"

#define P9 9
#define NOFID 0xffffffffu

enum {
	LOPEN = 12, LCREATE = 14, VERSION = 100, ATTACH = 104, WALK = 110,
	READ = 116, WRITE = 118, CLUNK = 120,
};

static uint32_t base;
static struct virtio_ring ring;
static uint8_t out[256], in[4096], data[65536];
static unsigned len;

static void put16(unsigned v)
{
	out[len++] = (uint8_t)v;
	out[len++] = (uint8_t)(v >> 8);
}

static void put32(uint32_t v)
{
	put16(v & 0xffff);
	put16(v >> 16);
}

static void put_string(const char *s)
{
	size_t n = strlen(s);

	put16((unsigned)n);
	memcpy(out + len, s, n);
	len += (unsigned)n;
}

static uint32_t get32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static void begin(uint8_t type)
{
	len = 4;
	out[len++] = type;
	put16(7);
}

/* The last part of the buffer is `more` bytes of data, one way or the other. */
static void offer(unsigned more, bool to_guest)
{
	uint32_t size = len + (to_guest ? 0 : more);
	unsigned n = 0, first_in;

	out[0] = (uint8_t)size;
	out[1] = (uint8_t)(size >> 8);
	out[2] = (uint8_t)(size >> 16);
	out[3] = 0;
	ring.desc[n++] = (struct virtio_desc){ (uintptr_t)out, len, 0, 0 };
	if (more && !to_guest)
		ring.desc[n++] = (struct virtio_desc){ (uintptr_t)data, more, 0, 0 };
	first_in = n;
	/* As Linux has it: a head of 11 bytes, then the pages themselves. */
	ring.desc[n++] = (struct virtio_desc){ (uintptr_t)in,
					       more && to_guest ? 11 : 4096, 0, 0 };
	if (more && to_guest)
		ring.desc[n++] = (struct virtio_desc){ (uintptr_t)data, more, 0, 0 };
	virtio_offer(base, 0, &ring, n, first_in);
}

/* Returns the errno of the answer, or 0. */
static uint32_t answer(uint8_t type)
{
	uint32_t got = virtio_wait(&ring);

	CHECK_EQ(get32(in), got);
	CHECK(in[5] == 7 && in[6] == 0);
	if (in[4] == 7)
		return get32(in + 7);
	CHECK_EQ(in[4], type + 1);
	return 0;
}

static uint32_t call(uint8_t type)
{
	offer(0, false);
	return answer(type);
}

static void bring_up(void)
{
	CHECK_EQ(virtio_begin(base, 1), 1); /* VIRTIO_9P_MOUNT_TAG */
	virtio_queue(base, 0, &ring);
	virtio_run(base);
	begin(VERSION);
	put32(65536 + 24);
	put_string("9P2000.L");
	CHECK_EQ(call(VERSION), 0);
	begin(ATTACH);
	put32(0);
	put32(NOFID);
	put_string("");
	put_string("");
	put32(0);
	CHECK_EQ(call(ATTACH), 0);
}

static uint32_t walk(uint32_t fid, uint32_t newfid, const char *name)
{
	begin(WALK);
	put32(fid);
	put32(newfid);
	put16(name ? 1 : 0);
	if (name)
		put_string(name);
	return call(WALK);
}

static uint32_t open(uint32_t fid, uint32_t flags)
{
	begin(LOPEN);
	put32(fid);
	put32(flags);
	return call(LOPEN);
}

static uint32_t create(uint32_t fid, const char *name)
{
	begin(LCREATE);
	put32(fid);
	put_string(name);
	put32(0101);
	put32(0644);
	put32(0);
	return call(LCREATE);
}

static void start_io(uint8_t type, uint32_t fid, uint32_t count)
{
	begin(type);
	put32(fid);
	put32(0);
	put32(0);
	put32(count);
	offer(count, type == READ);
}

static void read_file(void)
{
	CHECK_EQ(walk(0, 1, "in"), 0);
	CHECK_EQ(open(1, 0), 0);
	start_io(READ, 1, 100);
	CHECK_EQ(answer(READ), 0);
	data[get32(in + 7)] = 0;
	print("read: %s\n", (char *)data);
}

static void write_file(void)
{
	static const char text[] = "from the guest";

	CHECK_EQ(walk(0, 2, NULL), 0);
	CHECK_EQ(create(2, "out"), 0);
	memcpy(data, text, sizeof(text));
	start_io(WRITE, 2, sizeof(text) - 1);
	CHECK_EQ(answer(WRITE), 0);
	CHECK_EQ(get32(in + 7), sizeof(text) - 1);
	print("written\n");
}

static void look_for_a_way_out(void)
{
	CHECK_EQ(walk(0, 3, ".."), 0); /* the root again */
	CHECK_EQ(walk(3, 4, "secret"), 2); /* ENOENT */
	CHECK_EQ(walk(0, 4, "../secret"), 22); /* EINVAL */
	CHECK_EQ(walk(0, 4, "link"), 0);
	CHECK_EQ(open(4, 0), 1); /* EPERM */
	CHECK(walk(4, 5, "x") != 0);
	print("no way out\n");
}

/* What was under way at a reset is never heard of again. */
static void reset_often(void)
{
	unsigned i, n;

	for (i = 0; i < 20; i++) {
		CHECK_EQ(walk(0, 1, "in"), 0);
		CHECK_EQ(open(1, 0), 0);
		start_io(READ, 1, 65536);
		virtio_put(base, STATUS, 0);
		CHECK_EQ(virtio_get(base, STATUS), 0);
		memset(data, 0x5a, sizeof(data));
		for (n = 0; n < 1000; n++)
			cpu_relax();
		for (n = 0; n < sizeof(data); n += 512)
			CHECK_EQ(data[n], 0x5a);
		/* Nor are the fids of before. */
		bring_up();
		CHECK_EQ(open(1, 0), 9); /* EBADF */
	}
	print("%u resets with a read under way\n", i);
}

int guest_main(void)
{
	const char *how = boot_cmdline();
	char tag[32] = "";
	unsigned i;

	base = virtio_find(P9, 0);
	CHECK(base != 0);
	for (i = 0; i < 31 && i < (virtio_get(base, CONFIG) & 0xffff); i++)
		tag[i] = (char)(virtio_get(base, CONFIG + ((i + 2) & ~3u)) >>
				((i + 2) % 4 * 8));
	print("share '%s'\n", tag);
	bring_up();
	if (!strcmp(how, "reset")) {
		reset_often();
		return 0;
	}
	read_file();
	if (!strcmp(how, "write")) {
		write_file();
		look_for_a_way_out();
	}
	if (!strcmp(how, "ro"))
		print("writing is refused with %u\n", create(0, "out"));
	if (!strcmp(how, "reboot") && rtc_read(0x40) != 0x5a) {
		rtc_write(0x40, 0x5a);
		start_io(READ, 1, 65536);
		print("rebooting\n");
		acpi_reset();
	}
	return 0;
}
