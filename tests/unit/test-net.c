// SPDX-License-Identifier: MIT
/* Networks of the public interface: the setter, and what is refused for what. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach/attach.h"
#include "attach/net.h"
#include "core/gmem.h"
#include "net_user_rig.h"
#include "virtio/virtio.h"
#include "vm.h"

static struct trapmap_vm *vm;

static int setup(void **state)
{
	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return -1;
	vm_config_init(&vm->config);
	fake_loop_init(&fl, 0);
	return 0;
}

static int teardown(void **state)
{
	vm_config_done(&vm->config);
	free(vm);
	return 0;
}

static void assert_error(const char *want)
{
	assert_string_equal(vm->error.text, want);
}

static void refused(const struct trapmap_net *net_given, const char *want)
{
	unsigned before = vm->config.machine.attached_count;

	assert_int_equal(trapmap_vm_add_net(vm, net_given), -EINVAL);
	assert_int_equal(vm->error.status, ERROR_INPUT);
	assert_error(want);
	assert_int_equal(vm->config.machine.attached_count, before);
}

/* ---- text ---------------------------------------------------------------- */

static void a_mac_is_six_bytes_of_one_receiver(void **state)
{
	static const char *const bad[] = {
		"",		      "52:54:00:12:34",	    "52:54:00:12:34:5",
		"52:54:00:12:34:567", "52-54-00-12-34-56",  "52:54:00:12:34:5g",
		" 52:54:00:12:34:56", "52:54:00:12:34:56:", "5254001234560000",
	};
	const uint8_t want[] = { 0xae, 0x54, 0x00, 0x12, 0x34, 0xBc };
	struct error err = { 0 };
	uint8_t mac[NET_MAC_LEN] = { 7 };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(net_mac_parse(bad[i], mac, &err), -EINVAL);
		assert_non_null(strstr(err.text, "six bytes in hexadecimal"));
	}
	assert_int_equal(net_mac_parse("01:00:5e:00:00:01", mac, &err), -EINVAL);
	assert_non_null(strstr(err.text, "multicast"));
	assert_int_equal(net_mac_parse("00:00:00:00:00:00", mac, &err), -EINVAL);
	assert_int_equal(mac[0], 7);
	assert_int_equal(net_mac_parse("ae:54:00:12:34:Bc", mac, &err), 0);
	assert_memory_equal(mac, want, sizeof(want));
}

static void a_mac_that_is_made_is_local_and_another_each_time(void **state)
{
	uint8_t a[NET_MAC_LEN], b[NET_MAC_LEN];

	assert_int_equal(net_mac_make(a), 0);
	assert_int_equal(net_mac_make(b), 0);
	assert_memory_equal(a, "\x52\x54\x00", 3);
	/* IEEE 802: bit 1 of the first byte is "local", bit 0 "group". */
	assert_int_equal(a[0] & 3, 2);
	assert_memory_not_equal(a, b, NET_MAC_LEN);
}

static void a_forward_names_two_places(void **state)
{
	static const struct {
		const char *text;
		struct net_user_forward want;
	} good[] = {
		{ "tcp:8080:80",
		  { false, 0x7f000001, 0x0a00020f, 8080, 80 } },
		{ "udp:65535:1", { true, 0x7f000001, 0x0a00020f, 65535, 1 } },
		{ "tcp:0.0.0.0:22:22", { false, 0, 0x0a00020f, 22, 22 } },
		{ "tcp:22:10.0.2.20:23",
		  { false, 0x7f000001, 0x0a000214, 22, 23 } },
		{ "udp:192.168.1.2:5353:10.0.2.15:53",
		  { true, 0xc0a80102, 0x0a00020f, 5353, 53 } },
	};
	struct net_user_forward f;
	struct error err = { 0 };
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(net_forward_parse(good[i].text, &f, &err), 0);
		assert_int_equal(f.udp, good[i].want.udp);
		assert_int_equal(f.host_addr, good[i].want.host_addr);
		assert_int_equal(f.guest_addr, good[i].want.guest_addr);
		assert_int_equal(f.host_port, good[i].want.host_port);
		assert_int_equal(f.guest_port, good[i].want.guest_port);
	}
}

