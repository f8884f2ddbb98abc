/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "log.h"

#define LOOPBACK      "127.0.0.1"
#define DISPLAY_PORT  5900u
#define DISPLAY_COUNT 100u
#define SOCKET_MODE   0600u
#define HOST_LENGTH   253u /* RFC 1035, a name in text */

#define HOW "write HOST:PORT, PORT, unix:PATH or fd:N"

/* Digits only: no sign, no space, nothing that strtoul() would let pass. */
static bool parse_number(const char *text, uint32_t maximum, uint32_t *number)
{
	uint64_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (!g_ascii_isdigit(*text))
			return false;
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > maximum)
			return false;
	}
	*number = (uint32_t)value;
	return true;
}

/* `bare`: a number alone, which does not say whether it is a port or a display. */
static int parse_port(const char *spec, const char *text, bool bare, uint16_t *port, GError **error)
{
	uint32_t number;

	if (!strcmp(text, "auto")) {
		*port = ADDRESS_PORT_AUTO;
		return 0;
	}
	if (!*text)
		return fail(error, EXIT_USAGE, EINVAL, "%s: the port is missing (%s)", spec, HOW);
	if (!parse_number(text, UINT16_MAX, &number))
		return fail(error, EXIT_USAGE, EINVAL,
			    "%s: \"%s\" is not a port (a number up to 65535, or auto)", spec, text);
	if (number >= DISPLAY_COUNT) {
		*port = (uint16_t)number;
		return 0;
	}
	if (bare)
		return fail(error, EXIT_USAGE, EINVAL,
			    "%s: a port or a display? (write :%u for display %u, port %u)", spec,
			    number, number, DISPLAY_PORT + number);
	*port = (uint16_t)(DISPLAY_PORT + number);
	return 0;
}

/* Three or four octal digits of permissions. */
static bool parse_mode(const char *text, unsigned int *mode)
{
	size_t length = strlen(text);

	if (length < 3 || length > 4 || (length == 4 && *text != '0') ||
	    strspn(text, "01234567") != length)
		return false;
	*mode = (unsigned int)strtoul(text, NULL, 8);
	return true;
}

static int parse_setting(const char *spec, const char *key, const char *value,
			 struct address *address, GError **error)
{
	char **owner = !strcmp(key, "user")    ? &address->user
		       : !strcmp(key, "group") ? &address->group
					       : NULL;

	if (!strcmp(key, "mode")) {
		if (parse_mode(value, &address->mode))
			return 0;
		return fail(error, EXIT_USAGE, EINVAL,
			    "%s: \"%s\" is no mode of a file (write mode=0660)", spec, value);
	}
	if (!owner)
		return fail(error, EXIT_USAGE, EINVAL,
			    "%s: a socket has no \"%s\" (only mode=, user= and group=)", spec, key);
	if (!*value)
		return fail(error, EXIT_USAGE, EINVAL, "%s: the name is missing (write %s=NAME)",
			    spec, key);
	g_free(*owner);
	*owner = g_strdup(value);
	return 0;
}

/* Takes ",KEY=VALUE" off the end of a path for as long as there is one. */
static int parse_settings(const char *spec, char *path, struct address *address, GError **error)
{
	char *comma;
	int r = 0;

	while (!r && (comma = strrchr(path, ','))) {
		size_t length = strspn(comma + 1, "abcdefghijklmnopqrstuvwxyz");
		char *equals = comma + 1 + length;

		if (!length || *equals != '=' || strchr(comma, '/'))
			break;
		*comma = *equals = '\0';
		r = parse_setting(spec, comma + 1, equals + 1, address, error);
	}
	return r;
}

static int parse_unix(const char *spec, struct address *address, GError **error)
{
	size_t room = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
	const char *path;
	int r;

	address->kind = ADDRESS_UNIX;
	address->mode = SOCKET_MODE;
	address->path = g_strdup(spec + strlen("unix:"));
	r = parse_settings(spec, address->path, address, error);
	if (r < 0)
		return r;
	path = address->path;
	if (!*path)
		return fail(error, EXIT_USAGE, EINVAL, "%s: the path is missing (%s)", spec, HOW);
	if (strlen(path) > room)
		return fail(error, EXIT_USAGE, EINVAL,
			    "%s: the path is longer than a socket allows (at most %zu characters)",
			    spec, room);
	return 0;
}

static int parse_fd(const char *spec, const char *text, struct address *address, GError **error)
{
	uint32_t number;

	if (!parse_number(text, INT32_MAX, &number))
		return fail(error, EXIT_USAGE, EINVAL,
			    "%s: \"%s\" is not a descriptor (write fd:N)", spec, text);
	address->kind = ADDRESS_FD;
	address->fd = (int)number;
	return 0;
}

static bool is_host(const char *host, size_t length, bool bracketed)
{
	for (size_t i = 0; i < length; i++) {
		char c = host[i];

		if (g_ascii_isalnum(c) || c == '.' || c == '-' || c == '_')
			continue;
		if (bracketed && (c == ':' || c == '%'))
			continue;
		return false;
	}
	return length > 0 && length <= HOST_LENGTH;
}

