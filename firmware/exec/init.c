// SPDX-License-Identifier: MIT
/*
 * init.c: process 1 of the guest of "trapmap exec", see init.h. It is the only file
 * of the initramfs that runs, has no library, and ends the machine.
 */
#include "exec/init.h"

#include "trapmap/guest_abi.h"

/* What a kernel takes as arguments and environment of a program is less. */
#define PLAN_MAX (4 << 20)
/* The shortest item is "arg=" and its end. */
#define ITEMS_MAX (PLAN_MAX / 5)

/* Pages of these that are not touched cost nothing. */
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

/* On the kernel's console, too. */
static struct text complain(const char *what, const char *which, long r)
{
	struct text t = { .len = 0 };

	text_add(&t, "cannot ");
	text_add_number(&t, (unsigned long)-r);
	text_add(&t, " ");
	text_add(&t, what);
	text_add(&t, which);
	text_add(&t, "\n");
	sys(SYS_WRITE, 2, t.s, t.len);
	return t;
}

void fail(const char *what, const char *which, long r)
{
	struct text t = complain(what, which, r);

	ports_result(&t);
	power_off();
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

static void loopback_up(void)
{
	struct ifreq req = { .name = "lo", .flags = IFF_UP };
	long fd = sys(SYS_SOCKET, AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		return;
	sys(SYS_IOCTL, fd, SIOCSIFFLAGS, &req);
	sys(SYS_CLOSE, fd);
}

static long from_octal(const char *s)
{
	long n = 0;

	for (; *s >= '0' && *s <= '7'; s++)
		n = n * 8 + *s - '0';
	return n;
}

/* The value, if the item has that key. */
static char *value(char *item, const char *key)
{
	return text_starts(item, key) ? item + text_len(key) : NULL;
}

/* What has to do with files. Returns whether it was that. */
static bool arrange(char *item)
{
	char *v;
	long r;

	if ((v = value(item, "keep="))) {
		files_keep(v);
	} else if ((v = value(item, "modules="))) {
		files_modules(v);
	} else if ((v = value(item, "share="))) {
		files_share(v);
	} else if ((v = value(item, "umask="))) {
		sys(SYS_UMASK, from_octal(v));
	} else if ((v = value(item, "dir="))) {
		r = sys(SYS_CHDIR, v);
		if (r < 0)
			fail("change to ", v, r);
	} else {
		return false;
	}
	return true;
}

/* Carries the plan out, up to the command. */
static void carry_out(size_t len)
{
	size_t at, arg = 0, env = 0;
	bool ready = false;
	char *v;
	long r;

	for (at = 0; at < len; at += text_len(plan + at) + 1) {
		char *item = plan + at;

		if ((v = value(item, "module="))) {
			load_module(v);
			continue;
		}
		/* The drivers are there: from here on failures are heard. */
		if (!ready) {
			r = ports_open();
			if (r < 0)
				fail("find the console's ports", "", r);
			ready = true;
			v = value(item, "root=");
			if (v)
				files_root(v);
			files_usual();
			if (v)
				continue;
		}
		if (arrange(item))
			continue;
		if ((v = value(item, "env=")))
			envs[env++] = v;
		else if ((v = value(item, "arg=")))
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
	r = pump_init(&p);
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
	status = pump_run(child);
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

	files_begin();
	sys(SYS_SETHOSTNAME, name, sizeof(name) - 1);
	carry_out(read_plan());
	loopback_up();
	if (!args[0])
		fail("run nothing", "", -EINVAL);
	run();
	power_off();
}