static void what_is_no_forward_is_told_why(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "tcp|udp:[ADDRESS:]PORT:[ADDRESS:]PORT is expected, as "
		      "tcp:8080:80" },
		{ "8080:80", "is expected, as tcp:8080:80" },
		{ "tcp:80", "is expected, as tcp:8080:80" },
		{ "sctp:80:80", "is expected, as tcp:8080:80" },
		{ "TCP:80:80", "is expected, as tcp:8080:80" },
		{ "tcp:1.2.3.4:80:10.0.2.15:80:80", "is expected" },
		{ "tcp:0:80", "port '0': 1 to 65535 is expected" },
		{ "tcp:80:65536", "port '65536': 1 to 65535 is expected" },
		{ "tcp::80", "port '': 1 to 65535 is expected" },
		{ "tcp:80:", "port '': 1 to 65535 is expected" },
		{ "tcp:+80:80", "port '+80'" },
		{ "tcp:80 :80", "port '80 '" },
		{ "tcp:0x50:80", "port '0x50'" },
		{ "tcp:000080:80", "port '000080'" },
		{ "tcp:1.2.3:80:80", "'1.2.3' is no IPv4 address" },
		{ "tcp:localhost:80:80", "port 'localhost'" },
		{ "tcp:80:10.0.2.256:80", "'10.0.2.256' is no IPv4 address" },
		{ "tcp:1.2.3.4:80:80:80", "'80' is no IPv4 address" },
		{ "tcp:80:10.0.3.15:80", "one of 10.0.2.4 to 10.0.2.254" },
		{ "tcp:80:10.0.2.2:80", "one of 10.0.2.4 to 10.0.2.254" },
		{ "tcp:80:10.0.2.255:80", "one of 10.0.2.4 to 10.0.2.254" },
		{ "tcp:8080:80,udp:5353:53", "'8080' is no IPv4 address" },
	};
	struct net_user_forward f = { .host_port = 7 };
	struct error err = { 0 };
	char text[100] = "tcp:8080:";
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		err.text[0] = '\0';
		assert_int_equal(net_forward_parse(bad[i].text, &f, &err),
				 -EINVAL);
		if (!strstr(err.text, bad[i].why))
			assert_string_equal(err.text, bad[i].why);
	}
	memset(text + 9, '8', 80);
	assert_int_equal(net_forward_parse(text, &f, &err), -EINVAL);
	assert_int_equal(f.host_port, 7);
}

/* ---- the setter ----------------------------------------------------------- */

static void what_is_wrong_with_the_struct_is_said(void **state)
{
	struct trapmap_net n = TRAPMAP_NET_INIT;
	const char *forward[TRAPMAP_NET_FORWARDS_MAX + 1] = { "tcp:1:1" };

	n.size = 3;
	refused(&n, "struct trapmap_net: wrong size");
	n.size = sizeof(n);
	n.kind = (enum trapmap_net_kind)2;
	refused(&n, "struct trapmap_net: there is no such kind");
	n.kind = TRAPMAP_NET_USER;
	n.vhost = 1;
	refused(&n, "struct trapmap_net: vhost is a tap's");
	n.vhost = 0;
	n.queues = 2;
	refused(&n, "struct trapmap_net: a user network has one queue");
	n.queues = 17;
	refused(&n, "struct trapmap_net: queues: 1 to 16 are expected");
	n.queues = 0;
	n.forward = forward;
	n.forwards = TRAPMAP_NET_FORWARDS_MAX + 1;
	refused(&n, "struct trapmap_net: more than 64 forwards");
	n.kind = TRAPMAP_NET_TAP;
	n.forwards = 1;
	refused(&n, "struct trapmap_net: forwards are a user network's");
	n.forwards = 0;
	n.offline = 1;
	refused(&n, "struct trapmap_net: offline is a user network's");
	n.offline = 0;
	n.tap = "";
	refused(&n, "struct trapmap_net: the interface's name is empty");
	n.tap = NULL;
	n.queues = 2;
	refused(&n, "struct trapmap_net: a tap by its descriptor has one queue");
	n.queues = 0;
	assert_int_equal(trapmap_vm_add_net(vm, &n), -EBADF);
	assert_error("tap 'file descriptor -1': Bad file descriptor");
	vm->state = VM_RUNNING;
	assert_int_equal(trapmap_vm_add_net(vm, &n), -EBUSY);
	vm->state = VM_CONFIGURED;
}

static void a_port_of_the_host_leads_to_one_place(void **state)
{
	const char *twice[] = { "tcp:8080:80", "udp:8080:80", "tcp:8080:81" };
	const char *any[] = { "tcp:0.0.0.0:8080:80" };
	const char *elsewhere[] = { "tcp:127.0.0.2:8080:80" };
	struct trapmap_net n = TRAPMAP_NET_INIT;

	n.forward = twice;
	n.forwards = 3;
	refused(&n, "forward 'tcp:8080:81': the host's port leads elsewhere "
		    "already, by 'tcp:8080:80'");
	n.forwards = 2;
	assert_int_equal(trapmap_vm_add_net(vm, &n), 0);
	/* Another network of the VM's cannot have it either. */
	n.forward = any;
	n.forwards = 1;
	refused(&n, "forward 'tcp:0.0.0.0:8080:80': the host's port leads "
		    "elsewhere already, by 'tcp:8080:80'");
	n.forward = elsewhere;
	assert_int_equal(trapmap_vm_add_net(vm, &n), 0);
	n.forward = twice + 1;
	n.offline = 1;
	refused(&n, "forward 'udp:8080:80': offline only tcp can be forwarded; "
		    "no answer of udp would leave");
}

