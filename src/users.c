/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "users.h"

#include <crypt.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "log.h"
#include "secret.h"
#include "stamp.h"

G_STATIC_ASSERT(USERS_PASSWORD < CRYPT_MAX_PASSPHRASE_SIZE);

#define HASH_TAIL 43 /* behind the last "$", of every kind that is taken */

struct user {
	char *name, *hash;
	bool view_only;
};

/* What a file said; counted by reference. */
struct list {
	GArray *users;   /* of struct user */
	guint8 salt[32]; /* what strangers are counted by: a digest of the file */
};

struct users {
	enum password_verdict (*check)(void *data, const char *name, const char *password);
	void *data; /* of check, which there is instead of all below */

	char *name, *path;    /* path: NULL for a descriptor, which is read once */
	pthread_mutex_t lock; /* of all below */
	struct stamp looked;
	struct list *list;
};

static void user_clear(gpointer data)
{
	struct user *user = data;

	g_free(user->name);
	secret_free(user->hash);
}

static const struct user *find(const struct list *list, const char *name)
{
	for (guint i = 0; i < list->users->len; i++) {
		const struct user *user = &g_array_index(list->users, struct user, i);

		if (!strcmp(user->name, name))
			return user;
	}
	return NULL;
}

static bool is_name(const char *name)
{
	size_t length = strlen(name);

	if (!length || length > USERS_NAME || !g_utf8_validate(name, -1, NULL))
		return false;
	for (; *name; name++)
		if (g_ascii_iscntrl(*name))
			return false;
	return true;
}

/* What is wrong with the fields of a line, or NULL. */
static const char *fault(const struct list *list, char *const *fields)
{
	guint count = g_strv_length((char **)fields);
	const char *tail;

	if (count < 2 || count > 3)
		return "not NAME:HASH or NAME:HASH:view-only";
	if (!is_name(fields[0]))
		return "not a name";
	if (find(list, fields[0]))
		return "this user has a line already";
	if (count == 3 && strcmp(fields[2], "view-only"))
		return "after the hash only \"view-only\" is known";
	/* A word may look like a hash of the oldest kind, and both are quickly guessed. */
	if (strlen(fields[1]) >= CRYPT_OUTPUT_SIZE || crypt_checksalt(fields[1]) != CRYPT_SALT_OK)
		return "not a hash, or of an old kind (`mkpasswd -m yescrypt` prints one)";
	tail = strrchr(fields[1], '$');
	return tail && strlen(tail + 1) >= HASH_TAIL ? NULL : "the hash is cut off";
}

static int take_line(struct list *list, const char *name, guint number, const char *line,
		     GError **error)
{
	char **fields;
	const char *wrong;

	if (!*line || *line == '#')
		return 0;
	fields = g_strsplit(line, ":", 4);
	wrong = fault(list, fields);
	if (!wrong) {
		struct user user = {fields[0], fields[1], fields[2] != NULL};

		g_array_append_val(list->users, user);
		g_free(fields[2]);
		g_free(fields);
		return 0;
	}
	for (char **field = fields; *field; field++)
		explicit_bzero(*field, strlen(*field));
	g_strfreev(fields);
	return fail(error, EXIT_USAGE, EINVAL, "%s: line %u: %s", name, number, wrong);
}

/* Cuts the text into lines. */
static int parse(struct list *list, const char *name, char *text, GError **error)
{
	int r = 0;

	for (guint number = 1; text && !r; number++) {
		char *line = text, *end = strchr(line, '\n');

		text = end ? end + 1 : NULL;
		if (end)
			*end = 0;
		g_strchomp(line);
		r = take_line(list, name, number, line, error);
	}
	if (!r && !list->users->len)
		r = fail(error, EXIT_USAGE, EINVAL, "%s: no users (a line is NAME:HASH)", name);
	return r;
}

static void digest(const char *text, guint8 *salt, gsize size)
{
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);

	g_checksum_update(sum, (const guchar *)text, -1);
	g_checksum_get_digest(sum, salt, &size);
	g_checksum_free(sum);
}

static void list_clear(gpointer data)
{
	struct list *list = data;

	g_array_unref(list->users);
	explicit_bzero(list->salt, sizeof(list->salt));
}

