/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "door_listener.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "address.h"
#include "log.h"

#define OWN_MODE      0600 /* until it is given away */
#define BACKLOG       128
#define AUTO_TRIES    16
#define LOCK_TRIES    50
#define LOCK_PAUSE_US 10000

void listener_free(void *data)
{
	struct listener *listener = data;
	struct stat now;

	if (listener->path && !lstat(listener->path, &now) && now.st_dev == listener->device &&
	    now.st_ino == listener->inode)
		unlink(listener->path);
	if (listener->fd >= 0)
		close(listener->fd);
	g_free(listener->path);
	g_free(listener->name);
	g_free(listener);
}

static struct listener *listener_new(int fd)
{
	struct listener *listener = g_new0(struct listener, 1);

	listener->fd = fd;
	return listener;
}

/* Fills in what the socket itself says about where it listens. */
static int name_it(struct listener *listener, const char *spec, GError **error)
{
	struct sockaddr_storage name;
	socklen_t length = sizeof(name);

	if (getsockname(listener->fd, (struct sockaddr *)&name, &length))
		return fail(error, EXIT_FAILED, errno, "%s: %s", spec, g_strerror(errno));
	listener->name = address_format((struct sockaddr *)&name, length);
	listener->local = address_is_local((struct sockaddr *)&name);
	return 0;
}

/* The one line for a bind() or listen() that failed. */
static int cannot_listen(const char *spec, int errnum, GError **error)
{
	switch (errnum) {
	case EADDRINUSE:
		return fail(error, EXIT_REFUSED, errnum,
			    "%s: in use by another process (choose another address)", spec);
	case EACCES:
	case EPERM:
		return fail(error, EXIT_REFUSED, errnum,
			    "%s: no permission to listen there (choose another address)", spec);
	case EADDRNOTAVAIL:
		return fail(error, EXIT_FAILED, errnum,
			    "%s: this machine has no such address (see `ip address`)", spec);
	default:
		return fail(error, EXIT_FAILED, errnum, "%s: cannot listen: %s", spec,
			    g_strerror(errnum));
	}
}

static int open_tcp(const struct addrinfo *info, in_port_t port, struct listener **listener)
{
	struct sockaddr_storage name;
	int one = 1, fd, r;

	memcpy(&name, info->ai_addr, info->ai_addrlen);
	if (info->ai_family == AF_INET6)
		((struct sockaddr_in6 *)&name)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)&name)->sin_port = htons(port);
	fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (info->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&name, info->ai_addrlen) || listen(fd, BACKLOG)) {
		r = -errno;
		close(fd);
		return r;
	}
	*listener = listener_new(fd);
	return 0;
}

static in_port_t bound_port(const struct listener *listener)
{
	struct sockaddr_storage name;
	socklen_t length = sizeof(name);

	if (getsockname(listener->fd, (struct sockaddr *)&name, &length))
		return 0;
	return ntohs(name.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&name)->sin6_port
						: ((struct sockaddr_in *)&name)->sin_port);
}

/* All addresses of a name on one port; with port 0 the first one picks it for the rest. */
static int open_all(const struct addrinfo *list, in_port_t port, GPtrArray *opened)
{
	for (const struct addrinfo *info = list; info; info = info->ai_next) {
		struct listener *listener = NULL;
		int r = open_tcp(info, port, &listener);

		/* A name like localhost has an IPv6 address on machines without IPv6, too. */
		if (r == -EAFNOSUPPORT || (r == -EADDRNOTAVAIL && (info->ai_next || opened->len)))
			continue;
		if (r < 0)
			return r;
		g_ptr_array_add(opened, listener);
		if (!port)
			port = bound_port(listener);
	}
	return opened->len ? 0 : -EADDRNOTAVAIL;
}

static int open_host(const char *spec, const struct address *address, GPtrArray *opened,
		     GError **error)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *list;
	int tries = address->port == ADDRESS_PORT_AUTO ? AUTO_TRIES : 1, r;

	r = getaddrinfo(address->host, NULL, &hints, &list);
	if (r)
		return fail(error, EXIT_USAGE, EINVAL,
			    "%s: cannot resolve \"%s\": %s (write an IP address)", spec,
			    address->host, gai_strerror(r));
	do {
		g_ptr_array_set_size(opened, 0);
		r = open_all(list, address->port, opened);
	} while (r == -EADDRINUSE && --tries);
	freeaddrinfo(list);
	return r < 0 ? cannot_listen(spec, -r, error) : 0;
}

/*
 * One starter at a time between "nobody listens there" and our own listen(): a lock on the folder,
 * which leaves no file behind. Without it (somebody else holds it, a foreign file system) we go on.
 */
