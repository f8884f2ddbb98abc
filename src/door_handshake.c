/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "door_handshake.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>

#define VERSION        "RFB 003.008\n"
#define VERSION_LENGTH 12
#define WASTE_LIMIT    65536 /* bytes read from a refused peer before it is cut off */
#define READ_AT_ONCE   16    /* steps in one turn: nobody holds the thread by sending fast */

/* What it takes to get in. */
enum proof {
	PROOF_NONE,
	PROOF_PASSWORD,
	PROOF_USER,
};

/*
 * A security type: begin() runs when it is chosen, sends what it has to and waits for the answer
 * with a step of its own; the last one sends the result and waits for ClientInit.
 */
struct security {
	uint32_t type;
	const char *name;
	enum proof proof; /* VeNCrypt: its sub-types say */
	enum handshake_step (*begin)(struct handshake *handshake);
};

static enum handshake_step none_begin(struct handshake *handshake);
static enum handshake_step password_begin(struct handshake *handshake);
static enum handshake_step plain_begin(struct handshake *handshake);
static enum handshake_step vencrypt_begin(struct handshake *handshake);

#define VENCRYPT 19

/* Viewers that have no preference take the first that they know. */
static const struct security security_types[] = {
	{VENCRYPT, "tls", PROOF_NONE, vencrypt_begin},
	{1, "none", PROOF_NONE, none_begin},
	{2, "password", PROOF_PASSWORD, password_begin},
};

#define VENCRYPT_PLAIN 256

/* VeNCrypt's sub-types X509Plain, X509Vnc, X509None, and Plain, which brings no TLS. */
static const struct security vencrypt_types[] = {
	{262, "tls plain", PROOF_USER, plain_begin},
	{261, "tls password", PROOF_PASSWORD, password_begin},
	{260, "tls", PROOF_NONE, none_begin},
	{VENCRYPT_PLAIN, "tls plain", PROOF_USER, plain_begin},
};

static enum handshake_step failed(struct handshake *handshake, const char *reason)
{
	handshake->reason = reason;
	return HANDSHAKE_FAILED;
}

static enum handshake_step wait_for(struct handshake *handshake, size_t want,
				    enum handshake_step (*received)(struct handshake *))
{
	handshake->have = 0;
	handshake->want = want;
	handshake->received = received;
	return HANDSHAKE_MORE;
}

/* All or nothing: the send buffer of a new connection holds a handshake many times over. */
static bool send_all(struct handshake *handshake, const void *data, size_t length)
{
	ssize_t n = send(handshake->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);

	return n >= 0 && (size_t)n == length;
}

static enum handshake_step wasted(struct handshake *handshake)
{
	handshake->wasted += handshake->have;
	if (handshake->wasted > WASTE_LIMIT)
		return failed(handshake, handshake->reason);
	wait_for(handshake, HANDSHAKE_BUFFER, wasted);
	return HANDSHAKE_REFUSED;
}

/*
 * No security types, in the width of the version, or a failed SecurityResult; then the reason, for
 * which 3.7 has no room after a result.
 */
static enum handshake_step refuse(struct handshake *handshake, const char *reason, bool result)
{
	uint8_t message[512];
	size_t length = strlen(reason), n = 0;

	handshake->reason = reason;
	if (result || handshake->minor == 3) {
		memcpy(message, (const uint8_t[]){0, 0, 0, result}, 4);
		n = 4;
	} else {
		message[n++] = 0;
	}
	if (!result || handshake->minor >= 8) {
		uint32_t wire;

		length = MIN(length, sizeof(message) - n - 4);
		wire = GUINT32_TO_BE((uint32_t)length);
		memcpy(message + n, &wire, 4);
		memcpy(message + n + 4, reason, length);
		n += 4 + length;
	}
	if (!send_all(handshake, message, n) || shutdown(handshake->fd, SHUT_WR))
		return failed(handshake, reason);
	handshake->have = 0;
	return wasted(handshake);
}

