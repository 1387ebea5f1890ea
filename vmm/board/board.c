// SPDX-License-Identifier: MIT
#include "board/board.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libfdt.h>

#include "attach/attach.h"
#include "board/read.h"
#include "vm.h"

/* ---- what was asked for ------------------------------------------------- */

/* A whole file, and its name. */
static int read_blob(struct trapmap_vm *vm, const struct trapmap_source *from,
		     void **ret_blob, size_t *ret_len, char **ret_name)
{
	struct source src = { .fd = -1 };
	void *blob = NULL;
	int r = vm_copy_source(vm, from, &src);

	if (r < 0)
		return r;
	r = source_open(&src, &vm->error);
	if (r == 0 && src.len > BOARD_LEN_MAX)
		r = error_set(&vm->error, ERROR_INPUT, -EFBIG,
			      "%s: a devicetree blob of more than %u bytes, "
			      "which are the most that are read",
			      src.name, BOARD_LEN_MAX);
	if (r == 0) {
		blob = malloc(src.len);
		r = blob ? source_read(&src, 0, blob, src.len, &vm->error) :
			   error_host(&vm->error, -ENOMEM, "%s", src.name);
	}
	if (r < 0) {
		free(blob);
		source_done(&src);
		return r;
	}
	*ret_blob = blob;
	*ret_len = src.len;
	*ret_name = src.name;
	src.name = NULL;
	source_done(&src);
	return 0;
}

static int refuse(struct trapmap_vm *vm, int r, const char *name,
		  const char *why)
{
	if (r == -EINVAL)
		return error_set(&vm->error, ERROR_INPUT, r, "%s: %s", name,
				 why);
	return error_host(&vm->error, r, "%s", name);
}

int trapmap_vm_set_board(struct trapmap_vm *vm,
			 const struct trapmap_source *source)
{
	struct board_config *b = &vm->config.board;
	struct tree_board *tree = NULL;
	char why[BOARD_ERR_LEN];
	char *name = NULL;
	void *blob = NULL;
	size_t len = 0;
	int r = attach_check(vm, source->size, sizeof(*source),
			     "trapmap_source");

	if (r == 0)
		r = read_blob(vm, source, &blob, &len, &name);
	if (r < 0)
		return r;
	r = board_read(blob, len, &tree, why);
	free(blob);
	if (r < 0) {
		r = refuse(vm, r, name, why);
		free(name);
		return r;
	}
	board_free(b->tree);
	free(b->name);
	b->tree = tree;
	b->name = name;
	return 0;
}

int trapmap_vm_set_dtb(struct trapmap_vm *vm, enum trapmap_dtb dtb,
		       const struct trapmap_source *source)
{
	struct board_config *b = &vm->config.board;
	char why[BOARD_ERR_LEN];
	char *name = NULL;
	void *blob = NULL;
	size_t len = 0;
	int r = attach_check(vm, 0, 0, "");

	if (r < 0)
		return r;
	if (dtb > TRAPMAP_DTB_FILE || (dtb == TRAPMAP_DTB_FILE) != !!source)
		return error_set(&vm->error, ERROR_INPUT, -EINVAL,
				 "trapmap_vm_set_dtb: an unknown choice, or a "
				 "source that does not go with it");
	if (source) {
		r = read_blob(vm, source, &blob, &len, &name);
		if (r < 0 || !blob)
			return r;
		r = board_check_blob(blob, len, why);
		if (r < 0) {
			free(blob);
			r = refuse(vm, r, name, why);
			free(name);
			return r;
		}
		free(name);
		len = fdt_totalsize(blob);
	}
	free(b->blob);
	b->dtb = dtb;
	b->blob = blob;
	b->blob_len = len;
	return 0;
}

void board_config_done(struct board_config *b)
{
	board_free(b->tree);
	free(b->name);
	free(b->blob);
}

/* ---- the board ---------------------------------------------------------- */

/* A virtio device has to be where the board has a place for it. */
static int check_transport(const struct trapmap_vm *vm, const struct platform *b,
			   struct error *err)
{
	enum trapmap_transport asked = vm->config.transport;
	bool pci = asked == TRAPMAP_TRANSPORT_PCI;