static void list_release(struct list *list)
{
	if (list)
		g_atomic_rc_box_release_full(list, list_clear);
}

static int load(const char *name, struct list **result, GError **error)
{
	struct list *list;
	char *text;
	size_t length;
	int r = secret_read(name, &text, error);

	if (r)
		return r;
	length = strlen(text);
	list = g_atomic_rc_box_new0(struct list);
	list->users = g_array_new(FALSE, FALSE, sizeof(struct user));
	g_array_set_clear_func(list->users, user_clear);
	digest(text, list->salt, sizeof(list->salt));
	r = parse(list, name, text, error);
	explicit_bzero(text, length);
	secret_free(text);
	if (r)
		list_release(list);
	else
		*result = list;
	return r;
}

int users_load(const char *name, struct users **result, GError **error)
{
	struct users *users = g_new0(struct users, 1);
	int r;

	users->name = g_strdup(name);
	users->path = secret_path(name);
	users->looked = stamp_of(users->path);
	pthread_mutex_init(&users->lock, NULL);
	r = load(name, &users->list, error);
	if (r)
		users_free(users);
	else
		*result = users;
	return r;
}

/* With the lock. */
static void look_again(struct users *users)
{
	struct stamp now = stamp_of(users->path);
	GError *error = NULL;
	struct list *list;

	if (stamp_is_same(&now, &users->looked))
		return;
	users->looked = now;
	if (load(users->name, &list, &error)) {
		log_warning("%s; the last one serves on", error->message);
		g_error_free(error);
		return;
	}
	list_release(users->list);
	users->list = list;
	log_info("%s: read again, users: %u", users->name, list->users->len);
}

static struct list *list_acquire(struct users *users)
{
	struct list *list;

	pthread_mutex_lock(&users->lock);
	look_again(users);
	list = g_atomic_rc_box_acquire(users->list);
	pthread_mutex_unlock(&users->lock);
	return list;
}

struct users *users_ask(enum password_verdict (*check)(void *data, const char *name,
						       const char *password),
			void *data)
{
	struct users *users = g_new0(struct users, 1);

	users->check = check;
	users->data = data;
	pthread_mutex_init(&users->lock, NULL);
	return users;
}

void users_free(struct users *users)
{
	if (!users)
		return;
	list_release(users->list);
	pthread_mutex_destroy(&users->lock);
	g_free(users->name);
	g_free(users->path);
	g_free(users);
}

/*
 * Whose hash a stranger's password is held against: always the same user's for the same name, which
 * only who has the file can tell. So the time that a name takes never tells whether it is there.
 */
static const struct user *stand_in(const struct list *list, const char *name)
{
	GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA256, list->salt, sizeof(list->salt));
	guint32 number[8];
	gsize size = sizeof(number);

	g_hmac_update(hmac, (const guchar *)name, -1);
	g_hmac_get_digest(hmac, (guint8 *)number, &size);
	g_hmac_unref(hmac);
	return &g_array_index(list->users, struct user, number[0] % list->users->len);
}

static bool fits(const char *password, const char *hash)
{
	struct crypt_data *data = g_new0(struct crypt_data, 1);
	const char *got = crypt_r(password, hash, data);
	size_t length = strlen(hash);
	bool same = got && strlen(got) == length && secret_equal(got, hash, length);

	explicit_bzero(data, sizeof(*data));
	g_free(data);
	return same;
}

static enum password_verdict check_list(const struct list *list, const char *name,
					const char *password)
{
	const struct user *user = find(list, name);
	bool good = fits(password, (user ? user : stand_in(list, name))->hash);

	if (!user || !good)
		return PASSWORD_WRONG;
	return user->view_only ? PASSWORD_VIEW : PASSWORD_FULL;
}

enum password_verdict users_check(struct users *users, const char *name, const char *password)
{
	enum password_verdict verdict;
	struct list *list;

	if (users->check)
		return is_name(name) ? users->check(users->data, name, password) : PASSWORD_WRONG;
	list = list_acquire(users);
	verdict = check_list(list, name, password);
	list_release(list);
	return verdict;
}
