/* SPDX-License-Identifier: MIT */
/*
 * dtb.h: a reader of a flattened devicetree (Devicetree Specification 0.4, chapter 5)
 * for a guest, of a few lines: it believes what it reads, and translates no addresses,
 * for all that Trapmap writes are the processor's. Devices it picks by `compatible`.
 */
#ifndef GUESTS_DTB_H
#define GUESTS_DTB_H

#include "guest.h"

#define BP_SETUP_DATA 0x250 /* of boot_params: hdr.setup_data, 8 bytes */
#define SETUP_DTB 2

enum { BEGIN_NODE = 1, END_NODE = 2, PROP = 3, NOP = 4, END = 9 };

#define DEPTH 8

extern const uint8_t *boot_params;

struct property {
	const char *name;
	const uint8_t *val;
	uint32_t len;
};

/* What has been read of a node, and of those it lies in. */
struct node {
	const char *compatible;
	struct property reg, interrupts;
	const char *type;
	uint32_t address_cells, size_cells, shift;
	bool isa;
};

struct port {
	bool memory;
	uint64_t base;
	unsigned shift, irq;
};

static const uint8_t *dtb;
static struct node stack[DEPTH];
static struct port port[4], console;
static struct port rtc, virtio[8];
static unsigned ports, virtios, cpus, first_cpu, ranges;
static uint64_t memory;
static const char *bootargs, *model;
static char stdout_path[80], path[160];

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static uint64_t cells(const uint8_t *p, unsigned n)
{
	uint64_t val = 0;

	for (; n; n--, p += 4)
		val = val << 32 | be32(p);
	return val;
}

static void find_dtb(void)
{
	uint64_t at;

	memcpy(&at, boot_params + BP_SETUP_DATA, sizeof(at));
	while (at && !dtb) {
		const uint8_t *data = (const uint8_t *)at;
		uint32_t type;

		memcpy(&type, data + 8, sizeof(type));
		if (type == SETUP_DTB)
			dtb = data + 16;
		memcpy(&at, data, sizeof(at));
	}
}

static struct port place(const struct node *n, const struct node *bus)
{
	struct port p = { .shift = n->shift };

	p.memory = !bus->isa;
	if (bus->isa) {
		CHECK_EQ(be32(n->reg.val), 1);
		p.base = be32(n->reg.val + 4);
	} else {
		p.base = cells(n->reg.val, bus->address_cells);
	}
	CHECK_EQ(n->interrupts.len, 8);
	p.irq = be32(n->interrupts.val);
	CHECK_EQ(be32(n->interrupts.val + 4), 0); /* edge, rising */
	return p;
}

static void end_node(unsigned depth)
{
	const struct node *n = &stack[depth], *bus = &stack[depth - 1];
	uint32_t step, i;

	if (n->type && !strcmp(n->type, "memory")) {
		step = 4 * (bus->address_cells + bus->size_cells);
		for (i = 0; i < n->reg.len; i += step, ranges++)
			memory += cells(n->reg.val + i +
						bus->address_cells * 4,
					bus->size_cells);
	}
	if (n->type && !strcmp(n->type, "cpu") && cpus++ == 0)
		first_cpu = be32(n->reg.val);
	if (!n->compatible)
		return;
	if (!strcmp(n->compatible, "ns16550a")) {
		if (!strcmp(path, stdout_path))
			console = place(n, bus);
		CHECK(ports < ARRAY_SIZE(port));
		port[ports++] = place(n, bus);
	}
	if (!strcmp(n->compatible, "motorola,mc146818"))
		rtc = place(n, bus);
	if (!strcmp(n->compatible, "virtio,mmio")) {
		CHECK(virtios < ARRAY_SIZE(virtio));
		virtio[virtios++] = place(n, bus);
	}
}

static void property(unsigned depth, const struct property *p)
{
	struct node *n = &stack[depth];
	const char *text = (const char *)p->val;

	if (!strcmp(p->name, "compatible"))
		n->compatible = text;
	else if (!strcmp(p->name, "device_type"))
		n->type = text;
	else if (!strcmp(p->name, "reg"))
		n->reg = *p;
	else if (!strcmp(p->name, "interrupts"))
		n->interrupts = *p;
	else if (!strcmp(p->name, "#address-cells"))
		n->address_cells = be32(p->val);
	else if (!strcmp(p->name, "#size-cells"))
		n->size_cells = be32(p->val);
	else if (!strcmp(p->name, "reg-shift"))
		n->shift = be32(p->val);
	else if (!strcmp(p->name, "model") && depth == 1)
		model = text;
	else if (!strcmp(p->name, "bootargs"))
		bootargs = text;
	else if (!strcmp(p->name, "stdout-path") && p->len < sizeof(stdout_path))
		memcpy(stdout_path, text, p->len);
	if (n->type && !strcmp(n->type, "isa"))
		n->isa = true;
}

static unsigned name_node(const char *name)
{
	size_t len = strlen(path), n = strlen(name);

	CHECK(len + n + 2 < sizeof(path));
	if (len != 1) /* below the root, which has it already */
		path[len++] = '/';
	memcpy(path + len, name, n + 1);
	return (unsigned)n;
}

static void leave_node(void)
{
	size_t len = strlen(path);

	while (len > 0 && path[len - 1] != '/')
		len--;
	path[len > 1 ? len - 1 : len] = '\0';
}

static void walk(void)
{
	const uint8_t *at = dtb + be32(dtb + 8);
	const char *strings = (const char *)dtb + be32(dtb + 12);
	struct property p;
	unsigned depth = 0;
	uint32_t tag;

	CHECK_EQ(be32(dtb), 0xd00dfeed);
	while ((tag = be32(at)) != END) {
		at += 4;
		switch (tag) {
		case BEGIN_NODE:
			CHECK(++depth < DEPTH);
			memset(&stack[depth], 0, sizeof(stack[depth]));
			at += (name_node((const char *)at) + 4) & ~3u;
			break;
		case PROP:
			p.len = be32(at);
			p.name = strings + be32(at + 4);
			p.val = at + 8;
			property(depth, &p);
			at += 8 + ((p.len + 3) & ~3u);
			break;
		case END_NODE:
			end_node(depth--);
			leave_node();
			break;
		default: CHECK_EQ(tag, NOP);
		}
	}
}

#endif