static int parse_tcp(const char *spec, struct address *address, GError **error)
{
	const char *host = spec, *colon = strrchr(spec, ':'), *bracket = strchr(spec, ']');
	bool bracketed = spec[0] == '[';
	size_t length;

	address->kind = ADDRESS_TCP;
	if (!colon) {
		if (bracketed || (!g_ascii_isdigit(*spec) && strcmp(spec, "auto")))
			return fail(error, EXIT_USAGE, EINVAL, "%s: the port is missing (%s)", spec,
				    HOW);
		address->host = g_strdup(LOOPBACK);
		return parse_port(spec, spec, true, &address->port, error);
	}
	if (colon == spec) {
		address->host = g_strdup(LOOPBACK);
		return parse_port(spec, colon + 1, false, &address->port, error);
	}
	length = (size_t)(colon - spec);
	if (bracketed) {
		if (!bracket || bracket > colon)
			return fail(error, EXIT_USAGE, EINVAL,
				    bracket ? "%s: the port is missing (write [HOST]:PORT)"
					    : "%s: \"]\" is missing (write [HOST]:PORT)",
				    spec);
		host++;
		length = (size_t)(bracket - host);
	}
	if (!bracketed && memchr(host, ':', length))
		return fail(error, EXIT_USAGE, EINVAL,
			    "%s: an IPv6 address needs brackets (write [::1]:5900)", spec);
	if (length == 1 && *host == '*')
		return fail(error, EXIT_USAGE, EINVAL,
			    "%s: all interfaces are 0.0.0.0 or [::] (write 0.0.0.0%s)", spec,
			    colon);
	if ((bracketed && bracket + 1 != colon) || !is_host(host, length, bracketed))
		return fail(error, EXIT_USAGE, EINVAL, "%s: \"%.*s\" is not a host (%s)", spec,
			    (int)(colon - spec), spec, HOW);
	address->host = g_strndup(host, length);
	return parse_port(spec, colon + 1, false, &address->port, error);
}

int address_parse(const char *spec, struct address *address, GError **error)
{
	int r;

	*address = (struct address){.fd = -1};
	if (!*spec)
		r = fail(error, EXIT_USAGE, EINVAL, "the address is empty (%s)", HOW);
	else if (g_str_has_prefix(spec, "unix:"))
		r = parse_unix(spec, address, error);
	else if (g_str_has_prefix(spec, "fd:"))
		r = parse_fd(spec, spec + strlen("fd:"), address, error);
	else
		r = parse_tcp(spec, address, error);
	if (r < 0)
		address_finish(address);
	return r;
}

void address_finish(struct address *address)
{
	g_free(address->host);
	g_free(address->path);
	g_free(address->user);
	g_free(address->group);
	*address = (struct address){.fd = -1};
}

bool address_is_local(const struct sockaddr *name)
{
	const struct sockaddr_in *v4 = (const void *)name;
	const struct sockaddr_in6 *v6 = (const void *)name;

	switch (name->sa_family) {
	case AF_UNIX:
		return true;
	case AF_INET:
		return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	case AF_INET6:
		if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
			return v6->sin6_addr.s6_addr[12] == 127;
		return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
	default:
		return false;
	}
}

static char *format_unix(const struct sockaddr *name, socklen_t length)
{
	const struct sockaddr_un *un = (const void *)name;
	size_t header = offsetof(struct sockaddr_un, sun_path);

	if (length <= header)
		return g_strdup("unix:");
	if (!un->sun_path[0])
		return g_strdup_printf("unix:@%.*s", (int)(length - header - 1), un->sun_path + 1);
	return g_strdup_printf("unix:%.*s", (int)(length - header), un->sun_path);
}

static char *format(const struct sockaddr *name, socklen_t length, bool port)
{
	char host[NI_MAXHOST], service[NI_MAXSERV];
	bool v6 = name->sa_family == AF_INET6;

	if (name->sa_family == AF_UNIX)
		return format_unix(name, length);
	if (getnameinfo(name, length, host, sizeof(host), service, sizeof(service),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return g_strdup("unknown");
	if (!port)
		return g_strdup(host);
	return g_strdup_printf(v6 ? "[%s]:%s" : "%s:%s", host, service);
}

char *address_format(const struct sockaddr *name, socklen_t length)
{
	return format(name, length, true);
}

char *address_format_host(const struct sockaddr *name, socklen_t length)
{
	struct sockaddr_in6 network;

	if (name->sa_family != AF_INET6 || length < sizeof(network) || address_is_local(name))
		return format(name, length, false);
	memcpy(&network, name, sizeof(network));
	if (!IN6_IS_ADDR_V4MAPPED(&network.sin6_addr) && !IN6_IS_ADDR_LINKLOCAL(&network.sin6_addr))
		memset(network.sin6_addr.s6_addr + 8, 0, 8);
	return format((struct sockaddr *)&network, sizeof(network), false);
}
