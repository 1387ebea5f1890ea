#!/bin/sh
# SPDX-License-Identifier: MIT
#
# "trapmap exec" up to its guest: what it answers, how it refuses, and with which
# status. Usage: test-exec.sh TRAPMAP

# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

# cannot STATUS "PART OF THE LINE" WORD...: one line on stderr, nothing on stdout.
cannot() {
	expected=$1 part=$2
	shift 2
	capture exec "$@" </dev/null
	is "status of 'exec $*'" $status "$expected"
	is "stdout of 'exec $*'" "$out" ""
	is "lines of 'exec $*'" "$(wc -l <err)" 1
	has "'exec $*'" "$err" "trapmap: "
	has "'exec $*'" "$err" "$part"
}

for words in "exec --help" "exec -h" "help exec"; do
	# shellcheck disable=SC2086 # words, not one word
	capture $words
	is "status of $words" $status 0
	is "stderr of $words" "$err" ""
	has "$words" "$out" \
		"Usage: trapmap exec -k KERNEL [OPTION...] -- COMMAND"
	is "$words: lines over 80 columns" "$(grep -c '.\{81\}' out)" 0
done

# ---- words

cannot 125 "a command is expected behind '--'" -k some-kernel
cannot 125 "a command is expected behind '--'" -k some-kernel --
cannot 125 "'ls': the command comes behind '--'" -k some-kernel ls
cannot 125 "a kernel is expected: -k FILE" -- true
cannot 125 "unknown option '--shares'; did you mean '--share'?" --shares x -- true
cannot 125 "unknown option '--watchdog'" -k x --watchdog 3 -- true
cannot 125 "--root 'nfs': " -k x --root nfs -- true
cannot 125 "--share '': a path is expected" -k x --share= -- true
cannot 125 "--copy: with --root 9p all files are there already" \
	-k x --root 9p --copy x -- true
cannot 125 "--mem '0'" -k x -m 0 -- true

# ---- the command

mkdir folder
: >plain
cannot 127 "'no-such-command': no such command in \$PATH" -k x -- no-such-command
cannot 127 "'': no such command in \$PATH" -k x -- ''
cannot 127 "'./nothing': No such file or directory" -k x -- ./nothing
cannot 127 "'plain/x': Not a directory" -k x -- plain/x
cannot 126 "'./folder': is no file" -k x -- ./folder
cannot 126 "'./plain': is not executable" -k x -- ./plain

# ---- the kernel, its drivers, and the files

# A bzImage as far as its release is told from it: 6.1.0-lab.
{
	printf '%514s' '' | tr ' ' '\000'
	printf 'HdrS%8s\000\001%240s' '' '' | tr ' ' '\000'
	printf '6.1.0-lab (nobody) #1\000'
} >bzImage
modules=installed/lib/modules/6.1.0-lab
mkdir -p $modules
: >$modules/modules.dep
lists() {
	printf 'kernel/%s.ko\n' "$@" >$modules/modules.builtin
}

cannot 125 "--modules 'folder': there is no modules.dep in it, nor in \
lib/modules/6.1.0-lab below it" -k bzImage --modules folder -- true
cannot 125 "--modules 'nowhere': " -k bzImage --modules nowhere -- true
lists nothing
for given in installed installed/lib/modules $modules; do
	cannot 125 "the kernel 'bzImage' has no virtio_mmio (CONFIG_VIRTIO_MMIO)" \
		-k bzImage --modules "$given" -- true
done
cannot 125 "the kernel 'bzImage' has no virtio_pci" \
	-k bzImage --modules installed --transport pci -- true
lists virtio_mmio
cannot 125 "the kernel 'bzImage' has no virtio_console" \
	-k bzImage --modules installed -- true
lists virtio_mmio virtio_console
cannot 125 "no 9p over virtio (CONFIG_9P_FS, CONFIG_NET_9P_VIRTIO), which \
--share needs" -k bzImage --modules installed --share folder -- true
cannot 125 "which --root 9p needs" -k bzImage --modules installed --root 9p -- true
cannot 125 "the kernel 'bzImage' has no virtio_net" \
	-k bzImage --modules installed -n user -- true
# Beside the kernel, as a package that was unpacked has them.
mkdir installed/boot
cp bzImage installed/boot/
lists virtio_mmio
cannot 125 "has no virtio_console (CONFIG_VIRTIO_CONSOLE)" \
	-k installed/boot/bzImage -- true
# What a build says to be built in.
mkdir -p tree/arch/x86/boot
cp bzImage tree/arch/x86/boot/
echo kernel/drivers/virtio/virtio_mmio.ko >tree/modules.builtin
cannot 125 "has no virtio_console (CONFIG_VIRTIO_CONSOLE)" \
	-k tree/arch/x86/boot/bzImage -- true

# A module that is in the list, and not there.
lists virtio_mmio virtio_console
echo 'kernel/net/9p/9pnet_virtio.ko: kernel/net/9p/9pnet.ko' >$modules/modules.dep
echo 'kernel/fs/9p/9p.ko: kernel/net/9p/9pnet.ko' >>$modules/modules.dep
cannot 125 "cannot read the module 'installed/lib/modules/6.1.0-lab/kernel/net/9p/9pnet.ko'" \
	-k bzImage --modules installed -- true
lists virtio_mmio virtio_console 9pnet_virtio 9p
cannot 125 "--share 'nowhere': No such file or directory" \
	-k bzImage --modules installed --share nowhere -- true
cannot 125 "--share '/': a folder is expected, not all files of the host" \
	-k bzImage --modules installed --share / -- true
cannot 125 "--chdir 'nowhere': No such file or directory" \
	-k bzImage --modules installed --chdir nowhere -- true
cannot 125 "--copy 'nowhere': No such file or directory" \
	-k bzImage --modules installed --root copy --copy nowhere -- true
cannot 125 "cannot copy '/dev/null': neither a file nor a folder" \
	-k bzImage --modules installed --root copy --copy /dev/null -- true

# ---- the start

if kvm_is_here; then
	cannot 125 "no-kernel" -k no-kernel -- true
	cannot 125 "share '$PWD/plain': is not a folder" \
		-k bzImage --modules installed --share "$PWD/plain" -- true
else
	echo "left out: no KVM here for: the start"
fi
finish