	if (!vm->config.transport_given || pci == platform_has_pci(b))
		return 0;
	return error_set(err, ERROR_INPUT, -EINVAL,
			 "%s: %s was asked for, and the board has %s",
			 vm->config.board.name,
			 pci ? "a PCI bus" : "virtio-mmio",
			 pci ? "none (pci-host-ecam-generic)" :
			       "a PCI bus instead");
}

/* Memory that was asked for may lie where the tree has a device. */
static int check_place(const struct trapmap_vm *vm, const struct platform *p,
		       const struct platform_place *place, struct error *err)
{
	if (!place->there || place->space != TRAPMAP_SPACE_MMIO ||
	    place->base >= platform_low_ram_end(p))
		return 0;
	return error_set(err, ERROR_INPUT, -EINVAL,
			 "%s: the device at %#llx lies within the memory that "
			 "was asked for",
			 vm->config.board.name,
			 (unsigned long long)place->base);
}

static int merge(const struct trapmap_vm *vm, const struct platform *b,
		 struct platform *p, struct error *err)
{
	unsigned i;
	int r = check_transport(vm, b, err);

	if (r < 0)
		return r;
	if (!vm->config.mem_given && b->rams) {
		memcpy(p->ram, b->ram, sizeof(p->ram));
		p->rams = b->rams;
		p->mem = b->mem;
	}
	if (!vm->config.cpus_given && b->cpus)
		p->cpus = b->cpus;
	memcpy(p->uart, b->uart, sizeof(p->uart));
	p->rtc = b->rtc;
	memcpy(p->slot, b->slot, sizeof(p->slot));
	p->slots = b->slots;
	if (!vm->config.transport_given)
		p->transport = b->transport;
	for (i = 0; r == 0 && i < PLATFORM_UARTS; i++)
		r = check_place(vm, p, &p->uart[i], err);
	for (i = 0; r == 0 && i < p->slots; i++)
		r = check_place(vm, p, &p->slot[i], err);
	return r;
}

static bool is_zero(const struct topology *t)
{
	return !t->sockets && !t->cores && !t->threads;
}

/* Before the guest runs, so all of them, however many. */
static void tell(struct trapmap_vm *vm, const char *text)
{
	char *line = NULL;

	/* A name may be as long as a path can be. */
	if (!vm->notices.tell ||
	    asprintf(&line, "%s: %s", vm->config.board.name, text) < 0)
		return;
	vm->notices.tell(vm->notices.opaque, line);
	free(line);
}

static void tell_notes(struct trapmap_vm *vm, const struct tree_board *tree)
{
	char text[64];
	unsigned i;

	for (i = 0; i < tree->notes; i++)
		tell(vm, tree->note[i]);
	if (tree->withheld) {
		snprintf(text, sizeof(text), "no model for %u nodes more",
			 tree->withheld);
		tell(vm, text);
	}
}

int board_make(struct trapmap_vm *vm, struct error *err)
{
	struct vm_config *c = &vm->config;
	const struct tree_board *tree = c->board.tree;
	struct platform p = platform_pc(c->mem, c->cpus, c->transport);
	int r;

	if (tree) {
		r = merge(vm, &tree->platform, &p, err);
		if (r < 0)
			return r;
		if (!c->cpus_given && is_zero(&c->topology))
			c->topology = tree->platform.topology;
		if (!c->cmdline && tree->bootargs) {
			c->cmdline = strdup(tree->bootargs);
			if (!c->cmdline)
				return error_host(err, -ENOMEM, "%s",
						  c->board.name);
		}
		tell_notes(vm, tree);
	}
	c->mem = p.mem;
	c->cpus = p.cpus;
	c->machine.platform = p;
	return 0;
}

const char *board_model(const struct trapmap_vm *vm)
{
	const struct tree_board *tree = vm->config.board.tree;

	return tree ? tree->model : NULL;
}

void board_request(const struct trapmap_vm *vm, struct load_request *request)
{
	const struct board_config *b = &vm->config.board;

	request->dtb_own = b->dtb == TRAPMAP_DTB_AUTO ||
			   (b->dtb == TRAPMAP_DTB_DEFAULT && b->tree);
	request->dtb_asked = b->dtb == TRAPMAP_DTB_AUTO ||
			     b->dtb == TRAPMAP_DTB_FILE;
	request->board_model = board_model(vm);
	request->dtb = b->blob;
	request->dtb_len = b->blob_len;
}