static void each_network_has_an_address_of_its_own(void **state)
{
	struct trapmap_net n = TRAPMAP_NET_INIT;

	n.mac = "52:54:00:00:00:01";
	assert_int_equal(trapmap_vm_add_net(vm, &n), 0);
	refused(&n, "mac '52:54:00:00:00:01' is given twice");
	n.mac = "53:54:00:00:00:01";
	refused(&n, "mac '53:54:00:00:00:01': a multicast address; the first "
		    "byte has to be even");
	n.mac = NULL;
	assert_int_equal(trapmap_vm_add_net(vm, &n), 0);
	assert_string_equal(vm->config.attached[1]->name, "user network");
}

/* ---- the start ------------------------------------------------------------ */

static int open_device(unsigned n, struct virtio_device **ret_vd)
{
	static const struct gmem no_ram;
	const struct attach_site site = { .ram = &no_ram,
					  .cpus = 4,
					  .loop = &fl.loop };
	struct attachment *at = vm->config.attached[n];

	return at->ops->device(at, &site, ret_vd, &vm->error);
}

static int try_net(struct trapmap_net *n)
{
	struct virtio_device *vd = NULL;
	unsigned last;
	int r;

	n->size = sizeof(*n);
	r = trapmap_vm_add_net(vm, n);
	assert_int_equal(r, 0);
	last = vm->config.machine.attached_count - 1;
	r = open_device(last, &vd);
	virtio_free(vd);
	attach_free(vm->config.attached[last]);
	vm->config.machine.attached_count = last;
	return r;
}

static void a_user_network_becomes_a_device(void **state)
{
	struct trapmap_net n = TRAPMAP_NET_INIT;
	struct virtio_device *vd = NULL;
	uint8_t mac[6];

	n.mac = "52:54:00:01:02:03";
	assert_int_equal(trapmap_vm_add_net(vm, &n), 0);
	if (open_device(0, &vd) == -ENOSYS)
		skip();
	assert_int_equal(vd->ops->id, 1);
	vd->ops->config_read(vd, 0, mac, sizeof(mac));
	assert_memory_equal(mac, "\x52\x54\x00\x01\x02\x03", 6);
	virtio_free(vd);
}

static void a_taken_port_is_named(void **state)
{
	struct trapmap_net n = TRAPMAP_NET_INIT;
	unsigned port = 0;
	int fd = host_socket(SOCK_STREAM, 0, &port);
	const char *forward[1];
	char text[32], want[200];

	snprintf(text, sizeof(text), "tcp:%u:80", port);
	forward[0] = text;
	n.forward = forward;
	n.forwards = 1;
	if (try_net(&n) == -ENOSYS)
		skip();
	assert_int_equal(vm->error.status, ERROR_INPUT);
	snprintf(want, sizeof(want),
		 "user network: forward '%s': port %u: Address already in use; "
		 "another program has it",
		 text, port);
	assert_error(want);
	close(fd);
	assert_int_equal(try_net(&n), 0);
}

static void what_is_no_tap_is_refused_with_a_reason(void **state)
{
	struct trapmap_net n = { .kind = TRAPMAP_NET_TAP, .fd = -1 };

	n.tap = "nowhere0";
	assert_int_equal(try_net(&n), -ENODEV);
	assert_int_equal(vm->error.status, ERROR_INPUT);
	assert_error("tap 'nowhere0': there is no such interface; as root: ip "
		     "tuntap add nowhere0 mode tap user NAME, and ip link set "
		     "nowhere0 up");
	n.tap = "a-name-of-16byte";
	assert_int_equal(try_net(&n), -ENAMETOOLONG);
	assert_error("tap 'a-name-of-16byte': the name of an interface has 1 to "
		     "15 bytes");
	n.tap = NULL;
	n.fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_int_equal(try_net(&n), -ENOTTY);
	assert_non_null(strstr(vm->error.text,
			       "is no tap; an open /dev/net/tun with an "
			       "interface of IFF_TAP was expected"));
	close(n.fd);
	n.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(try_net(&n), -EBADF);
	assert_non_null(strstr(vm->error.text,
			       "is not open for reading and writing"));
	close(n.fd);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_mac_is_six_bytes_of_one_receiver),
		T(a_mac_that_is_made_is_local_and_another_each_time),
		T(a_forward_names_two_places),
		T(what_is_no_forward_is_told_why),
		T(what_is_wrong_with_the_struct_is_said),
		T(a_port_of_the_host_leads_to_one_place),
		T(each_network_has_an_address_of_its_own),
		T(a_user_network_becomes_a_device),
		T(a_taken_port_is_named),
		T(what_is_no_tap_is_refused_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
