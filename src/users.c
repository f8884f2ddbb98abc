/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "users.h"

#include <crypt.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "log.h"
#include "secret.h"

G_STATIC_ASSERT(USERS_PASSWORD < CRYPT_MAX_PASSPHRASE_SIZE);

#define HASH_TAIL 43 /* behind the last "$", of every kind that is taken */

struct user {
	char *name, *hash;
	bool view_only;
};

struct users {
	GArray *list;    /* of struct user */
	guint8 salt[32]; /* what strangers are counted by: a digest of the file */
	enum password_verdict (*check)(void *data, const char *name, const char *password);
	void *data; /* of check, which there is instead of the list */
};

static void user_clear(gpointer data)
{
	struct user *user = data;

	g_free(user->name);
	secret_free(user->hash);
}

static const struct user *find(const struct users *users, const char *name)
{
	for (guint i = 0; i < users->list->len; i++) {
		const struct user *user = &g_array_index(users->list, struct user, i);

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
static const char *fault(const struct users *users, char *const *fields)
{
	guint count = g_strv_length((char **)fields);
	const char *tail;

	if (count < 2 || count > 3)
		return "not NAME:HASH or NAME:HASH:view-only";
	if (!is_name(fields[0]))
		return "not a name";
	if (find(users, fields[0]))
		return "this user has a line already";
	if (count == 3 && strcmp(fields[2], "view-only"))
		return "after the hash only \"view-only\" is known";
	/* A word may look like a hash of the oldest kind, and both are quickly guessed. */
	if (strlen(fields[1]) >= CRYPT_OUTPUT_SIZE || crypt_checksalt(fields[1]) != CRYPT_SALT_OK)
		return "not a hash, or of an old kind (`mkpasswd -m yescrypt` prints one)";
	tail = strrchr(fields[1], '$');
	return tail && strlen(tail + 1) >= HASH_TAIL ? NULL : "the hash is cut off";
}

static int take_line(struct users *users, const char *name, guint number, const char *line,
		     GError **error)
{
	char **fields;
	const char *wrong;

	if (!*line || *line == '#')
		return 0;
	fields = g_strsplit(line, ":", 4);
	wrong = fault(users, fields);
	if (!wrong) {
		struct user user = {fields[0], fields[1], fields[2] != NULL};

		g_array_append_val(users->list, user);
		g_free(fields[2]);
		g_free(fields);
		return 0;
	}
	for (char **field = fields; *field; field++)
		explicit_bzero(*field, strlen(*field));
	g_strfreev(fields);
	return fail(error, EXIT_FAILED, EINVAL, "%s: line %u: %s", name, number, wrong);
}

/* Cuts the text into lines. */
static int parse(struct users *users, const char *name, char *text, GError **error)
{
	int r = 0;

	for (guint number = 1; text && !r; number++) {
		char *line = text, *end = strchr(line, '\n');

		text = end ? end + 1 : NULL;
		if (end)
			*end = 0;
		g_strchomp(line);
		r = take_line(users, name, number, line, error);
	}
	if (!r && !users->list->len)
		r = fail(error, EXIT_FAILED, EINVAL, "%s: no users (a line is NAME:HASH)", name);
	return r;
}

static void digest(const char *text, guint8 *salt, gsize size)
{
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);

	g_checksum_update(sum, (const guchar *)text, -1);
	g_checksum_get_digest(sum, salt, &size);
	g_checksum_free(sum);
}

int users_load(const char *name, struct users **result, GError **error)
{
	struct users *users;
	char *text;
	size_t length;
	int r = secret_read(name, &text, error);

	if (r)
		return r;
	length = strlen(text);
	users = g_new0(struct users, 1);
	users->list = g_array_new(FALSE, FALSE, sizeof(struct user));
	g_array_set_clear_func(users->list, user_clear);
	digest(text, users->salt, sizeof(users->salt));
	r = parse(users, name, text, error);
	explicit_bzero(text, length);
	secret_free(text);
	if (r)
		users_free(users);
	else
		*result = users;
	return r;
}

struct users *users_ask(enum password_verdict (*check)(void *data, const char *name,
						       const char *password),
			void *data)
{
	struct users *users = g_new0(struct users, 1);

	users->check = check;
	users->data = data;
	return users;
}

void users_free(struct users *users)
{
	if (!users)
		return;
	if (users->list)
		g_array_unref(users->list);
	explicit_bzero(users->salt, sizeof(users->salt));
	g_free(users);
}

/*
 * Whose hash a stranger's password is held against: always the same user's for the same name, which
 * only who has the file can tell. So the time that a name takes never tells whether it is there.
 */
static const struct user *stand_in(const struct users *users, const char *name)
{
	GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA256, users->salt, sizeof(users->salt));
	guint32 number[8];
	gsize size = sizeof(number);

	g_hmac_update(hmac, (const guchar *)name, -1);
	g_hmac_get_digest(hmac, (guint8 *)number, &size);
	g_hmac_unref(hmac);
	return &g_array_index(users->list, struct user, number[0] % users->list->len);
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

static enum password_verdict check_list(const struct users *users, const char *name,
					const char *password)
{
	const struct user *user = find(users, name);
	bool good = fits(password, (user ? user : stand_in(users, name))->hash);

	if (!user || !good)
		return PASSWORD_WRONG;
	return user->view_only ? PASSWORD_VIEW : PASSWORD_FULL;
}

enum password_verdict users_check(const struct users *users, const char *name, const char *password)
{
	if (!users->check)
		return check_list(users, name, password);
	return is_name(name) ? users->check(users->data, name, password) : PASSWORD_WRONG;
}