static enum handshake_step client_init_received(struct handshake *handshake)
{
	(void)handshake; /* the shared flag: planecast never disconnects others for a newcomer */
	return HANDSHAKE_DONE;
}

/* Only 3.8 tells the result of None (RFC 6143 section 7.2.1), VeNCrypt always does. */
static enum handshake_step none_begin(struct handshake *handshake)
{
	static const uint8_t ok[4];

	if ((handshake->minor >= 8 || handshake->secured) && !send_all(handshake, ok, sizeof(ok)))
		return failed(handshake, "the connection broke");
	return wait_for(handshake, 1, client_init_received);
}

static const char *refusal(const struct handshake *handshake)
{
	const struct handshake_rules *rules = &handshake->rules;

	return rules->refusal ? rules->refusal(rules->data) : NULL;
}

static enum handshake_step judge(struct handshake *handshake, enum password_verdict verdict,
				 const char *wrong)
{
	const struct handshake_rules *rules = &handshake->rules;
	static const uint8_t ok[4];

	if (rules->proved)
		rules->proved(verdict != PASSWORD_WRONG, rules->data);
	if (verdict == PASSWORD_WRONG)
		return refuse(handshake, wrong, true);
	handshake->view_only = verdict == PASSWORD_VIEW;
	if (!send_all(handshake, ok, sizeof(ok)))
		return failed(handshake, "the connection broke");
	return wait_for(handshake, 1, client_init_received);
}

static enum handshake_step answer_received(struct handshake *handshake)
{
	const char *reason = refusal(handshake);

	/* Who has many connections gets no more tries by it. */
	if (reason)
		return refuse(handshake, reason, true);
	return judge(
		handshake,
		password_check(handshake->rules.passwords, handshake->challenge, handshake->buffer),
		"wrong password");
}

static enum handshake_step password_begin(struct handshake *handshake)
{
	if (!password_challenge(handshake->challenge))
		return failed(handshake, "there is no randomness for a challenge");
	if (!send_all(handshake, handshake->challenge, PASSWORD_CHALLENGE))
		return failed(handshake, "the connection broke");
	return wait_for(handshake, PASSWORD_CHALLENGE, answer_received);
}

/* Neither has a byte that ends a string. */
static enum handshake_step plain_received(struct handshake *handshake)
{
	const uint8_t *bytes = handshake->buffer;
	size_t length = handshake->name_length;

	memcpy(handshake->name, bytes, length);
	handshake->name[length] = 0;
	memcpy(handshake->key, bytes + length, handshake->want - length);
	handshake->key[handshake->want - length] = 0;
	if (memchr(bytes, 0, handshake->want))
		return handshake_refuse(handshake, "the name or the password is not text");
	return HANDSHAKE_CHECK;
}

static enum handshake_step plain_lengths_received(struct handshake *handshake)
{
	uint32_t lengths[2];

	memcpy(lengths, handshake->buffer, sizeof(lengths));
	lengths[0] = GUINT32_FROM_BE(lengths[0]);
	lengths[1] = GUINT32_FROM_BE(lengths[1]);
	if (!lengths[0])
		return refuse(handshake, "there is no user without a name", true);
	if (lengths[0] > USERS_NAME || lengths[1] > USERS_PASSWORD)
		return refuse(handshake, "the name or the password is too long", true);
	handshake->name_length = lengths[0];
	return wait_for(handshake, lengths[0] + lengths[1], plain_received);
}

static enum handshake_step plain_begin(struct handshake *handshake)
{
	return wait_for(handshake, 8, plain_lengths_received);
}

enum handshake_step handshake_judge(struct handshake *handshake, enum password_verdict verdict)
{
	handshake_finish(handshake);
	return judge(handshake, verdict, "wrong name or password");
}

enum handshake_step handshake_refuse(struct handshake *handshake, const char *reason)
{
	handshake_finish(handshake);
	return refuse(handshake, reason, true);
}

