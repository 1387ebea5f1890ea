// SPDX-License-Identifier: MIT
/*
 * load_net.c: two ends of a TCP connection. The caller's first byte says what it
 * wants to do: 's'end, 'r'eceive, or 'p'ing. Whoever receives knows what arrived, so
 * at the end of a 's'end the server answers with one byte, and the time runs until
 * then.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

static char block[128 << 10];

static void send_to_the_end(int fd)
{
	while (send(fd, block, sizeof(block), MSG_NOSIGNAL) > 0)
		;
}

static void receive_to_the_end(int fd)
{
	while (read(fd, block, sizeof(block)) > 0)
		;
	(void)send(fd, "", 1, MSG_NOSIGNAL);
}

static void answer_each(int fd)
{
	char byte;

	while (read(fd, &byte, 1) == 1 && send(fd, &byte, 1, MSG_NOSIGNAL) == 1)
		;
}

static void no_delay(int fd)
{
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
}

static void serve_one(int fd)
{
	char what = 0;

	no_delay(fd);
	if (read(fd, &what, 1) != 1)
		return;
	switch (what) {
	case 's': receive_to_the_end(fd); break;
	case 'r': send_to_the_end(fd); break;
	case 'p': answer_each(fd); break;
	}
}

int load_serve(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int listener, fd;

	if (argc != 1)
		return 2;
	at.sin_port = htons((uint16_t)strtoul(argv[0], NULL, 0));
	signal(SIGCHLD, SIG_IGN);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (listener < 0 ||
	    bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    listen(listener, 8) < 0)
		load_die("listen");
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		if (fork() == 0) {
			serve_one(fd);
			_exit(0);
		}
		close(fd);
	}
	load_die("accept");
}

static double send_for(int fd, double seconds)
{
	double start = load_now(), total = 0;
	ssize_t n;
	char byte;

	while (load_now() - start < seconds) {
		n = send(fd, block, sizeof(block), MSG_NOSIGNAL);
		if (n < 0)
			load_die("send");
		total += (double)n;
	}
	shutdown(fd, SHUT_WR);
	if (read(fd, &byte, 1) != 1)
		load_die("no answer");
	return total / (1 << 20) / (load_now() - start);
}

static double receive_for(int fd, double seconds)
{
	double start = load_now(), total = 0, now;
	ssize_t n;

	do {
		n = read(fd, block, sizeof(block));
		if (n <= 0)
			load_die("receive");
		total += (double)n;
		now = load_now();
	} while (now - start < seconds);
	return total / (1 << 20) / (now - start);
}

static double ping_for(int fd, double seconds)
{
	double start = load_now(), total = 0, now;
	char byte = 'x';

	do {
		if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1 ||
		    read(fd, &byte, 1) != 1)
			load_die("ping");
		total++;
		now = load_now();
	} while (now - start < seconds);
	return total / (now - start);
}

int load_tcp(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	double seconds, rate;
	int fd;

	if (argc != 4 || inet_pton(AF_INET, argv[0], &to.sin_addr) != 1)
		return 2;
	to.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 0));
	seconds = strtod(argv[3], NULL);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		load_die("connect");
	no_delay(fd);
	if (send(fd, argv[2], 1, MSG_NOSIGNAL) != 1)
		load_die("send");
	switch (argv[2][0]) {
	case 's': rate = send_for(fd, seconds); break;
	case 'r': rate = receive_for(fd, seconds); break;
	case 'p': rate = ping_for(fd, seconds); break;
	default: return 2;
	}
	printf("%.1f\n", rate);
	close(fd);
	return 0;
}
