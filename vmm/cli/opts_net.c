// SPDX-License-Identifier: MIT
/* opts_net.c: --net. */
#include "opts_net.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define KINDS "user, tap=NAME, fd=N or none"

static const struct opts_key keys[] = {
	{ "user", OPTS_KEY_TEXT, offsetof(struct opts_net, kind) },
	{ "tap", OPTS_KEY_TEXT, offsetof(struct opts_net, tap) },
	{ "fd", OPTS_KEY_TEXT, offsetof(struct opts_net, fd_text) },
	{ "hostfwd", OPTS_KEY_TEXTS, offsetof(struct opts_net, forward) },
	{ "offline", OPTS_KEY_FLAG, offsetof(struct opts_net, offline) },
	{ "vhost", OPTS_KEY_FLAG, offsetof(struct opts_net, vhost) },
	{ "queues", OPTS_KEY_TEXT, offsetof(struct opts_net, queues_text) },
	{ "mac", OPTS_KEY_TEXT, offsetof(struct opts_net, mac) },
	{ "iothread", OPTS_KEY_TEXT, offsetof(struct opts_net, iothread) },
};

static int net_add(struct attached *a, struct trapmap_vm *vm)
{
	const struct opts_net *net = (const struct opts_net *)a;
	struct trapmap_net to = TRAPMAP_NET_INIT;

	if (net->none)
		return 0;
	to.kind = net->kind ? TRAPMAP_NET_USER : TRAPMAP_NET_TAP;
	to.tap = net->tap;
	to.fd = net->fd;
	to.vhost = net->vhost;
	to.queues = net->queues;
	to.mac = net->mac;
	to.forward = (const char *const *)net->forward.text;
	to.forwards = net->forward.count;
	to.offline = net->offline;
	to.iothread = net->iothread;
	return trapmap_vm_add_net(vm, &to);
}

static void net_free(struct attached *a)
{
	opts_keys_done(keys, COUNT(keys), a);
	free(a);
}

static const struct attached_ops net_ops = {
	.option = "--net: ",
	.what = "a network",
	.add = net_add,
	.free = net_free,
};

/* A number as text, all of it digits. */
static bool read_number(const char *text, unsigned long max,
			unsigned long *ret_value)
{
	unsigned long value;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (*end || errno || value > max)
		return false;
	*ret_value = value;
	return true;
}

static int check_numbers(struct opts_net *net, char *err)
{
	unsigned long value = 0;

	if (net->fd_text) {
		if (!read_number(net->fd_text, INT_MAX, &value))
			return opts_fail(err,
					 "--net fd '%s': the number of an open "
					 "file descriptor is expected",
					 net->fd_text);
		net->fd = (int)value;
	}
	if (net->queues_text) {
		if (!read_number(net->queues_text, TRAPMAP_NET_QUEUES_MAX,
				 &value) ||
		    value == 0)
			return opts_fail(err,
					 "--net queues '%s': 1 to %d is expected",
					 net->queues_text,
					 TRAPMAP_NET_QUEUES_MAX);
		net->queues = (uint32_t)value;
	}
	return 0;
}

/* A key that goes with another kind of network. */
static const char *misplaced(const struct opts_net *net)
{
	bool user = net->kind != NULL;

	if (net->none)
		return net->forward.count ? "hostfwd" :
		       net->offline	  ? "offline" :
		       net->vhost	  ? "vhost" :
		       net->queues_text	  ? "queues" :
		       net->mac		  ? "mac" :
		       net->iothread	  ? "iothread" :
					    NULL;
	if (user)
		return net->vhost	? "vhost" :
		       net->queues_text ? "queues" :
					  NULL;
	return net->forward.count		? "hostfwd" :
	       net->offline			? "offline" :
	       net->fd_text && net->queues_text ? "queues" :
						  NULL;
}

static int check_kind(const char *text, struct opts_net *net, char *err)
{
	unsigned kinds = !!net->kind + !!net->tap + !!net->fd_text;
	const char *key;

	if (net->kind && strcmp(net->kind, "user") != 0) {
		if (strcmp(net->kind, "none") != 0)
			return opts_fail(err, "--net '%s': " KINDS
					      " is expected first",
					 net->kind);
		net->none = true;
	}
	if (kinds != 1)
		return opts_fail(err, "--net '%s': one of " KINDS " is expected",
				 text);
	key = misplaced(net);
	if (key)
		return opts_fail(err, "--net: '%s' does not go with '%s'", key,
				 net->tap     ? "tap" :
				 net->fd_text ? "fd" :
						net->kind);
	return 0;
}

/* None at all and one of them contradict each other; a tap has one user. */
static int check_others(const struct run_opts *opts, const struct opts_net *net,
			char *err)
{
	unsigned i;

	for (i = 0; i < opts->attached_count; i++) {
		const struct opts_net *other =
			(const struct opts_net *)opts->attached[i];

		if (other->attached.ops != &net_ops)
			continue;
		if (other->none || net->none)
			return opts_fail(err, "--net none and another --net "
					      "contradict each other");
		if (other->tap && net->tap && !strcmp(other->tap, net->tap))
			return opts_fail(err,
					 "--net tap=%s is given twice; an "
					 "interface can have one user",
					 net->tap);
	}
	return 0;
}

int opts_net(const char *text, struct run_opts *opts, char *err)
{
	struct opts_net *net = calloc(1, sizeof(*net));
	int r;

	if (!net)
		return opts_fail(err, "out of memory");
	net->attached.ops = &net_ops;
	net->fd = -1;
	r = opts_keys("--net", text, keys, COUNT(keys), net, err);
	if (r == 0)
		r = check_kind(text, net, err);
	if (r == 0)
		r = check_numbers(net, err);
	if (r == 0)
		r = check_others(opts, net, err);
	if (r) {
		net_free(&net->attached);
		return r;
	}
	return attached_keep(opts, &net->attached, err);
}
