// SPDX-License-Identifier: MIT
#include "exec/drivers.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exec/program.h"
#include "exec/release.h"
#include "say.h"

/* Whether a folder has such a list; it is put together in path. */
static bool has_list(char path[PATH_MAX], const char *list, const char *dir,
		     const char *below, const char *release)
{
	char file[PATH_MAX + 32];
	int n;

	n = snprintf(path, PATH_MAX, "%s%s%s", dir, below, release);
	if (n >= PATH_MAX)
		return false;
	snprintf(file, sizeof(file), "%s/%s", path, list);
	return access(file, F_OK) == 0;
}

static bool has_dep(char path[PATH_MAX], const char *dir, const char *below,
		    const char *release)
{
	return has_list(path, "modules.dep", dir, below, release);
}

/* --modules: the folder itself, or what "make modules_install" was given. */
static int given_folder(const char *dir, const char *release, char **ret_folder)
{
	char path[PATH_MAX];

	if (has_dep(path, dir, "", "") ||
	    (*release && (has_dep(path, dir, "/lib/modules/", release) ||
			  has_dep(path, dir, "/", release)))) {
		*ret_folder = strdup(path);
		return *ret_folder ? 0 : -ENOMEM;
	}
	return -ENOENT;
}

/* Where the kernel's modules are, or are said to be built in; NULL: nowhere. */
static char *known_folder(const struct exec_opts *opts, const char *release)
{
	char path[PATH_MAX], real[PATH_MAX] = "", *slash;
	bool found = false;

	if (!*release)
		return NULL;
	if (realpath(opts->run.kernel, real)) {
		slash = strrchr(real, '/');
		*slash = '\0';
		/* Of a package that was unpacked: boot/vmlinuz, lib/modules. */
		found = has_dep(path, real, "/../lib/modules/", release);
	}
	if (!found)
		found = has_dep(path, "/lib/modules/", "", release);
	/* Of a tree in which one was built: arch/x86/boot/bzImage. */
	if (!found && *real)
		found = has_list(path, "modules.builtin", real, "/../../..",
				 "") ||
			has_list(path, "modules.builtin", real, "", "");
	return found ? strdup(path) : NULL;
}

/* Returns 0 with the folder or NULL, or an exit status, having said why. */
static int find_folder(const struct exec_opts *opts, char **ret_folder)
{
	char release[RELEASE_MAX] = "";
	int r;

	/* A kernel that cannot be read, starting the guest says more of. */
	if (release_of(opts->run.kernel, release) < 0)
		*release = '\0';
	if (!opts->modules) {
		*ret_folder = known_folder(opts, release);
		return 0;
	}
	r = given_folder(opts->modules, release, ret_folder);
	if (r == 0)
		return 0;
	say("--modules '%s': there is no modules.dep in it%s%s%s; 'make "
	    "modules_install INSTALL_MOD_PATH=FOLDER' makes one",
	    opts->modules, *release ? ", nor in lib/modules/" : "", release,
	    *release ? " below it" : "");
	return EXEC_CANNOT;
}

/* Returns whether the kernel may have it. */
static bool add(struct modules *modules, const char *name)
{
	return modules_add(modules, name) != MODULES_ABSENT;
}

/* What it cannot do without. Returns 0, or an exit status, having said why. */
static int need(const struct exec_opts *opts, struct modules *modules,
		const char *name, const char *config)
{
	if (add(modules, name))
		return 0;
	say("the kernel '%s' has no %s (%s), neither built in nor as a module "
	    "in '%s'",
	    opts->run.kernel, name, config, modules->folder);
	return EXEC_CANNOT;
}

static int need_all(const struct exec_opts *opts, struct modules *modules)
{
	bool pci = opts->run.machine.transport == TRAPMAP_TRANSPORT_PCI;
	int status;

	status = pci ? need(opts, modules, "virtio_pci", "CONFIG_VIRTIO_PCI") :
		       need(opts, modules, "virtio_mmio", "CONFIG_VIRTIO_MMIO");
	if (status == 0)
		status = need(opts, modules, "virtio_console",
			      "CONFIG_VIRTIO_CONSOLE");
	if (status == 0 && opts->disks)
		status = need(opts, modules, "virtio_blk", "CONFIG_VIRTIO_BLK");
	if (status == 0 && opts->networks)
		status = need(opts, modules, "virtio_net", "CONFIG_VIRTIO_NET");
	return status;
}

int drivers_find(const struct exec_opts *opts, struct modules *ret_modules,
		 bool *ret_9p)
{
	bool must = opts->shares || opts->root == EXEC_ROOT_9P;
	bool want = must || opts->root == EXEC_ROOT_AUTO, has = false;
	char *folder = NULL;
	int status, r;

	*ret_modules = (struct modules){ 0 };
	status = find_folder(opts, &folder);
	if (status)
		return status;
	r = modules_init(ret_modules, folder);
	free(folder);
	if (r < 0) {
		say("cannot read the lists of modules in '%s': %s",
		    ret_modules->folder ? ret_modules->folder : "",
		    strerror(-r));
		return EXEC_CANNOT;
	}
	status = need_all(opts, ret_modules);
	if (status)
		return status;
	if (want)
		has = add(ret_modules, "9pnet_virtio") && add(ret_modules, "9p");
	if (must && !has) {
		say("the kernel '%s' has no 9p over virtio (CONFIG_9P_FS, "
		    "CONFIG_NET_9P_VIRTIO), which %s needs, neither built in "
		    "nor as a module in '%s'",
		    opts->run.kernel, opts->shares ? "--share" : "--root 9p",
		    ret_modules->folder);
		return EXEC_CANNOT;
	}
	*ret_9p = has && opts->root != EXEC_ROOT_COPY;
	return 0;
}
