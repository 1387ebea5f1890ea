// SPDX-License-Identifier: MIT
/* Networks: the setter of the public interface, and the opening of the host's side. */
#include "attach/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attach/attach.h"
#include "backend/net.h"
#include "backend/net_tap.h"
#include "backend/vhost.h"
#include "core/base.h"
#include "virtio/net.h"
#include "vm.h"

#define VHOST_NODE "/dev/vhost-net"

struct forward {
	struct net_user_forward to;
	char *text;
};

struct network {
	struct attachment at;
	enum trapmap_net_kind kind;
	struct attach_file tap; /* of a tap; name: the interface's, too */
	bool vhost, offline;
	unsigned queues; /* 0: as many as are of use */
	uint8_t mac[NET_MAC_LEN];
	struct forward *forward;
	unsigned forwards;
	struct notice_source notice;
};

static struct network *to_network(struct attachment *at)
{
	return container_of(at, struct network, at);
}

static void network_free(struct attachment *at)
{
	struct network *nw = to_network(at);

	attach_file_done(&nw->tap);
	for (; nw->forwards; nw->forwards--)
		free(nw->forward[nw->forwards - 1].text);
	free(nw->forward);
	free(nw);
}

static struct notice notice_of(struct network *nw,
			       const struct attach_site *site)
{
	if (!site->host || !site->host->notices)
		return (struct notice){ 0 };
	return notice_from(&nw->notice, site->host->notices, nw->at.name);
}

/* ---- a network of our own ------------------------------------------------ */

static int open_forward(struct network *nw, struct net *net,
			const struct forward *f, struct error *err)
{
	int r = net_user_forward(net, &f->to);

	if (r == 0)
		return 0;
	if (attach_is_ours(r))
		return error_host(err, r, "%s: forward '%s'", nw->at.name,
				  f->text);
	return error_set(
		err, ERROR_INPUT, r, "%s: forward '%s': port %u: %s%s",
		nw->at.name, f->text, f->to.host_port,
		strerrordesc_np(-r) ?: "unknown error",
		r == -EADDRINUSE    ? "; another program has it" :
		r == -EADDRNOTAVAIL ? "; the address is none of this host's" :
		r == -EACCES	    ? "; below 1024 a port takes root" :
				      "");
}

static int open_user(struct network *nw, const struct attach_site *site,
		     struct net **ret_net, struct error *err)
{
	const struct net_user_config config = {
		.loop = site->loop,
		.offline = nw->offline,
		.notice = notice_of(nw, site),
	};
	struct net *net = NULL;
	unsigned i;
	int r;

	r = net_user_new(&config, &net);
	if (r == -ENOSYS)
		return error_set(err, ERROR_HOST, r,
				 "%s: this build has none (it takes the headers "
				 "of libslirp, package libslirp-dev)",
				 nw->at.name);
	if (r == -ENOPKG)
		return error_set(err, ERROR_HOST, r,
				 "%s: libslirp.so.0 cannot be loaded; install "
				 "libslirp0 (the package's name in Debian)",
				 nw->at.name);
	if (r < 0)
		return error_host(err, r, "%s", nw->at.name);
	for (i = 0; i < nw->forwards; i++) {
		r = open_forward(nw, net, &nw->forward[i], err);
		if (r < 0) {
			net_free(net);
			return r;
		}
	}
	*ret_net = net;
	return 0;
}

/* ---- a tap ---------------------------------------------------------------- */

static int tap_error(const struct network *nw, int r, struct error *err)
{
	const char *name = nw->at.name, *tap = nw->tap.name;
	bool by_name = nw->tap.fd < 0;

	switch (r) {
	case -ENOENT:
		return error_set(err, ERROR_HOST, r,
				 "%s: there is no /dev/net/tun; as root: "
				 "modprobe tun (a user network needs none)",
				 name);
	case -EACCES:
		return error_set(err, ERROR_HOST, r,
				 "%s: /dev/net/tun may not be opened; as root: "
				 "chmod 666 /dev/net/tun (a user network needs "
				 "none)",
				 name);
	case -ENAMETOOLONG:
		return error_set(err, ERROR_INPUT, r,
				 "%s: the name of an interface has 1 to %d bytes",
				 name, NET_TAP_NAME_MAX);
	case -ENODEV:
		return error_set(err, ERROR_INPUT, r,
				 "%s: there is no such interface; as root: ip "
				 "tuntap add %s mode tap user NAME, and ip link "
				 "set %s up",
				 name, tap, tap);
	case -EPERM:
		return error_set(err, ERROR_INPUT, r,
				 "%s: the interface is another user's; as root: "
				 "ip tuntap del %s mode tap, and ip tuntap add "
				 "%s mode tap user NAME",
				 name, tap, tap);
	case -EBUSY:
		return error_set(err, ERROR_INPUT, r,
				 "%s: is in use by another program", name);
	case -ENOTTY:
		return error_set(err, ERROR_INPUT, r,
				 by_name ? "%s: the interface is no tap; one of "
					   "'ip tuntap add NAME mode tap' was "
					   "expected" :
					   "%s: is no tap; an open /dev/net/tun "
					   "with an interface of IFF_TAP was "
					   "expected",
				 name);
	case -ENOTUNIQ:
		return error_set(err, ERROR_INPUT, r,
				 "%s: has one queue, and %u were asked for; as "
				 "root: ip tuntap add %s mode tap multi_queue",
				 name, nw->queues, tap);
	case -EPROTONOSUPPORT:
		return error_set(err, ERROR_INPUT, r,
				 "%s: IFF_NO_PI and IFF_VNET_HDR were expected "
				 "of the tap",
				 name);
	case -EBADF:
		return error_set(err, ERROR_INPUT, r,
				 "%s: is not open for reading and writing",
				 name);
	default: return error_host(err, r, "%s", name);
	}
}

