/* SPDX-License-Identifier: MIT */
/*
 * devices.h: what can be attached to a VM: disks, networks, consoles, sockets,
 * shared folders. Part of trapmap.h, which includes it; its conventions hold here.
 *
 * Each is a virtio device. Within a kind the guest finds them in the order in which
 * they were added. Whatever belongs to the host (a file, an interface, a socket)
 * is opened by trapmap_vm_start(), and refused there with a sentence in
 * trapmap_vm_error(); the VM keeps it until trapmap_vm_free(). All strings are
 * copied; descriptors are duplicated at once and stay the caller's.
 *
 * Unless it says otherwise a function returns 0; -EINVAL: a value is outside its
 * range (the error text names it); -E2BIG: there are TRAPMAP_ATTACHED_MAX devices,
 * or as many of this kind as there may be; -EBUSY: the VM has been started; -EBADF;
 * -EMFILE; -ENOMEM.
 */
#ifndef TRAPMAP_DEVICES_H
#define TRAPMAP_DEVICES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct trapmap_vm;

/*
 * Devices that can be attached in all. With TRAPMAP_TRANSPORT_MMIO there is room
 * for seven; start says so.
 */
#define TRAPMAP_ATTACHED_MAX 28

/*
 * Every struct below has an `iothread`: NULL for the VM's own I/O thread, or the
 * name (1 to 8 letters, digits or '-') of one that the devices share which name
 * the same.
 */

/* ---- disks -------------------------------------------------------------- */

enum trapmap_disk_format {
	/*
	 * qcow2 by its magic, else raw; and then the guest cannot write to the
	 * first sector what begins an image of another format.
	 */
	TRAPMAP_DISK_FORMAT_AUTO = 0,
	TRAPMAP_DISK_FORMAT_RAW = 1,
	TRAPMAP_DISK_FORMAT_QCOW2 = 2,
};

/* What follows when the host cannot carry out a write. */
enum trapmap_disk_werror {
	/* The guest is told of an I/O error. */
	TRAPMAP_DISK_WERROR_REPORT = 0,
	/*
	 * Where there is no room on the host (ENOSPC, EDQUOT) the VM pauses, with
	 * a notice; trapmap_vm_resume() tries again. All else is reported.
	 */
	TRAPMAP_DISK_WERROR_STOP = 1,
};

struct trapmap_disk {
	size_t size; /* sizeof(struct trapmap_disk) */
	const char *path;
	/*
	 * Used if path is NULL. Open for reading and, unless read_only or
	 * temporary, writing. Its flags are not changed.
	 */
	int fd;
	enum trapmap_disk_format format;
	int read_only; /* not 0: the guest cannot write to it */
	/*
	 * Not 0: what the guest writes goes to a temporary file without a name,
	 * in $TMPDIR or else /var/tmp, and is gone with the VM; the image is only
	 * read.
	 */
	int temporary;
	/*
	 * Not 0: past the host's page cache, by O_DIRECT, with which fd must
	 * have been opened.
	 */
	int direct;
	/*
	 * Not 0: guest memory is registered with io_uring, which spares work on
	 * each request and pins all of it, so that it takes its full size on the
	 * host. Where the host refuses that, there is a notice and no more.
	 */
	int pinned;
	enum trapmap_disk_werror werror;
	const char *serial; /* up to 20 bytes. NULL: none */
	const char *iothread;
	/*
	 * The host could not do what the guest asked for (err is an errno, as
	 * ENOSPC). Called for each such request, also for one that is kept until
	 * there is room (werror), on a thread of the VM's with locks held: it
	 * must return soon and call nothing of this library. May be NULL.
	 */
	void (*failed)(void *opaque, int err);
	void *opaque;
};

#define TRAPMAP_DISK_INIT { .size = sizeof(struct trapmap_disk), .fd = -1 }

/*
 * A block device over an image: a regular file or a block device. A raw image's
 * size is rounded down to sectors of 512 bytes. A qcow2 image may name a backing
 * file, which is then opened and read, so it is for images that one trusts; what is
 * relative in it is so to the image's path. The image stays locked from start to
 * free, against all other users, or where it is only read, as a backing file always
 * is, against writers (an open file description lock on the whole file; of fd it is
 * the caller's too). What is no image, is damaged, or is in use, is refused by start.
 */
int trapmap_vm_add_disk(struct trapmap_vm *vm, const struct trapmap_disk *disk);

/* ---- networks ----------------------------------------------------------- */

enum trapmap_net_kind {
	/*
	 * A network of the process's own, which needs no privileges: 10.0.2.0/24
	 * (no IPv6) with a gateway at .2, which is also the host's 127.0.0.1, a
	 * DNS server at .3, and DHCP, which gives .15. It takes libslirp, which is
	 * loaded when the VM is started. A guest can have some 500 connections.
	 */
	TRAPMAP_NET_USER = 0,
	TRAPMAP_NET_TAP = 1, /* an interface of the host's */
};

