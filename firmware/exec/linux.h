/* SPDX-License-Identifier: MIT */
/*
 * linux.h: what the init of "trapmap exec" asks of the Linux kernel that it runs on.
 * System calls of x86-64, each returning its result or a negative errno. The numbers
 * are the kernel's ABI, which does not change (arch/x86/entry/syscalls/
 * syscall_64.tbl, include/uapi).
 */
#ifndef FIRMWARE_EXEC_LINUX_H
#define FIRMWARE_EXEC_LINUX_H

#include <stddef.h>
#include <stdint.h>

enum syscall {
	SYS_READ = 0,
	SYS_WRITE = 1,
	SYS_OPEN = 2,
	SYS_CLOSE = 3,
	SYS_POLL = 7,
	SYS_RT_SIGPROCMASK = 14,
	SYS_IOCTL = 16,
	SYS_DUP2 = 33,
	SYS_NANOSLEEP = 35,
	SYS_SOCKET = 41,
	SYS_FORK = 57,
	SYS_EXECVE = 59,
	SYS_EXIT = 60,
	SYS_WAIT4 = 61,
	SYS_KILL = 62,
	SYS_UNAME = 63,
	SYS_FCNTL = 72,
	SYS_CHDIR = 80,
	SYS_MKDIR = 83,
	SYS_SYMLINK = 88,
	SYS_UMASK = 95,
	SYS_SETSID = 112,
	SYS_CHROOT = 161,
	SYS_SYNC = 162,
	SYS_MOUNT = 165,
	SYS_REBOOT = 169,
	SYS_SETHOSTNAME = 170,
	SYS_IOPERM = 173,
	SYS_GETDENTS64 = 217,
	SYS_CLOCK_GETTIME = 228,
	SYS_SIGNALFD4 = 289,
	SYS_PIPE2 = 293,
	SYS_FINIT_MODULE = 313,
};

static inline long sys6(enum syscall nr, long a, long b, long c, long d, long e,
			long f)
{
	register long r10 asm("r10") = d;
	register long r8 asm("r8") = e;
	register long r9 asm("r9") = f;
	long ret;

	asm volatile("syscall"
		     : "=a"(ret)
		     : "a"((long)nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
		       "r"(r9)
		     : "rcx", "r11", "memory");
	return ret;
}

#define sys(nr, ...) sys_pick(nr, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define sys_pick(nr, a, b, c, d, e, f, ...) \
	sys6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

enum {
	O_RDONLY = 0,
	O_WRONLY = 1,
	O_RDWR = 2,
	O_CREAT = 0100,
	O_NONBLOCK = 04000,
	O_DIRECTORY = 0200000,
	O_CLOEXEC = 02000000,
};

enum { EINTR = 4, EAGAIN = 11, EEXIST = 17, ENODEV = 19, EINVAL = 22 };

enum { F_SETFL = 4 };

enum { MS_RDONLY = 1, MS_NOSUID = 2, MS_BIND = 4096, MS_MOVE = 8192 };

enum { POLLIN = 1, POLLOUT = 4, POLLERR = 8, POLLHUP = 16 };

struct pollfd {
	int fd;
	short events, revents;
};

struct timespec {
	long sec, nsec;
};

enum { CLOCK_MONOTONIC = 1 };

/* What getdents64() fills in. */
struct dirent {
	uint64_t ino;
	int64_t off;
	uint16_t len;
	uint8_t type;
	char name[];
};

enum { SIGKILL = 9, SIGCHLD = 17 };
enum { SIG_BLOCK = 0, SIG_UNBLOCK = 1 };

enum { WNOHANG = 1 };

/* include/uapi/linux/module.h */
enum { MODULE_INIT_COMPRESSED_FILE = 4 };

/* include/uapi/linux/reboot.h */
#define REBOOT_MAGIC1 0xfee1dead
#define REBOOT_MAGIC2 672274793
#define REBOOT_POWER_OFF 0x4321fedc

/* include/uapi/linux/utsname.h */
struct new_utsname {
	char sysname[65], nodename[65], release[65], version[65], machine[65];
	char domainname[65];
};

/* Sockets, to bring "lo" up: struct ifreq, of which name and flags matter. */
enum { AF_INET = 2, SOCK_DGRAM = 2, SIOCSIFFLAGS = 0x8914, IFF_UP = 1 };

struct ifreq {
	char name[16];
	short flags;
	char rest[22];
};

#endif
