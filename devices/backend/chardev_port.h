/* SPDX-License-Identifier: MIT */
/*
 * chardev_port.h: a serial line whose other end is a port (port.h), which people may
 * leave and come back to. The device does not learn who is there.
 */
#ifndef TRAPMAP_BACKEND_CHARDEV_PORT_H
#define TRAPMAP_BACKEND_CHARDEV_PORT_H

struct chardev;
struct port;

/*
 * port takes all that it is given (port_fd_config.takes_all). It is the back end's
 * from now on, and freed with it; where this fails it stays the caller's. Returns 0
 * or -ENOMEM.
 */
int chardev_port_new(struct port *port, struct chardev **ret_chr);

#endif