#define TRAPMAP_NET_QUEUES_MAX 16
#define TRAPMAP_NET_FORWARDS_MAX 64

struct trapmap_net {
	size_t size; /* sizeof(struct trapmap_net) */
	enum trapmap_net_kind kind;
	/*
	 * Of TRAPMAP_NET_TAP: the interface, which is there already, or if NULL an
	 * open /dev/net/tun with a tap behind it (IFF_TAP, IFF_NO_PI, IFF_VNET_HDR).
	 */
	const char *tap;
	int fd;
	int vhost; /* not 0: frames are moved by the kernel, by /dev/vhost-net */
	/*
	 * Pairs of queues, up to TRAPMAP_NET_QUEUES_MAX; 0: one a vCPU where tap
	 * has that many, else 1. Of TRAPMAP_NET_USER and of fd there is one.
	 */
	uint32_t queues;
	/*
	 * "52:54:00:12:34:56": unicast, and no other network's of this VM. NULL:
	 * 52:54:00 and three random bytes.
	 */
	const char *mac;
	/*
	 * Of TRAPMAP_NET_USER: ports of the host that lead into the guest, as
	 * PROTOCOL:[ADDRESS:]PORT:[ADDRESS:]PORT, the host's first: "tcp:8080:80",
	 * "udp:127.0.0.1:5353:10.0.2.15:53". PROTOCOL is tcp or udp. The host's
	 * address is 127.0.0.1 where none is given (0.0.0.0: all it has), the
	 * guest's the one that DHCP gives. A port of the host leads to one place.
	 */
	const char *const *forward;
	uint32_t forwards; /* up to TRAPMAP_NET_FORWARDS_MAX */
	/*
	 * Not 0: nothing leaves for the host or beyond it but what answers a
	 * forward of tcp; one of udp is refused.
	 */
	int offline;
	const char *iothread;
};

#define TRAPMAP_NET_INIT { .size = sizeof(struct trapmap_net), .fd = -1 }

/*
 * A network device. Start refuses an interface that is not there, is no tap, is in
 * use or may not be used, and a port of the host's that is taken.
 */
int trapmap_vm_add_net(struct trapmap_vm *vm, const struct trapmap_net *net);

/* ---- consoles and ports ------------------------------------------------- */

struct trapmap_port {
	size_t size; /* sizeof(struct trapmap_port) */
	/*
	 * NULL: a console (hvc0, hvc1 ... in Linux). Else a port without a
	 * terminal's ways, /dev/virtio-ports/NAME: 1 to 63 bytes that are
	 * printable ASCII without blanks and '/', another for each port.
	 */
	const char *name;
	/* -1 for none. What the guest reads, and where it writes to. */
	int in_fd;
	int out_fd;
	/*
	 * In place of both: the path of a unix socket, made by start and gone
	 * with the VM, of which one client after another is the port's other
	 * end. NULL: none.
	 */
	const char *socket;
	/*
	 * The guest has opened the port (1), or closed it (0), when all that it
	 * wrote before has been taken from it. A reset closes it. Called on a
	 * thread of the VM's with locks held: it must return soon and call
	 * nothing of this library. May be NULL.
	 */
	void (*opened)(void *opaque, int open);
	void *opaque;
};

#define TRAPMAP_PORT_INIT \
	{ .size = sizeof(struct trapmap_port), .in_fd = -1, .out_fd = -1 }

#define TRAPMAP_PORTS_MAX 30

/*
 * A port of the one console device (VIRTIO 1.2, 5.3). What the guest reads waits
 * until it has opened the port. A reader that is slow makes the guest wait; nothing
 * is lost, and what a console says counts for trapmap_vm_add_rule().
 *
 * The guest sees it as a hang-up when nobody is there any more: out_fd has no
 * reader, there is no out_fd and in_fd has ended, or the socket's client has gone.
 * Where only in_fd has ended it is told nothing, as after a hang-up Linux lets
 * nobody write. What is written where nobody is there is lost. out_fd stays open
 * when the guest closes the port: see opened(). An error of out_fd other than EPIPE
 * ends the run (TRAPMAP_END_HOST_FAILURE).
 */
int trapmap_vm_add_port(struct trapmap_vm *vm, const struct trapmap_port *port);

/*
 * The size of a console's terminal, which may change at any time: port counts from 0
 * in the order in which they were added. Any thread once the VM has been started.
 * Returns 0, -ENOENT (no such port, or not a console) or -EINVAL (a size of 0).
 */
int trapmap_vm_port_resize(struct trapmap_vm *vm, uint32_t port, uint16_t cols,
			   uint16_t rows);

/* ---- sockets ------------------------------------------------------------ */

struct trapmap_vsock {
	size_t size; /* sizeof(struct trapmap_vsock) */
	uint64_t cid; /* the guest's address, 3 to 2^32 - 2; 0: 3 */
	/*
	 * A unix socket, made by start at PATH and gone with the VM, at which the
	 * host says "CONNECT PORT\n" and is answered "OK PORT\n" with a port of
	 * the host's; what the guest connects to (CID 2, PORT) is connected to a
	 * unix socket at PATH_PORT. PATH has up to 96 bytes. NULL: vhost. When
	 * the run ends, what these sockets have no room for is lost.
	 */
	const char *path;
	int vhost; /* not 0: sockets of the host kernel's, by /dev/vhost-vsock */
};

