#!/bin/sh
# SPDX-License-Identifier: MIT
#
# net-tap.sh IP [FLAG...]: in lab-amd's outer machine, a tap (tap0, 10.9.0.1) made by
# iproute2's IP with these FLAGs, and behind it a DHCP server and one for HTTP, which
# has 4 MiB at /blob; its digest is left in the job's folder as `sum`.
set -eu

ip=$1
shift
modprobe -a tun vhost_net
"$ip" tuntap add dev tap0 mode tap "$@"
"$ip" link set lo up
"$ip" addr add 10.9.0.1/24 dev tap0
"$ip" link set tap0 up

mkdir -p /dev/shm/www
dd if=/dev/urandom of=/dev/shm/www/blob bs=64k count=64 2>/dev/null
sha256sum </dev/shm/www/blob | cut -d' ' -f1 >sum
httpd -p 10.9.0.1:80 -h /dev/shm/www

: >/dev/shm/leases
cat >/dev/shm/udhcpd.conf <<'END'
start 10.9.0.2
end 10.9.0.9
interface tap0
option subnet 255.255.255.0
option router 10.9.0.1
option dns 10.9.0.1
lease_file /dev/shm/leases
pidfile /dev/shm/udhcpd.pid
END
udhcpd /dev/shm/udhcpd.conf 2>/dev/null
