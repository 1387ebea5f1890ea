// SPDX-License-Identifier: MIT
/*
 * Which frames the driver wants: VIRTIO 1.2, 5.1.6.5.1 "Packet Receive Filtering",
 * 5.1.6.5.2 "Setting MAC Address Filtering" and 5.1.6.5.3 "VLAN Filtering".
 */
#include <string.h>

#include "virtio/net_parts.h"

#define ETHERTYPE_VLAN 0x8100

/* A driver that does not ask for less gets everything. */
void net_filter_reset(struct net_filter *filter, bool vlans)
{
	memset(filter, 0, sizeof(*filter));
	filter->promisc = true;
	filter->vlans = vlans;
}

static bool among(const struct net_macs *macs, const uint8_t *mac)
{
	unsigned i;

	for (i = 0; i < macs->count; i++) {
		if (memcmp(macs->mac[i], mac, VIRTIO_NET_MAC_LEN) == 0)
			return true;
	}
	return macs->overflow;
}

bool net_filter_wants(const struct net_filter *filter, const uint8_t *mac,
		      const uint8_t frame[NET_FILTER_LOOK])
{
	static const uint8_t broadcast[VIRTIO_NET_MAC_LEN] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff
	};

	if (filter->promisc)
		return true;
	if (filter->vlans && (frame[12] << 8 | frame[13]) == ETHERTYPE_VLAN) {
		unsigned id = (frame[14] & 0x0fu) << 8 | frame[15];

		if (!(filter->vlan[id / 8] >> id % 8 & 1))
			return false;
	}
	if (memcmp(frame, broadcast, sizeof(broadcast)) == 0)
		return !filter->nobcast;
	if (frame[0] & 1)
		return !filter->nomulti &&
		       (filter->allmulti || among(&filter->multicast, frame));
	return !filter->nouni &&
	       (filter->alluni || memcmp(frame, mac, VIRTIO_NET_MAC_LEN) == 0 ||
		among(&filter->unicast, frame));
}