void handshake_finish(struct handshake *handshake)
{
	explicit_bzero(handshake->buffer, sizeof(handshake->buffer));
	explicit_bzero(handshake->key, sizeof(handshake->key));
}

/* As far as secrets go. */
static bool may_do(const struct handshake_rules *rules, const struct security *security)
{
	switch (security->proof) {
	case PROOF_NONE:
		return rules->open && !rules->passwords && !rules->users;
	case PROOF_PASSWORD:
		return rules->passwords;
	case PROOF_USER:
		return rules->users;
	}
	return false;
}

static bool may_do_in_vencrypt(const struct handshake_rules *rules, const struct security *subtype)
{
	bool safe = subtype->type == VENCRYPT_PLAIN ? rules->encrypted : rules->secure != NULL;

	return safe && may_do(rules, subtype);
}

static bool may_offer(const struct handshake_rules *rules, const struct security *security)
{
	bool any = false;

	if (security->type != VENCRYPT)
		return rules->plain && may_do(rules, security);
	for (size_t i = 0; i < G_N_ELEMENTS(vencrypt_types); i++)
		any |= may_do_in_vencrypt(rules, &vencrypt_types[i]);
	return any;
}

static enum handshake_step subtype_received(struct handshake *handshake)
{
	const struct security *chosen = NULL;
	uint8_t accepted;
	uint32_t wire;

	memcpy(&wire, handshake->buffer, 4);
	for (size_t i = 0; i < G_N_ELEMENTS(vencrypt_types); i++)
		if (vencrypt_types[i].type == GUINT32_FROM_BE(wire) &&
		    may_do_in_vencrypt(&handshake->rules, &vencrypt_types[i]))
			chosen = &vencrypt_types[i];
	if (chosen && chosen->type == VENCRYPT_PLAIN) {
		handshake->secured = true;
		handshake->security = chosen;
		return chosen->begin(handshake);
	}
	accepted = chosen != NULL;
	if (!send_all(handshake, &accepted, 1))
		return failed(handshake, "the connection broke");
	if (!chosen)
		return failed(handshake, "it chose a VeNCrypt type that was not offered");
	if (handshake->rules.secure(&handshake->fd, handshake->rules.data))
		return failed(handshake, "TLS cannot be started");
	handshake->secured = true;
	handshake->security = chosen;
	return chosen->begin(handshake);
}

/* The version is answered, then the sub-types are offered. */
static enum handshake_step vencrypt_version_received(struct handshake *handshake)
{
	uint8_t message[2 + 4 * G_N_ELEMENTS(vencrypt_types)] = {0};
	size_t length = 2;

	if (handshake->buffer[0] != 0 || handshake->buffer[1] != 2) {
		message[0] = 0xff;
		send_all(handshake, message, 1);
		return failed(handshake, "it does not speak VeNCrypt 0.2");
	}
	for (size_t i = 0; i < G_N_ELEMENTS(vencrypt_types); i++) {
		uint32_t wire = GUINT32_TO_BE(vencrypt_types[i].type);

		if (!may_do_in_vencrypt(&handshake->rules, &vencrypt_types[i]))
			continue;
		message[1]++;
		memcpy(message + length, &wire, 4);
		length += 4;
	}
	if (!send_all(handshake, message, length))
		return failed(handshake, "the connection broke");
	return wait_for(handshake, 4, subtype_received);
}

static enum handshake_step vencrypt_begin(struct handshake *handshake)
{
	static const uint8_t version[2] = {0, 2};

	if (!send_all(handshake, version, sizeof(version)))
		return failed(handshake, "the connection broke");
	return wait_for(handshake, sizeof(version), vencrypt_version_received);
}

