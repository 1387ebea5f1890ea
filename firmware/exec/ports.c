// SPDX-License-Identifier: MIT
/* The ports of the console device, by the names that the host gave them. */
#include "exec/init.h"

#define PORTS_DIR "/sys/class/virtio-ports"
#define DRIVER_DIR "/sys/bus/virtio/drivers/virtio_console"
#define NAME_MAX 64
/* Ports come one by one, by messages: for so long they are waited for. */
#define WAIT_MS 10000

static const char *const names[PORTS] = { "stdin", "stdout", "stderr",
					  "result" };
int ports[PORTS] = { -1, -1, -1, -1 };

static void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	sys(SYS_NANOSLEEP, &t, 0);
}

/* Opens /dev/ENTRY if the port of that name in sysfs is one of ours. */
static void open_port(const char *entry)
{
	struct text path = { .len = 0 };
	char name[NAME_MAX];
	long fd, n;
	int i;

	text_add(&path, PORTS_DIR "/");
	text_add(&path, entry);
	text_add(&path, "/name");
	fd = sys(SYS_OPEN, path.s, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = sys(SYS_READ, fd, name, sizeof(name) - 1);
	sys(SYS_CLOSE, fd);
	if (n <= 0)
		return;
	name[name[n - 1] == '\n' ? n - 1 : n] = '\0';
	for (i = 0; i < PORTS && !text_same(name, names[i]); i++)
		;
	if (i == PORTS || ports[i] >= 0)
		return;
	path.len = 0;
	text_add(&path, "/dev/");
	text_add(&path, entry);
	ports[i] = (int)sys(SYS_OPEN, path.s,
			    (i == PORT_STDIN ? O_RDONLY : O_WRONLY) |
				    O_NONBLOCK | O_CLOEXEC);
}

static void look(void)
{
	static char list[4096] __attribute__((aligned(8)));
	long fd = sys(SYS_OPEN, PORTS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long n, at;

	if (fd < 0)
		return;
	while ((n = sys(SYS_GETDENTS64, fd, list, sizeof(list))) > 0) {
		for (at = 0; at < n;) {
			const struct dirent *d = (void *)(list + at);

			if (d->name[0] != '.')
				open_port(d->name);
			at += d->len;
		}
	}
	sys(SYS_CLOSE, fd);
}

long ports_open(void)
{
	long fd, waited;
	int i;

	/* Nothing comes where there is no driver. */
	fd = sys(SYS_OPEN, DRIVER_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -ENODEV;
	sys(SYS_CLOSE, fd);
	for (waited = 0; waited < WAIT_MS; waited++) {
		look();
		for (i = 0; i < PORTS && ports[i] >= 0; i++)
			;
		if (i == PORTS)
			return 0;
		sleep_ms(1);
	}
	return -ENODEV;
}

void ports_result(const struct text *line)
{
	size_t at = 0;

	while (at < line->len) {
		long n = sys(SYS_WRITE, ports[PORT_RESULT], line->s + at,
			     line->len - at);

		if (n > 0)
			at += (size_t)n;
		else if (n != -EAGAIN && n != -EINTR)
			return;
		else
			sleep_ms(1);
	}
}