/* A guest on an interface that is down hears nothing; that may still change. */
static void tell_if_down(struct network *nw, const struct attach_site *site,
			 const struct net *net)
{
	const struct notice notice = notice_of(nw, site);
	char name[NET_TAP_NAME_MAX + 1];
	bool up = true;

	if (net_tap_look(net, name, &up) == 0 && !up)
		notice_say(&notice, "the interface is down; as root: ip link "
				    "set it up");
}

static int open_tap(struct network *nw, const struct attach_site *site,
		    struct net **ret_net, struct error *err)
{
	unsigned most = site->cpus < TRAPMAP_NET_QUEUES_MAX ?
				site->cpus :
				TRAPMAP_NET_QUEUES_MAX;
	const struct net_tap_config config = {
		.loop = site->loop,
		.name = nw->tap.fd < 0 ? nw->tap.name : NULL,
		.fd = nw->tap.fd,
		.queues = nw->queues ? nw->queues : most ? most : 1,
		.fewer = nw->queues == 0,
	};
	struct net *net = NULL;
	int r = net_tap_new(&config, &net);

	if (r < 0)
		return tap_error(nw, r, err);
	tell_if_down(nw, site, net);
	*ret_net = net;
	return 0;
}

static int open_vhost(const struct network *nw, struct virtio_net_config *config,
		      struct error *err)
{
	unsigned i;
	int r = 0;

	for (i = 0; i < config->queues && r == 0; i++)
		r = vhost_new(VHOST_NODE, -1, NULL, &config->vhost[i]);
	switch (r) {
	case 0: return 0;
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		return error_set(err, ERROR_HOST, r,
				 "%s: there is no " VHOST_NODE "; as root: "
				 "modprobe vhost_net (or leave out vhost)",
				 nw->at.name);
	case -EACCES:
	case -EPERM:
		return error_set(err, ERROR_HOST, r,
				 "%s: " VHOST_NODE " may not be opened; as root: "
				 "chmod 666 " VHOST_NODE " (or leave out vhost)",
				 nw->at.name);
	default: return error_host(err, r, "%s: " VHOST_NODE, nw->at.name);
	}
}

/* ---- the device ------------------------------------------------------------ */

static int network_device(struct attachment *at, const struct attach_site *site,
			  struct virtio_device **ret_vd, struct error *err)
{
	struct network *nw = to_network(at);
	struct virtio_net_config config = { .ram = site->ram };
	unsigned i;
	int r;

	r = nw->kind == TRAPMAP_NET_USER ?
		    open_user(nw, site, &config.net, err) :
		    open_tap(nw, site, &config.net, err);
	if (r < 0 || !config.net)
		return r;
	memcpy(config.mac, nw->mac, sizeof(config.mac));
	config.queues = config.net->info.queues;
	if (nw->vhost)
		r = open_vhost(nw, &config, err);
	if (r == 0) {
		r = virtio_net_new(&config, ret_vd);
		if (r == 0)
			return 0;
		error_host(err, r, "%s", at->name);
	}
	for (i = 0; i < VIRTIO_NET_PAIRS_MAX; i++)
		vhost_free(config.vhost[i]);
	net_free(config.net);
	return r;
}

static const struct attachment_ops network_ops = {
	.device = network_device,
	.free = network_free,
};

/* ---- the setter ------------------------------------------------------------ */

static int refuse(struct trapmap_vm *vm, const char *why)
{
	return error_set(&vm->error, ERROR_INPUT, -EINVAL,
			 "struct trapmap_net: %s", why);
}

