// SPDX-License-Identifier: MIT
#include "backend/slirp_lib.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* ISO C has no cast from an object's address to a function's. */
static bool find(void *handle, const char *name, void *ret_function)
{
	void *symbol = dlsym(handle, name);

	memcpy(ret_function, &symbol, sizeof(symbol));
	return symbol != NULL;
}

int slirp_lib_load(struct slirp_lib *ret_lib)
{
	struct slirp_lib lib = { 0 };
	void *h = dlopen("libslirp.so.0", RTLD_NOW | RTLD_LOCAL);

	if (!h)
		return -ENOPKG;
	lib.handle = h;
	if (!find(h, "slirp_new", &lib.new_stack) ||
	    !find(h, "slirp_cleanup", &lib.cleanup) ||
	    !find(h, "slirp_input", &lib.input) ||
	    !find(h, "slirp_pollfds_fill", &lib.pollfds_fill) ||
	    !find(h, "slirp_pollfds_poll", &lib.pollfds_poll) ||
	    !find(h, "slirp_add_hostfwd", &lib.add_hostfwd)) {
		slirp_lib_unload(&lib);
		return -ENOPKG;
	}
	*ret_lib = lib;
	return 0;
}

void slirp_lib_unload(struct slirp_lib *lib)
{
	if (lib->handle)
		dlclose(lib->handle);
	lib->handle = NULL;
}