#define TRAPMAP_VSOCK_INIT { .size = sizeof(struct trapmap_vsock) }

/* Stream sockets between guest and host (VIRTIO 1.2, 5.10). At most one. */
int trapmap_vm_set_vsock(struct trapmap_vm *vm,
			 const struct trapmap_vsock *vsock);

/* ---- shared folders ----------------------------------------------------- */

struct trapmap_share {
	size_t size; /* sizeof(struct trapmap_share) */
	const char *path; /* the folder */
	int fd; /* used if path is NULL: an open folder */
	/*
	 * 1 to 31 bytes; how the guest names it. NULL: "share" for the first,
	 * then "share1", "share2" and so on.
	 */
	const char *tag;
	int read_only; /* not 0: the guest changes nothing */
	const char *iothread;
};

#define TRAPMAP_SHARE_INIT { .size = sizeof(struct trapmap_share), .fd = -1 }

/*
 * A folder of the host by 9P2000.L: in Linux mount -t 9p -o trans=virtio,
 * version=9p2000.L TAG /mnt. No path of the guest's leads out of it, not by links nor
 * by "..", whatever is renamed at that moment; device nodes, FIFOs and sockets in it
 * can be seen and not opened. Other filesystems that are mounted in it belong to it,
 * but no file of a procfs is opened. All is done as the process's own user; what the
 * guest makes is never set-user-ID. Needs Linux 5.6 and /proc. Up to half of the
 * process's descriptors (RLIMIT_NOFILE) hold what the guest has open; what it only
 * knows of takes none.
 */
int trapmap_vm_add_share(struct trapmap_vm *vm,
			 const struct trapmap_share *share);

/* ---- memory ------------------------------------------------------------- */

struct trapmap_pmem {
	size_t size; /* sizeof(struct trapmap_pmem) */
	const char *path;
	int fd; /* used if path is NULL */
};

#define TRAPMAP_PMEM_INIT { .size = sizeof(struct trapmap_pmem), .fd = -1 }

/*
 * An image that the guest reads as memory (pmem0 ... in Linux), so that VMs that
 * use the same share its pages. It is locked against writers from start to free,
 * and never written to: what the guest writes there is gone, so it has to mount it
 * read-only. A file that is cut short while the guest runs is a host failure once
 * the guest reads what is gone.
 */
int trapmap_vm_add_pmem(struct trapmap_vm *vm, const struct trapmap_pmem *pmem);

struct trapmap_balloon {
	size_t size; /* sizeof(struct trapmap_balloon) */
	/* Bytes that the guest is to give up at first, in whole pages. */
	uint64_t target;
	/* Not 0: pages that the guest has no use for go back to the host. */
	int reporting;
	/* Not 0: a guest that runs out of memory may take pages back. */
	int deflate_on_oom;
};

#define TRAPMAP_BALLOON_INIT { .size = sizeof(struct trapmap_balloon) }

/*
 * At most one. A disk that is `pinned` keeps all memory, and is refused beside it by
 * start.
 */
int trapmap_vm_set_balloon(struct trapmap_vm *vm,
			   const struct trapmap_balloon *balloon);

/*
 * Asks the guest for so many bytes, in whole pages of 4 KiB. It gives them up in its
 * own time, and gets back what it gave beyond that. Any thread. Returns 0, -ENODEV
 * (no balloon), -EINVAL (more than the guest has) or -ESRCH (the VM does not run).
 */
int trapmap_vm_balloon_target(struct trapmap_vm *vm, uint64_t bytes);

/* What the guest last told; UINT64_MAX for what it did not tell. */
struct trapmap_balloon_stats {
	size_t size; /* sizeof(struct trapmap_balloon_stats) */
	uint64_t target, actual; /* bytes asked for; given up */
	uint64_t reported; /* bytes given back by reporting, in all */
	uint64_t free, available, total, caches; /* bytes */
	uint64_t swap_in, swap_out; /* bytes, in all */
	uint64_t major_faults, minor_faults;
};

#define TRAPMAP_BALLOON_STATS_INIT \
	{ .size = sizeof(struct trapmap_balloon_stats) }

/*
 * Returns at once, with what the guest told when it was last asked, and asks it
 * again: who calls once a second has figures of a second ago. A guest tells them
 * once without being asked, when its driver starts; a reset makes them unknown.
 * ret_stats->size is set by the caller. Any thread. Returns 0, -ENODEV (no balloon),
 * -EINVAL (size) or -ESRCH (the VM has not been started).
 */
int trapmap_vm_balloon_stats(struct trapmap_vm *vm,
			     struct trapmap_balloon_stats *ret_stats);

#ifdef __cplusplus
}
#endif

#endif
