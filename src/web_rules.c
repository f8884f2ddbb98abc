/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "web_rules.h"

#include <gio/gio.h>
#include <string.h>

#define AUTHORITY_LENGTH 259u /* a name of 253 characters, a colon, a port */
#define PATH_LENGTH      255u

/* "name", "name:80", "192.0.2.1", "[::1]:80": the host without brackets, lower case; or NULL. */
static char *host_of(const char *authority)
{
	const char *end, *port;
	size_t length = strlen(authority);

	if (!length || length > AUTHORITY_LENGTH)
		return NULL;
	if (*authority == '[') {
		end = strchr(++authority, ']');
		if (!end ||
		    strspn(authority, "0123456789abcdefABCDEF:.") != (size_t)(end - authority))
			return NULL;
		port = end + 1;
	} else {
		end = authority + strcspn(authority, ":");
		port = end;
		for (const char *c = authority; c < end; c++)
			if (!g_ascii_isalnum(*c) && !strchr("-._", *c))
				return NULL;
	}
	if (end == authority)
		return NULL;
	if (*port == ':') {
		port++;
		port += strspn(port, "0123456789");
	}
	return *port ? NULL : g_ascii_strdown(authority, end - authority);
}

static bool is_loopback(const char *host)
{
	GInetAddress *address = g_inet_address_new_from_string(host);
	bool loopback = address && g_inet_address_get_is_loopback(address);

	g_clear_object(&address);
	return loopback || !strcmp(host, "localhost");
}

static bool is_same_address(const char *host, const char *own)
{
	GInetAddress *a = g_inet_address_new_from_string(host);
	GInetAddress *b = own ? g_inet_address_new_from_string(own) : NULL;
	bool same = a && b && g_inet_address_equal(a, b);

	g_clear_object(&a);
	g_clear_object(&b);
	return same;
}

static bool is_named(const struct web_rules *rules, const char *host)
{
	for (const char *const *name = rules->names; name && *name; name++)
		if (!g_ascii_strcasecmp(*name, host))
			return true;
	return false;
}

bool web_rules_take_host(const struct web_rules *rules, const char *host)
{
	char *name = host ? host_of(host) : NULL;
	bool good = name && (rules->any_host || is_loopback(name) || is_named(rules, name) ||
			     is_same_address(name, rules->address));

	g_free(name);
	return good;
}

bool web_rules_take_origin(const struct web_rules *rules, const char *host, const char *origin)
{
	const char *authority;
	char *name;
	bool good;

	if (!origin)
		return true;
	if (g_str_has_prefix(origin, "http://"))
		authority = origin + strlen("http://");
	else if (g_str_has_prefix(origin, "https://"))
		authority = origin + strlen("https://");
	else
		return false; /* "null", a file, an extension */
	name = host_of(authority);
	good = name && (is_named(rules, name) || (host && !g_ascii_strcasecmp(authority, host)));
	g_free(name);
	return good;
}

bool web_rules_take_path(const char *path)
{
	if (*path != '/' || strlen(path) > PATH_LENGTH)
		return false;
	for (; *path; path++) {
		if (*path == '/' && (path[1] == '.' || path[1] == '/'))
			return false;
		if (!g_ascii_isalnum(*path) && !strchr("/-._", *path))
			return false;
	}
	return true;
}
