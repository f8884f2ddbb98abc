/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "log.h"
#include "unit.h"

static void test_address_accepts_each_form(void **state)
{
	static const struct {
		const char *spec;
		enum address_kind kind;
		const char *host;
		uint16_t port;
		const char *path;
		int fd;
	} cases[] = {
		{"5900", ADDRESS_TCP, "127.0.0.1", 5900, NULL, -1},
		{"100", ADDRESS_TCP, "127.0.0.1", 100, NULL, -1},
		{"65535", ADDRESS_TCP, "127.0.0.1", 65535, NULL, -1},
		{"auto", ADDRESS_TCP, "127.0.0.1", ADDRESS_PORT_AUTO, NULL, -1},
		{":5901", ADDRESS_TCP, "127.0.0.1", 5901, NULL, -1},
		{":auto", ADDRESS_TCP, "127.0.0.1", ADDRESS_PORT_AUTO, NULL, -1},
		{":0", ADDRESS_TCP, "127.0.0.1", 5900, NULL, -1},
		{":1", ADDRESS_TCP, "127.0.0.1", 5901, NULL, -1},
		{":99", ADDRESS_TCP, "127.0.0.1", 5999, NULL, -1},
		{":100", ADDRESS_TCP, "127.0.0.1", 100, NULL, -1},
		{"127.0.0.1:0", ADDRESS_TCP, "127.0.0.1", 5900, NULL, -1},
		{"127.0.0.1:auto", ADDRESS_TCP, "127.0.0.1", ADDRESS_PORT_AUTO, NULL, -1},
		{"0.0.0.0:5900", ADDRESS_TCP, "0.0.0.0", 5900, NULL, -1},
		{"localhost:7", ADDRESS_TCP, "localhost", 5907, NULL, -1},
		{"my-host.example_1.org:443", ADDRESS_TCP, "my-host.example_1.org", 443, NULL, -1},
		{"[::1]:5900", ADDRESS_TCP, "::1", 5900, NULL, -1},
		{"[::]:2", ADDRESS_TCP, "::", 5902, NULL, -1},
		{"[fe80::1%eth0]:auto", ADDRESS_TCP, "fe80::1%eth0", ADDRESS_PORT_AUTO, NULL, -1},
		{"[127.0.0.1]:5900", ADDRESS_TCP, "127.0.0.1", 5900, NULL, -1},
		{"unix:/run/vnc.sock", ADDRESS_UNIX, NULL, 0, "/run/vnc.sock", -1},
		{"unix:here", ADDRESS_UNIX, NULL, 0, "here", -1},
		{"unix:/a:5900", ADDRESS_UNIX, NULL, 0, "/a:5900", -1},
		{"unix:/a,b", ADDRESS_UNIX, NULL, 0, "/a,b", -1},
		{"unix:/a,mode=0660/b", ADDRESS_UNIX, NULL, 0, "/a,mode=0660/b", -1},
		{"unix:/a,=", ADDRESS_UNIX, NULL, 0, "/a,=", -1},
		{"fd:3", ADDRESS_FD, NULL, 0, NULL, 3},
		{"fd:0", ADDRESS_FD, NULL, 0, NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct address address;
		GError *error = NULL;

		if (address_parse(cases[i].spec, &address, &error))
			fail_msg("%s: %s", cases[i].spec, error->message);
		assert_int_equal(address.kind, cases[i].kind);
		assert_true(!g_strcmp0(address.host, cases[i].host));
		assert_int_equal(address.port, cases[i].port);
		assert_true(!g_strcmp0(address.path, cases[i].path));
		assert_int_equal(address.fd, cases[i].fd);
		address_finish(&address);
	}
}

static void test_address_says_whose_a_socket_is(void **state)
{
	static const struct {
		const char *spec;
		unsigned int mode;
		const char *user, *group;
	} cases[] = {
		{"unix:/run/a", 0600, NULL, NULL},
		{"unix:/run/a,mode=0660", 0660, NULL, NULL},
		{"unix:/run/a,mode=666,group=kvm", 0666, NULL, "kvm"},
		{"unix:/run/a,user=root,mode=0777,group=12", 0777, "root", "12"},
		{"unix:/run/a,user=first,user=second", 0600, "first", NULL},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct address address;

		assert_int_equal(address_parse(cases[i].spec, &address, NULL), 0);
		assert_string_equal(address.path, "/run/a");
		assert_int_equal(address.mode, cases[i].mode);
		assert_true(!g_strcmp0(address.user, cases[i].user));
		assert_true(!g_strcmp0(address.group, cases[i].group));
		address_finish(&address);
	}
}

#define HOW "(write HOST:PORT, PORT, unix:PATH or fd:N)"

static void test_address_refuses_with_one_line(void **state)
{
	static const struct {
		const char *spec, *message;
	} cases[] = {
		{"", "the address is empty " HOW},
		{"0", "0: a port or a display? (write :0 for display 0, port 5900)"},
		{"1", "1: a port or a display? (write :1 for display 1, port 5901)"},
		{"99", "99: a port or a display? (write :99 for display 99, port 5999)"},
		{"65536", "65536: \"65536\" is not a port (a number up to 65535, or auto)"},
		{":65536", ":65536: \"65536\" is not a port (a number up to 65535, or auto)"},
		{":-1", ":-1: \"-1\" is not a port (a number up to 65535, or auto)"},
		{":+1", ":+1: \"+1\" is not a port (a number up to 65535, or auto)"},
		{": 1", ": 1: \" 1\" is not a port (a number up to 65535, or auto)"},
		{":59x", ":59x: \"59x\" is not a port (a number up to 65535, or auto)"},
		{":18446744073709551617",
		 ":18446744073709551617: \"18446744073709551617\" is not a port (a number up to "
		 "65535, or auto)"},
		{":", ":: the port is missing " HOW},
		{"localhost", "localhost: the port is missing " HOW},
		{"localhost:", "localhost:: the port is missing " HOW},
		{"10.0.0.1",
		 "10.0.0.1: \"10.0.0.1\" is not a port (a number up to 65535, or auto)"},
		{"::1:5900", "::1:5900: an IPv6 address needs brackets (write [::1]:5900)"},
		{"::", "::: an IPv6 address needs brackets (write [::1]:5900)"},
		{"[::1]", "[::1]: the port is missing (write [HOST]:PORT)"},
		{"[::1", "[::1: \"]\" is missing (write [HOST]:PORT)"},
		{"[]:5900", "[]:5900: \"[]\" is not a host " HOW},
		{"[::1]x:5900", "[::1]x:5900: \"[::1]x\" is not a host " HOW},
		{"*:5900", "*:5900: all interfaces are 0.0.0.0 or [::] (write 0.0.0.0:5900)"},
		{"a b:5900", "a b:5900: \"a b\" is not a host " HOW},
		{"a/b:5900", "a/b:5900: \"a/b\" is not a host " HOW},
		{"unix:", "unix:: the path is missing " HOW},
		{"unix:,mode=0660", "unix:,mode=0660: the path is missing " HOW},
		{"unix:/a,mode=", "unix:/a,mode=: \"\" is no mode of a file (write mode=0660)"},
		{"unix:/a,mode=1777",
		 "unix:/a,mode=1777: \"1777\" is no mode of a file (write mode=0660)"},
		{"unix:/a,mode=068",
		 "unix:/a,mode=068: \"068\" is no mode of a file (write mode=0660)"},
		{"unix:/a,group=", "unix:/a,group=: the name is missing (write group=NAME)"},
		{"unix:/a,moed=660,group=kvm",
		 "unix:/a,moed=660,group=kvm: a socket has no \"moed\" (only mode=, user= and group=)"},
		{"fd:", "fd:: \"\" is not a descriptor (write fd:N)"},
		{"fd:-1", "fd:-1: \"-1\" is not a descriptor (write fd:N)"},
		{"fd:3x", "fd:3x: \"3x\" is not a descriptor (write fd:N)"},
		{"fd:99999999999",
		 "fd:99999999999: \"99999999999\" is not a descriptor (write fd:N)"},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct address address;
		GError *error = NULL;

		if (address_parse(cases[i].spec, &address, &error) != -EINVAL)
			fail_msg("%s was accepted", cases[i].spec);
		assert_string_equal(error->message, cases[i].message);
		assert_int_equal(error->code, EXIT_USAGE);
		assert_null(address.host);
		assert_null(address.path);
		g_error_free(error);
	}
}

static void test_address_refuses_a_path_too_long(void **state)
{
	char spec[5 + 108 + 1] = "unix:";
	struct address address;
	GError *error = NULL;

	(void)state;
	memset(spec + 5, 'a', 107);
	assert_int_equal(address_parse(spec, &address, NULL), 0);
	address_finish(&address);
	spec[5 + 107] = 'a';
	assert_int_equal(address_parse(spec, &address, &error), -EINVAL);
	assert_non_null(strstr(error->message, "at most 107 characters"));
	g_error_free(error);
}

static void test_address_knows_what_is_local(void **state)
{
	static const struct {
		const char *host;
		bool local;
	} cases[] = {
		{"127.0.0.1", true},
		{"127.255.0.9", true},
		{"0.0.0.0", false},
		{"128.0.0.1", false},
		{"10.0.0.1", false},
		{"::1", true},
		{"::", false},
		{"fe80::1", false},
		{"::ffff:127.0.0.1", true},
		{"::ffff:1.2.3.4", false},
	};
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct sockaddr_in v4 = {.sin_family = AF_INET};
		struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
		struct sockaddr *name = (struct sockaddr *)&v6;

		if (inet_pton(AF_INET, cases[i].host, &v4.sin_addr))
			name = (struct sockaddr *)&v4;
		else
			assert_int_equal(inet_pton(AF_INET6, cases[i].host, &v6.sin6_addr), 1);
		assert_int_equal(address_is_local(name), cases[i].local);
	}
	assert_true(address_is_local((struct sockaddr *)&un));
}

static void test_address_formats_what_it_parses(void **state)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(5900)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(5901)};
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/run/x"};
	char *text;

	(void)state;
	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	v6.sin6_addr = in6addr_loopback;
	text = address_format((struct sockaddr *)&v4, sizeof(v4));
	assert_string_equal(text, "127.0.0.1:5900");
	g_free(text);
	text = address_format((struct sockaddr *)&v6, sizeof(v6));
	assert_string_equal(text, "[::1]:5901");
	g_free(text);
	text = address_format_host((struct sockaddr *)&v6, sizeof(v6));
	assert_string_equal(text, "::1");
	g_free(text);
	text = address_format((struct sockaddr *)&un, sizeof(un));
	assert_string_equal(text, "unix:/run/x");
	g_free(text);
	text = address_format((struct sockaddr *)&un, sizeof(sa_family_t));
	assert_string_equal(text, "unix:");
	g_free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address_accepts_each_form),
		cmocka_unit_test(test_address_says_whose_a_socket_is),
		cmocka_unit_test(test_address_refuses_with_one_line),
		cmocka_unit_test(test_address_refuses_a_path_too_long),
		cmocka_unit_test(test_address_knows_what_is_local),
		cmocka_unit_test(test_address_formats_what_it_parses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
