/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "password.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <string.h>

#include "log.h"
#include "secret.h"

#define DES_BLOCK 8

/* Takes one line of *text; false if none is left. */
static bool next_line(const char **text, const char **line, size_t *length)
{
	if (!**text)
		return false;
	*line = *text;
	*length = strcspn(*text, "\n");
	*text += *length + ((*text)[*length] == '\n');
	if (*length && (*line)[*length - 1] == '\r')
		(*length)--;
	return true;
}

static void keep(const char *name, const char *line, size_t length, uint8_t *password)
{
	if (length > PASSWORD_LENGTH)
		log_warning("%s: of a VNC password only the first %d characters count", name,
			    PASSWORD_LENGTH);
	memset(password, 0, PASSWORD_LENGTH);
	memcpy(password, line, MIN(length, PASSWORD_LENGTH));
}

static int parse(struct passwords *passwords, const char *name, const char *text,
		 gboolean view_only, GError **error)
{
	const char *line;
	size_t length;

	if (!next_line(&text, &line, &length) || !length)
		return fail(error, EXIT_USAGE, EINVAL, "%s: no password in the first line", name);
	if (view_only) {
		keep(name, line, length, passwords->view);
		passwords->has_view = TRUE;
	} else {
		keep(name, line, length, passwords->full);
		passwords->has_full = TRUE;
		if (!next_line(&text, &line, &length))
			return 0;
		if (!length)
			return fail(error, EXIT_USAGE, EINVAL, "%s: the second line is empty",
				    name);
		keep(name, line, length, passwords->view);
		passwords->has_view = TRUE;
	}
	if (next_line(&text, &line, &length))
		return fail(error, EXIT_USAGE, EINVAL, "%s: more lines than passwords", name);
	if (passwords->has_full && passwords->has_view &&
	    secret_equal(passwords->full, passwords->view, PASSWORD_LENGTH))
		return fail(error, EXIT_USAGE, EINVAL,
			    "%s: the password for watching is the full one", name);
	return 0;
}

int password_load(struct passwords *passwords, const char *name, gboolean view_only, GError **error)
{
	char *text;
	int r = secret_read(name, &text, error);

	if (r)
		return r;
	r = parse(passwords, name, text, view_only, error);
	secret_free(text);
	return r;
}

gboolean password_challenge(uint8_t challenge[PASSWORD_CHALLENGE])
{
	return gnutls_rnd(GNUTLS_RND_NONCE, challenge, PASSWORD_CHALLENGE) == 0;
}

/* The protocol takes each byte of a key with its bits the other way round. */
static uint8_t mirrored(uint8_t byte)
{
	uint8_t out = 0;

	for (int bit = 0; bit < 8; bit++)
		out |= (uint8_t)((byte >> bit & 1) << (7 - bit));
	return out;
}

/* ECB is CBC of one block with nothing before it. */
static int encrypt_block(const uint8_t key[DES_BLOCK], uint8_t block[DES_BLOCK])
{
	uint8_t zero[DES_BLOCK] = {0}, secret[DES_BLOCK];
	gnutls_datum_t key_datum = {secret, DES_BLOCK}, iv = {zero, DES_BLOCK};
	gnutls_cipher_hd_t cipher;
	int r;

	memcpy(secret, key, DES_BLOCK);
	r = gnutls_cipher_init(&cipher, GNUTLS_CIPHER_DES_CBC, &key_datum, &iv);
	if (!r) {
		r = gnutls_cipher_encrypt(cipher, block, DES_BLOCK);
		gnutls_cipher_deinit(cipher);
	}
	explicit_bzero(secret, sizeof(secret));
	return r ? -EIO : 0;
}

int password_answer(const uint8_t password[PASSWORD_LENGTH],
		    const uint8_t challenge[PASSWORD_CHALLENGE], uint8_t answer[PASSWORD_CHALLENGE])
{
	uint8_t key[DES_BLOCK];
	int r = 0;

	for (int i = 0; i < DES_BLOCK; i++)
		key[i] = mirrored(password[i]);
	memcpy(answer, challenge, PASSWORD_CHALLENGE);
	for (int at = 0; at < PASSWORD_CHALLENGE && !r; at += DES_BLOCK)
		r = encrypt_block(key, answer + at);
	explicit_bzero(key, sizeof(key));
	return r;
}

/* Both are tried, whichever there are: the time tells nothing. */
enum password_verdict password_check(const struct passwords *passwords,
				     const uint8_t challenge[PASSWORD_CHALLENGE],
				     const uint8_t answer[PASSWORD_CHALLENGE])
{
	uint8_t full[PASSWORD_CHALLENGE], view[PASSWORD_CHALLENGE];
	bool is_full, is_view;

	if (password_answer(passwords->full, challenge, full) ||
	    password_answer(passwords->view, challenge, view))
		return PASSWORD_WRONG;
	is_full = secret_equal(full, answer, PASSWORD_CHALLENGE);
	is_view = secret_equal(view, answer, PASSWORD_CHALLENGE);
	if (is_full && passwords->has_full)
		return PASSWORD_FULL;
	return is_view && passwords->has_view ? PASSWORD_VIEW : PASSWORD_WRONG;
}