static enum handshake_step type_received(struct handshake *handshake)
{
	for (size_t i = 0; i < G_N_ELEMENTS(security_types); i++) {
		const struct security *security = &security_types[i];

		if (security->type != handshake->buffer[0] ||
		    !may_offer(&handshake->rules, security))
			continue;
		handshake->security = security;
		return security->begin(handshake);
	}
	return refuse(handshake, "this security type was not offered", true);
}

/* Version 3.3: the server decides, the client is told. */
static enum handshake_step decide(struct handshake *handshake)
{
	for (size_t i = 0; i < G_N_ELEMENTS(security_types); i++) {
		const struct security *security = &security_types[i];
		uint32_t wire = GUINT32_TO_BE(security->type);

		if (security->type == VENCRYPT || !may_offer(&handshake->rules, security))
			continue;
		if (!send_all(handshake, &wire, 4))
			return failed(handshake, "the connection broke");
		handshake->security = security;
		return security->begin(handshake);
	}
	return refuse(handshake, "no security type is possible here", false);
}

static enum handshake_step offer(struct handshake *handshake)
{
	uint8_t message[1 + G_N_ELEMENTS(security_types)] = {0};

	for (size_t i = 0; i < G_N_ELEMENTS(security_types); i++)
		if (may_offer(&handshake->rules, &security_types[i]))
			message[1 + message[0]++] = (uint8_t)security_types[i].type;
	if (!message[0])
		return refuse(handshake, "no security type is possible here", false);
	if (!send_all(handshake, message, 1u + message[0]))
		return failed(handshake, "the connection broke");
	return wait_for(handshake, 1, type_received);
}

/*
 * "RFB xxx.yyy\n". Clients that announce another minor version know the messages of the highest
 * published one below it; those above 3 know 3.8 at least.
 */
static bool parse_version(const uint8_t *text, int *minor)
{
	int major = 0, number = 0;

	if (memcmp(text, "RFB ", 4) || text[7] != '.' || text[11] != '\n')
		return false;
	for (int i = 0; i < 3; i++) {
		if (!g_ascii_isdigit(text[4 + i]) || !g_ascii_isdigit(text[8 + i]))
			return false;
		major = major * 10 + text[4 + i] - '0';
		number = number * 10 + text[8 + i] - '0';
	}
	if (major < 3)
		return false;
	*minor = major > 3 || number >= 8 ? 8 : number == 7 ? 7 : 3;
	return true;
}

static enum handshake_step version_received(struct handshake *handshake)
{
	const char *reason;

	if (!parse_version(handshake->buffer, &handshake->minor))
		return failed(handshake, "it does not speak RFB 3");
	reason = refusal(handshake);
	if (reason)
		return refuse(handshake, reason, false);
	return handshake->minor == 3 ? decide(handshake) : offer(handshake);
}

enum handshake_step handshake_begin(struct handshake *handshake, int fd,
				    const struct handshake_rules *rules)
{
	*handshake = (struct handshake){.fd = fd, .rules = *rules};
	if (!send_all(handshake, VERSION, VERSION_LENGTH))
		return failed(handshake, NULL);
	return wait_for(handshake, VERSION_LENGTH, version_received);
}

enum handshake_step handshake_feed(struct handshake *handshake)
{
	for (int i = 0; i < READ_AT_ONCE; i++) {
		enum handshake_step step;
		ssize_t n = recv(handshake->fd, handshake->buffer + handshake->have,
				 handshake->want - handshake->have, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return HANDSHAKE_MORE;
		if (n <= 0)
			return failed(handshake, handshake->reason);
		handshake->have += (size_t)n;
		if (handshake->have < handshake->want)
			continue;
		step = handshake->received(handshake);
		if (step != HANDSHAKE_MORE)
			return step;
	}
	return HANDSHAKE_MORE;
}

const char *handshake_security(const struct handshake *handshake)
{
	return handshake->security->name;
}

const char *handshake_user(const struct handshake *handshake)
{
	return handshake->security->proof == PROOF_USER ? handshake->name : NULL;
}
