/* SPDX-License-Identifier: MIT */
/*
 * slirp_lib.h: libslirp (https://gitlab.freedesktop.org/slirp/libslirp), of which
 * only the headers are used to build: it brings GLib with it, which no run without
 * a user network is to wait for.
 */
#ifndef TRAPMAP_BACKEND_SLIRP_LIB_H
#define TRAPMAP_BACKEND_SLIRP_LIB_H

#include <slirp/libslirp.h>

struct slirp_lib {
	void *handle;
	__typeof__(slirp_new) *new_stack;
	__typeof__(slirp_cleanup) *cleanup;
	__typeof__(slirp_input) *input;
	__typeof__(slirp_pollfds_fill) *pollfds_fill;
	__typeof__(slirp_pollfds_poll) *pollfds_poll;
	__typeof__(slirp_add_hostfwd) *add_hostfwd;
};

/* Returns 0, or -ENOPKG: there is none, or not one that has these. */
int slirp_lib_load(struct slirp_lib *ret_lib);
/* Accepts one that is all zero. */
void slirp_lib_unload(struct slirp_lib *lib);

#endif