static int check(struct trapmap_vm *vm, const struct trapmap_net *from)
{
	bool user = from->kind == TRAPMAP_NET_USER;

	if (!user && from->kind != TRAPMAP_NET_TAP)
		return refuse(vm, "there is no such kind");
	if (from->queues > TRAPMAP_NET_QUEUES_MAX)
		return refuse(vm, "queues: 1 to 16 are expected");
	if (user && from->vhost)
		return refuse(vm, "vhost is a tap's");
	if (user && from->queues > 1)
		return refuse(vm, "a user network has one queue");
	if (!user && from->forwards)
		return refuse(vm, "forwards are a user network's");
	if (!user && from->offline)
		return refuse(vm, "offline is a user network's");
	if (!user && from->tap && !*from->tap)
		return refuse(vm, "the interface's name is empty");
	if (!user && !from->tap && from->queues > 1)
		return refuse(vm, "a tap by its descriptor has one queue");
	if (from->forwards > TRAPMAP_NET_FORWARDS_MAX)
		return refuse(vm, "more than 64 forwards");
	return 0;
}

/* The network before nw in the VM, NULL for the last; NULL: there is none. */
static struct network *previous(const struct trapmap_vm *vm, unsigned *at)
{
	while (*at > 0) {
		struct attachment *other = vm->config.attached[--*at];

		if (other->ops == &network_ops)
			return to_network(other);
	}
	return NULL;
}

static int set_mac(struct trapmap_vm *vm, struct network *nw, const char *text)
{
	unsigned at = vm->config.machine.attached_count;
	const struct network *other;
	int r;

	r = text ? net_mac_parse(text, nw->mac, &vm->error) :
		   net_mac_make(nw->mac);
	if (r < 0)
		return text ? r :
			      error_host(&vm->error, r, "no random bytes");
	while ((other = previous(vm, &at)))
		if (memcmp(other->mac, nw->mac, sizeof(nw->mac)) == 0)
			return error_set(&vm->error, ERROR_INPUT, -EINVAL,
					 "mac '%s' is given twice",
					 text ? text : "made at random");
	return 0;
}

static int find_clash(struct trapmap_vm *vm, const struct network *nw,
		      const struct forward *f)
{
	unsigned i;

	for (i = 0; i < nw->forwards; i++)
		if (net_forward_clash(&nw->forward[i].to, &f->to))
			return error_set(&vm->error, ERROR_INPUT, -EINVAL,
					 "forward '%s': the host's port leads "
					 "elsewhere already, by '%s'",
					 f->text, nw->forward[i].text);
	return 0;
}

static int add_forward(struct trapmap_vm *vm, struct network *nw,
		       const char *text)
{
	struct forward *f = &nw->forward[nw->forwards];
	unsigned at = vm->config.machine.attached_count;
	const struct network *other = nw;
	int r;

	r = net_forward_parse(text, &f->to, &vm->error);
	if (r < 0)
		return r;
	if (f->to.udp && nw->offline)
		return error_set(&vm->error, ERROR_INPUT, -EINVAL,
				 "forward '%s': offline only tcp can be "
				 "forwarded; no answer of udp would leave",
				 text);
	f->text = strdup(text);
	if (!f->text)
		return error_set(&vm->error, ERROR_HOST, -ENOMEM,
				 "out of memory");
	for (; other && r == 0; other = previous(vm, &at))
		r = find_clash(vm, other, f);
	if (r < 0) {
		free(f->text);
		return r;
	}
	nw->forwards++;
	return 0;
}

static int fill(struct trapmap_vm *vm, struct network *nw,
		const struct trapmap_net *from)
{
	unsigned i;
	int r;

	if (from->kind == TRAPMAP_NET_TAP) {
		r = attach_file_init(&nw->tap, from->tap, from->fd);
		if (r < 0)
			return error_set(&vm->error, ERROR_INPUT, r,
					 "tap '%s': %s", nw->tap.name ?: "",
					 strerrordesc_np(-r));
	}
	if (from->forwards) {
		nw->forward = calloc(from->forwards, sizeof(*nw->forward));
		if (!nw->forward)
			return error_set(&vm->error, ERROR_HOST, -ENOMEM,
					 "out of memory");
	}
	r = set_mac(vm, nw, from->mac);
	for (i = 0; i < from->forwards && r == 0; i++)
		r = add_forward(vm, nw, from->forward[i]);
	return r;
}

int trapmap_vm_add_net(struct trapmap_vm *vm, const struct trapmap_net *from)
{
	struct network *nw;
	int r;

	r = attach_check(vm, from->size, sizeof(*from), "trapmap_net") ?:
	    check(vm, from);
	if (r < 0)
		return r;
	nw = calloc(1, sizeof(*nw));
	if (!nw)
		return error_set(&vm->error, ERROR_HOST, -ENOMEM,
				 "out of memory");
	nw->at.ops = &network_ops;
	nw->kind = from->kind;
	nw->tap.fd = -1;
	nw->vhost = from->vhost != 0;
	nw->offline = from->offline != 0;
	nw->queues = from->queues;
	r = fill(vm, nw, from);
	if (r < 0) {
		attach_free(&nw->at);
		return r;
	}
	if (nw->kind == TRAPMAP_NET_USER)
		return attach_add(vm, &nw->at, from->iothread, "user network");
	return attach_add(vm, &nw->at, from->iothread, "tap '%s'",
			  nw->tap.name);
}
