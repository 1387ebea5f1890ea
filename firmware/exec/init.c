// SPDX-License-Identifier: MIT
/*
 * init.c: process 1 of the guest of "trapmap exec", see init.h. It is the only file
 * of the initramfs that runs, has no library, and ends the machine.
 */
#include "exec/init.h"

#include "trapmap/guest_abi.h"

#define ITEMS_MAX 4096
#define PLAN_MAX (1 << 20)
#define SYSROOT "/sysroot"

static char plan[PLAN_MAX];
static char *args[ITEMS_MAX + 1], *envs[ITEMS_MAX + 1];

static __attribute__((noreturn)) void power_off(void)
{
	sys(SYS_SYNC, 0);
	/* Success, said in one instruction; or else as every init does. */
	if (sys(SYS_IOPERM, TRAPMAP_TEST_EXIT_PORT, 1, 1) == 0)
		asm volatile("outb %b0, %w1"
			     :
			     : "a"(0), "Nd"(TRAPMAP_TEST_EXIT_PORT));
	for (;;)
		sys(SYS_REBOOT, REBOOT_MAGIC1, REBOOT_MAGIC2, REBOOT_POWER_OFF,
		    0);
}

/* On the kernel's console. */
static struct text complain(const char *what, const char *which, long r)
{
	struct text t = { .len = 0 };

	text_add(&t, "cannot ");
	text_add(&t, what);
	text_add(&t, which);
	text_add(&t, ": ");
	text_add_number(&t, (unsigned long)-r);
	text_add(&t, "\n");
	sys(SYS_WRITE, 2, t.s, t.len);
	return t;
}

static __attribute__((noreturn)) void fail(const char *what, const char *which,
					   long r)
{
	struct text t = complain(what, which, r);

	ports_result(&t);
	power_off();
}

/* Where what may fail: a kernel without it is told by what then does not work. */
static void mount(const char *type, const char *dir)
{
	sys(SYS_MKDIR, dir, 0755);
	sys(SYS_MOUNT, type, dir, type, MS_NOSUID, 0);
}

static void load_module(const char *file)
{
	long fd = sys(SYS_OPEN, file, O_RDONLY | O_CLOEXEC);
	long r = fd;

	if (fd >= 0) {
		r = sys(SYS_FINIT_MODULE, fd, "",
			text_ends(file, ".ko") ? 0
					       : MODULE_INIT_COMPRESSED_FILE);
		sys(SYS_CLOSE, fd);
	}
	/* What does not work without it says so; this is for the console. */
	if (r < 0 && r != -EEXIST)
		complain("load the module ", file, r);
}

static long mount_9p(const char *tag, const char *dir, unsigned long flags)
{
	return sys(SYS_MOUNT, tag, dir, "9p", flags,
		   flags & MS_RDONLY
			   ? "trans=virtio,version=9p2000.L,msize=524288,cache=loose"
			   : "trans=virtio,version=9p2000.L,msize=524288");
}

static void mount_root(const char *tag)
{
	long r;

	sys(SYS_MKDIR, SYSROOT, 0755);
	r = mount_9p(tag, SYSROOT, MS_RDONLY);
	if (r < 0)
		fail("mount the host's files", "", r);
	mount("proc", SYSROOT "/proc");
	mount("sysfs", SYSROOT "/sys");
	mount("devtmpfs", SYSROOT "/dev");
	mount("devpts", SYSROOT "/dev/pts");
	mount("tmpfs", SYSROOT "/dev/shm");
	mount("tmpfs", SYSROOT "/tmp");
	mount("tmpfs", SYSROOT "/run");
	r = sys(SYS_CHDIR, SYSROOT);
	if (r == 0)
		r = sys(SYS_MOUNT, ".", "/", 0, MS_MOVE, 0);
	if (r == 0)
		r = sys(SYS_CHROOT, ".");
	if (r < 0)
		fail("enter the host's files", "", r);
}

/* "TAG DIR" */
static void mount_share(char *item)
{
	char *dir = item;
	long r;

	while (*dir && *dir != ' ')
		dir++;
	if (*dir)
		*dir++ = '\0';
	sys(SYS_MKDIR, dir, 0755);
	r = mount_9p(item, dir, 0);
	if (r < 0)
		fail("mount a share on ", dir, r);
}

