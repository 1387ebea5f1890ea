# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2034,SC2154
#
# virtio.sh: disks, the entropy device, an image in memory, the console's ports, vsock
# and the balloon, memory-mapped and on PCI. A part of suite.sh.

virtio_jobs() {
	# All that a kernel says, from its first line on. Without XSAVE there is
	# nothing for it to warn of (docs/testing.md). The drivers are named in the
	# order in which they need each other.
	drivers=trapmap.modules=virtio_mmio,virtio-rng,virtio_blk
	console='console=ttyS0 earlyprintk=ttyS0 loglevel=7'
	more='--cpu host,-xsave --fail-on panic,splat'
	boot cloud-2cpu /lab/cloud/vmlinuz 2 256 0 $drivers

	# In a temporary overlay, which is a qcow2 image.
	disk='truncate -s 16M disk.img;'
	before=$disk
	after='rm disk.img'
	more='--fail-on panic,splat -d disk.img,tmp,serial=lab'
	boot generic-1cpu /lab/generic/vmlinuz 1 512 0 $drivers

	# The same on PCI: by messages, then by pins and without configuration by
	# memory, with an image in memory, of which the guest's filesystem maps the
	# pages.
	drivers=trapmap.modules=virtio_pci,virtio-rng,virtio_blk
	before=$disk
	after='rm disk.img'
	more='--fail-on panic,splat --transport pci -d disk.img,serial=lab'
	boot pci-2cpu /lab/generic/vmlinuz 2 512 0 $drivers
	before=$disk
	after='rm disk.img'
	more="--fail-on panic,splat --transport pci -d disk.img,serial=lab
		--pmem $(pmem_image)"
	boot pci-pins /lab/cloud/vmlinuz 1 256 0 $drivers,virtio_pmem,nd_pmem \
		pci=nomsi,conf1

	# One that is typed to, beside a port that takes a result.
	console='console=ttyS0 console=hvc0 quiet'
	before='{ while sleep 1; do echo hello; done; } |'
	more="--console stdio --console file=result,name=results
		--transport pci --expect '^was told *: hello'"
	boot hvc-2cpu /lab/generic/vmlinuz 2 512 0 trapmap.on=hvc0 \
		trapmap.end=ask trapmap.modules=virtio_pci,virtio_console

	# Sockets both ways, through unix sockets and through the outer machine's
	# kernel.
	drivers=trapmap.modules=virtio_mmio,vmw_vsock_virtio_transport
	before=$(calls unix:v.sock_1234 unix:v.sock:1235)
	more='--vsock v.sock'
	boot vsock /lab/cloud/vmlinuz 1 256 0 trapmap.vsock=1234 $drivers
	before="modprobe vhost_vsock; $(calls vsock:4294967295:1234 vsock:77:1235)"
	more='--vsock vhost,cid=77'
	boot vsock-vhost-2cpu /lab/cloud/vmlinuz 2 256 0 trapmap.vsock=1234 \
		$drivers
	balloon_job
}

calls() {
	echo "{ echo 'the host answers' | lab-socket listen $1 >called;" \
		"echo 'the host calls' | lab-socket connect $2; } &"
}

# Says where the image is.
pmem_image() {
	mkdir "$work/tree"
	echo 'in the image' >"$work/tree/text"
	PATH=$PATH:/usr/sbin:/sbin mke2fs -q -t ext4 -b 4096 \
		-O '^has_journal' -d "$work/tree" "$work/pmem.img" 15M \
		>/dev/null 2>&1
	echo "$work/pmem.img"
}

# What a guest frees goes back: how much of Trapmap is resident once it has filled
# memory, and each second from then on, until most of it has gone.
balloon_job() {
	job balloon 150 0 "$(
		cat <<-'END'
			rss() {
			sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' /proc/$!/status;
			};
			mkfifo in;
			trapmap run /lab/generic/vmlinuz -i /lab/guest.cpio -m 512
			-p 'console=ttyS0 quiet trapmap.free=128
			trapmap.modules=virtio_mmio,virtio_pci,virtio_balloon'
			--balloon reporting --stats --report report.json
			<in >console &
			exec 3>in;
			until grep -q filled console; do sleep 1; done;
			full=$(rss); echo free it >&3;
			for second in $(seq 30); do
			sleep 1; now=$(rss); [ $((full - now)) -lt 100000 ] || break;
			done;
			echo $full $now >resident; echo end >&3; wait $!
		END
	)"
}

virtio_checks() {
	for line in '\[earlyser0\] enabled' 'Run /init as init process'; do
		has "$line" "$results/cloud-2cpu/console" \
			"cloud-2cpu: the kernel says: $line"
	done
	for name in cloud-2cpu generic-1cpu; do
		out=$results/$name
		is "$(field entropy)" "virtio_rng.0, 4096 bytes, IRQ 16" \
			"$name: it reads from the entropy device"
	done
	out=$results/pci-2cpu
	is "$(field entropy)" "virtio_rng.0, 4096 bytes, MSI" \
		"pci-2cpu: the entropy device interrupts by messages"
	out=$results/pci-pins
	is "$(field entropy)" "virtio_rng.0, 4096 bytes, IRQ 17" \
		"pci-pins: the entropy device interrupts by its pin"
	is "$(field pmem)" "pmem0, 32768 sectors, ro,dax=always, in the image" \
		"pci-pins: it maps an image in memory and finds its file"
	for name in generic-1cpu pci-2cpu pci-pins; do
		out=$results/$name
		is "$(field disk)" \
			"vda, 32768 sectors, lab, 1 MiB read as written" \
			"$name: its disk has what was written"
	done

	out=$results/hvc-2cpu
	is "$(field 'was told')" hello "hvc-2cpu: it was told what was typed"
	is "$(field ports)" \
		"results $(md5sum 2>/dev/null <"$out/result" | cut -c1-32)" \
		"hvc-2cpu: a MiB through a port came out whole"
	for name in vsock vsock-vhost-2cpu; do
		out=$results/$name
		is "$(field sockets)" \
			"was told 'the host answers', then 'the host calls'" \
			"$name: it calls the host, and is called"
		is "$(left called)" 'the guest calls' "$name: the host was called"
	done
	balloon_checks
}

balloon_checks() {
	ended balloon 0
	read -r full now <"$out/resident" 2>/dev/null || full=0 now=0
	[ $((full - now)) -ge 100000 ] && truth=0 || truth=1
	verdict "$truth" "balloon: what the guest frees goes back to the host" \
		"resident: $full KiB, then $now KiB"
	told balloon "a line of what went back, and the queue of it" \
		'^  back with the host, in all: 0 MiB of such, [1-9][0-9]* MiB of free' \
		'^  balloon$' '^    queue [34] +[1-9]'
	reported balloon "the report says the same" <<-'END'
		stats.balloon.reported ~ ^[1-9][0-9]{8}
		stats.queues ~ "device": "balloon"
	END
}