static int lock_folder(const char *path)
{
	char *folder = g_path_get_dirname(path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	g_free(folder);
	for (int i = 0; fd >= 0 && i < LOCK_TRIES && flock(fd, LOCK_EX | LOCK_NB); i++)
		g_usleep(LOCK_PAUSE_US);
	return fd;
}

/* -EADDRINUSE if somebody listens on a socket file, 0 if nobody does. */
static int probe_unix(const struct sockaddr_un *name)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r = 0;

	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)name, sizeof(*name)) || errno != ECONNREFUSED)
		r = -EADDRINUSE;
	close(fd);
	return r;
}

static int bind_unix(int fd, const struct sockaddr_un *name)
{
	struct stat old;
	int r;

	if (!bind(fd, (const struct sockaddr *)name, sizeof(*name)))
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	if (lstat(name->sun_path, &old))
		return -errno;
	if (!S_ISSOCK(old.st_mode))
		return -EEXIST;
	r = probe_unix(name);
	if (r < 0)
		return r;
	if (unlink(name->sun_path) || bind(fd, (const struct sockaddr *)name, sizeof(*name)))
		return -errno;
	return 0;
}

/* The number that a name, or a number, stands for. */
static bool find_user(const char *name, uid_t *uid)
{
	const struct passwd *entry = getpwnam(name);
	guint64 number;

	if (!entry && !g_ascii_string_to_unsigned(name, 10, 0, UINT32_MAX - 1, &number, NULL))
		return false;
	*uid = entry ? entry->pw_uid : (uid_t)number;
	return true;
}

static bool find_group(const char *name, gid_t *gid)
{
	const struct group *entry = getgrnam(name);
	guint64 number;

	if (!entry && !g_ascii_string_to_unsigned(name, 10, 0, UINT32_MAX - 1, &number, NULL))
		return false;
	*gid = entry ? entry->gr_gid : (gid_t)number;
	return true;
}

static bool is_given_away(const struct address *address)
{
	return address->kind == ADDRESS_UNIX &&
	       (address->user || address->group || address->mode != OWN_MODE);
}

/* A socket that was just made, to whom it is for; only then it is open to others. */
static int give_away(const char *spec, const struct address *address, GError **error)
{
	uid_t uid = (uid_t)-1;
	gid_t gid = (gid_t)-1;

	if (address->user && !find_user(address->user, &uid))
		return fail(error, EXIT_USAGE, ENOENT, "%s: no such user", spec);
	if (address->group && !find_group(address->group, &gid))
		return fail(error, EXIT_USAGE, ENOENT, "%s: no such group", spec);
	if (!lchown(address->path, uid, gid) && !chmod(address->path, address->mode))
		return 0;
	if (errno == EPERM)
		return fail(
			error, EXIT_REFUSED, EPERM,
			"%s: no permission to give it away (to another user only root may, to a "
			"group who is in it)",
			spec);
	return fail(error, EXIT_FAILED, errno, "%s: cannot give it away: %s", spec,
		    g_strerror(errno));
}

static int open_unix(const char *spec, const struct address *address, GPtrArray *opened,
		     GError **error)
{
	const char *path = address->path;
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), folder, r;
	struct listener *listener;
	struct stat made;

	if (fd < 0)
		return fail(error, EXIT_FAILED, errno, "%s: %s", spec, g_strerror(errno));
	listener = listener_new(fd);
	g_strlcpy(name.sun_path, path, sizeof(name.sun_path));
	folder = lock_folder(path);
	/* bind() gives the file the mode of the socket itself, so it never is open wider. */
	r = fchmod(fd, OWN_MODE) ? -errno : bind_unix(fd, &name);
	if (!r) {
		listener->path = g_canonicalize_filename(path, NULL);
		if (lstat(path, &made)) {
			r = -errno;
		} else {
			listener->device = made.st_dev;
			listener->inode = made.st_ino;
			r = listen(fd, BACKLOG) ? -errno : 0;
		}
	}
	if (folder >= 0)
		close(folder);
	if (r == -EEXIST)
		r = fail(error, EXIT_REFUSED, EEXIST,
			 "%s: the file exists and is no socket (remove it or choose another path)",
			 spec);
	else if (r == -ENOENT)
		r = fail(error, EXIT_USAGE, ENOENT, "%s: the folder is missing (make it first)",
			 spec);
	else if (r < 0)
		r = cannot_listen(spec, -r, error);
	else if (is_given_away(address))
		r = give_away(spec, address, error);
	if (r < 0)
		listener_free(listener);
	else
		g_ptr_array_add(opened, listener);
	return r;
}

