# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
#
# net.sh: networks: taps of the outer machine's, and one without privileges. A part of
# suite.sh.

ip=$(PATH=$PATH:/sbin:/usr/sbin command -v ip || :)

net_jobs() {
	# Two queues that Trapmap serves, and one of the outer machine's kernel
	# (vhost).
	fetch='trapmap.fetch=http://10.9.0.1/blob'
	if [ -n "$ip" ]; then
		before="sh $here/net-tap.sh $ip multi_queue;"
		after="$ip link del tap0"
		more='-n tap=tap0 --stats'
		boot net-tap-2cpu /lab/cloud/vmlinuz 2 256 0 $fetch \
			trapmap.modules=virtio_mmio,virtio_net
		before="sh $here/net-tap.sh $ip;"
		after="$ip link del tap0"
		more='-n tap=tap0,vhost --stats --transport pci'
		boot net-vhost /lab/cloud/vmlinuz 1 256 0 $fetch \
			trapmap.modules=virtio_pci,virtio_net
	fi
	# One of its own, by which it fetches 64 MiB from the outer machine's
	# loopback, and is called from there.
	served=/dev/shm/served
	before="mkdir $served;
		dd if=/dev/urandom of=$served/file bs=1M count=64 2>/dev/null;
		sha256sum $served/file | cut -d' ' -f1 >sum;
		httpd -p 127.0.0.1:8000 -h $served;
		{ until grep -q answers called; do sleep 2;
		nc 127.0.0.1 8080 </dev/null >called; done; } 2>/dev/null &"
	after="rm -r $served"
	more='--fail-on panic,splat -n user,hostfwd=tcp:8080:80'
	limit=120
	boot net-user-2cpu /lab/cloud/vmlinuz 2 512 0 \
		trapmap.modules=virtio_mmio,virtio_net \
		trapmap.fetch=http://10.0.2.2:8000/file trapmap.serve=80
}

net_checks() {
	for name in net-tap-2cpu net-vhost; do
		out=$results/$name
		[ -n "$ip" ] || {
			skip_one "$name" "no ip (package iproute2)"
			continue
		}
		is "$(field fetched | sed 's/ from.* s,//')" \
			"4194304 bytes $(left sum)" \
			"$name: it fetches 4 MiB over its tap"
	done
	[ -z "$ip" ] || told net-vhost "the queues are the kernel's" \
		'^    queue 0 +in the kernel$' '^    queue 1 +in the kernel$'

	out=$results/net-user-2cpu
	is "$(field network)" \
		"eth0, MTU 16384, 10.0.2.15 by 10.0.2.2, DNS 10.0.2.3" \
		"net-user-2cpu: it has an address by DHCP"
	is "$(field fetched | sed 's/ from.* s,//')" \
		"67108864 bytes $(left sum)" \
		"net-user-2cpu: it fetches 64 MiB from the host's loopback"
	has '^Linux .* answers$' "$out/called" \
		"net-user-2cpu: a port of the host leads to its server"
}