static void loopback_up(void)
{
	struct ifreq req = { .name = "lo", .flags = IFF_UP };
	long fd = sys(SYS_SOCKET, AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		return;
	sys(SYS_IOCTL, fd, SIOCSIFFLAGS, &req);
	sys(SYS_CLOSE, fd);
}

/* The value, if the item has that key. */
static char *value(char *item, const char *key)
{
	while (*key && *item == *key) {
		item++;
		key++;
	}
	return *key ? NULL : item;
}

/* Carries the plan out, up to the command. */
static void carry_out(size_t len)
{
	size_t at, arg = 0, env = 0;
	bool open = false;
	char *v;
	long r;

	for (at = 0; at < len; at += text_len(plan + at) + 1) {
		char *item = plan + at;

		if ((v = value(item, "module="))) {
			load_module(v);
			continue;
		}
		/* The drivers are there: from here on failures are heard. */
		if (!open) {
			r = ports_open();
			if (r < 0)
				fail("find the console's ports", "", r);
			open = true;
		}
		if ((v = value(item, "root=")))
			mount_root(v);
		else if ((v = value(item, "share=")))
			mount_share(v);
		else if ((v = value(item, "dir="))) {
			r = sys(SYS_CHDIR, v);
			if (r < 0)
				fail("change to ", v, r);
		} else if ((v = value(item, "env=")) && env < ITEMS_MAX)
			envs[env++] = v;
		else if ((v = value(item, "arg=")) && arg < ITEMS_MAX)
			args[arg++] = v;
	}
}

static size_t read_plan(void)
{
	long fd = sys(SYS_OPEN, "/trapmap", O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	long n;

	if (fd < 0)
		fail("read the plan", "", fd);
	while (len < PLAN_MAX - 1 &&
	       (n = sys(SYS_READ, fd, plan + len, PLAN_MAX - 1 - len)) > 0)
		len += (size_t)n;
	sys(SYS_CLOSE, fd);
	return len;
}

/* The child; its failure goes to the parent through a pipe. */
static __attribute__((noreturn)) void become(const struct pipes *p, int told)
{
	uint64_t mask = UINT64_C(1) << (SIGCHLD - 1);
	long r;

	sys(SYS_SETSID, 0);
	sys(SYS_RT_SIGPROCMASK, SIG_UNBLOCK, &mask, 0, sizeof(mask));
	sys(SYS_DUP2, p->in, 0);
	sys(SYS_DUP2, p->out, 1);
	sys(SYS_DUP2, p->err, 2);
	r = sys(SYS_EXECVE, args[0], args, envs);
	sys(SYS_WRITE, told, &r, sizeof(r));
	for (;;)
		sys(SYS_EXIT, 127);
}

static void run(void)
{
	uint64_t mask = UINT64_C(1) << (SIGCHLD - 1);
	struct text t = { .len = 0 };
	struct pipes p;
	int told[2], status;
	long child, r;

	sys(SYS_RT_SIGPROCMASK, SIG_BLOCK, &mask, 0, sizeof(mask));
	r = ports_pipes(&p);
	if (r == 0)
		r = sys(SYS_PIPE2, told, O_CLOEXEC);
	if (r < 0)
		fail("make pipes", "", r);
	child = sys(SYS_FORK, 0);
	if (child == 0)
		become(&p, told[1]);
	if (child < 0)
		fail("start a process", "", child);
	sys(SYS_CLOSE, p.in);
	sys(SYS_CLOSE, p.out);
	sys(SYS_CLOSE, p.err);
	sys(SYS_CLOSE, told[1]);
	if (sys(SYS_READ, told[0], &r, sizeof(r)) == sizeof(r))
		fail("run ", args[0], r);
	sys(SYS_CLOSE, told[0]);
	status = ports_pump(child);
	text_add(&t, status & 0x7f ? "signal " : "exit ");
	text_add_number(&t, status & 0x7f ? (unsigned)status & 0x7f
					  : (unsigned)status >> 8 & 0xff);
	text_add(&t, "\n");
	ports_result(&t);
}

/* Called by the kernel, with no return address. */
__attribute__((noreturn, force_align_arg_pointer)) void _start(void);

void _start(void)
{
	static const char name[] = "trapmap";

	mount("proc", "/proc");
	mount("sysfs", "/sys");
	mount("devtmpfs", "/dev");
	sys(SYS_SETHOSTNAME, name, sizeof(name) - 1);
	carry_out(read_plan());
	loopback_up();
	if (!args[0])
		fail("run nothing", "", -22); /* EINVAL */
	run();
	power_off();
}