static int open_fd(const char *spec, int fd, GPtrArray *opened, GError **error)
{
	int listening = 0, type = 0, copy;
	socklen_t length = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) || !listening)
		return fail(error, EXIT_USAGE, EINVAL,
			    "%s: not a listening socket (systemd's first one is fd:3)", spec);
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) || type != SOCK_STREAM)
		return fail(error, EXIT_USAGE, EINVAL, "%s: not a stream socket", spec);
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0 || fcntl(copy, F_SETFL, fcntl(copy, F_GETFL) | O_NONBLOCK)) {
		int errnum = errno;

		if (copy >= 0)
			close(copy);
		return fail(error, EXIT_FAILED, errnum, "%s: %s", spec, g_strerror(errnum));
	}
	g_ptr_array_add(opened, listener_new(copy));
	return 0;
}

/* Until they are opened: ADDR to struct listener. Main's alone. */
static GHashTable *claims;

static struct listener *take_claim(const char *spec)
{
	gpointer key, listener;

	if (!claims || !g_hash_table_steal_extended(claims, spec, &key, &listener))
		return NULL;
	g_free(key);
	if (!g_hash_table_size(claims))
		listeners_drop_claims();
	return listener;
}

int listener_open(const char *spec, GPtrArray *listeners, GError **error)
{
	struct listener *claimed = take_claim(spec);
	GPtrArray *opened;
	struct address address;
	int r;

	if (claimed) {
		g_ptr_array_add(listeners, claimed);
		return 0;
	}
	opened = g_ptr_array_new_with_free_func(listener_free);
	r = address_parse(spec, &address, error);

	if (!r && address.kind == ADDRESS_TCP)
		r = open_host(spec, &address, opened, error);
	else if (!r && address.kind == ADDRESS_UNIX)
		r = open_unix(spec, &address, opened, error);
	else if (!r)
		r = open_fd(spec, address.fd, opened, error);
	address_finish(&address);
	for (guint i = 0; !r && i < opened->len; i++)
		r = name_it(opened->pdata[i], spec, error);
	if (!r) {
		g_ptr_array_set_free_func(opened, NULL);
		for (guint i = 0; i < opened->len; i++)
			g_ptr_array_add(listeners, opened->pdata[i]);
	}
	g_ptr_array_unref(opened);
	return r;
}

static int claim(const char *spec, GError **error)
{
	GPtrArray *opened = g_ptr_array_new();
	int r = listener_open(spec, opened, error);

	if (!r) {
		if (!claims)
			claims = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
						       listener_free);
		g_hash_table_insert(claims, g_strdup(spec), opened->pdata[0]);
	}
	g_ptr_array_unref(opened);
	return r;
}

int listeners_claim(char *const *specs, GError **error)
{
	int r = 0;

	for (; !r && specs && *specs; specs++) {
		struct address address;

		r = address_parse(*specs, &address, error);
		if (!r && is_given_away(&address))
			r = claim(*specs, error);
		address_finish(&address);
	}
	return r;
}

void listeners_drop_claims(void)
{
	if (claims)
		g_hash_table_unref(g_steal_pointer(&claims));
}

static bool may_open(const struct listener_rules *rules, const GPtrArray *listeners)
{
	bool local = true;

	for (guint i = 0; i < listeners->len; i++)
		local &= ((struct listener *)listeners->pdata[i])->local;
	return local || !rules->refusal;
}

bool listener_is_unix(const struct listener *listener)
{
	return listener->path || g_str_has_prefix(listener->name, "unix:");
}

/* What a user opens: 0.0.0.0 is no address to go to, this machine's name is. */
static void announce_url(const struct listener_rules *rules, const char *address)
{
	if (g_str_has_prefix(address, "0.0.0.0:") || g_str_has_prefix(address, "[::]:"))
		log_info("%s: open %s://%s%s/", rules->server, rules->scheme, g_get_host_name(),
			 strrchr(address, ':'));
	else
		log_info("%s: open %s://%s/", rules->server, rules->scheme, address);
}

static void announce(const struct listener_rules *rules, const struct listener *listener)
{
	if (!listener->local && rules->plain)
		log_warning("%s: %s is not encrypted%s: anybody on the way sees the screen",
			    rules->server, listener->name, rules->plain);
	if (rules->scheme && !listener_is_unix(listener))
		announce_url(rules, listener->name);
	else
		log_info("%s: listening on %s", rules->server, listener->name);
}

int listener_open_by(const struct listener_rules *rules, const char *spec, GPtrArray *listeners,
		     GError **error)
{
	GPtrArray *opened = g_ptr_array_new_with_free_func(listener_free);
	int r = listener_open(spec, opened, error);

	if (!r && !may_open(rules, opened))
		r = fail(error, EXIT_USAGE, EPERM,
			 "%s: open to the network, but %s, or listen on 127.0.0.1 or unix:PATH)",
			 spec, rules->refusal);
	if (!r)
		g_ptr_array_set_free_func(opened, NULL);
	for (guint i = 0; !r && i < opened->len; i++) {
		announce(rules, opened->pdata[i]);
		g_ptr_array_add(listeners, opened->pdata[i]);
	}
	g_ptr_array_unref(opened);
	return r;
}
