// SPDX-License-Identifier: MIT
/* opts_fw_cfg.c: --fw-cfg. */
#include <stdlib.h>
#include <string.h>

#include "opts_fw_cfg.h"
#include "opts_parts.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct opts_key keys[] = {
	{ "name", OPTS_KEY_TEXT, offsetof(struct opts_fw_cfg, name) },
	{ "file", OPTS_KEY_TEXT, offsetof(struct opts_fw_cfg, path) },
	{ "string", OPTS_KEY_TEXT, offsetof(struct opts_fw_cfg, string) },
};

static int fw_cfg_add(struct attached *a, struct trapmap_vm *vm)
{
	const struct opts_fw_cfg *fw = (const struct opts_fw_cfg *)a;
	struct trapmap_source source = { .size = sizeof(source) };

	source.path = fw->path;
	if (fw->string) {
		source.data = fw->string;
		source.len = strlen(fw->string);
	}
	return trapmap_vm_add_fw_cfg(vm, fw->name, &source);
}

static const char *fw_cfg_path(const struct attached *a)
{
	return ((const struct opts_fw_cfg *)a)->path;
}

static void fw_cfg_free(struct attached *a)
{
	opts_keys_done(keys, COUNT(keys), a);
	free(a);
}

static const struct attached_ops fw_cfg_ops = {
	.option = "--fw-cfg: ",
	.what = "a file of fw_cfg",
	.add = fw_cfg_add,
	.file = fw_cfg_path,
	.free = fw_cfg_free,
};

int opts_fw_cfg(const char *text, struct run_opts *opts, char *err)
{
	struct opts_fw_cfg *fw = calloc(1, sizeof(*fw));
	int r;

	if (!fw)
		return opts_fail(err, "out of memory");
	fw->attached.ops = &fw_cfg_ops;
	r = opts_keys("--fw-cfg", text, keys, COUNT(keys), fw, err);
	if (r == 0 && !fw->name)
		r = opts_fail(err, "--fw-cfg '%s': a name is expected", text);
	if (r == 0 && !fw->path == !fw->string)
		r = opts_fail(err,
			      "--fw-cfg '%s': one of file=PATH and string=TEXT "
			      "is expected",
			      text);
	if (r) {
		fw_cfg_free(&fw->attached);
		return r;
	}
	return attached_keep(opts, &fw->attached, err);
}
