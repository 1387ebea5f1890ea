// SPDX-License-Identifier: MIT
/* User networks, where the headers of libslirp were not there to build with. */
#include "backend/net_user.h"

#include <errno.h>

int net_user_new(const struct net_user_config *config, struct net **ret_net)
{
	return -ENOSYS;
}

int net_user_forward(struct net *net, const struct net_user_forward *forward)
{
	return -ENOSYS;
}
