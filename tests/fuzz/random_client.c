/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random VNC clients against a server: messages that are valid and some that are not, cut anywhere,
 * over one connection after the other, which end in any way. What is sent depends on the seed
 * alone.
 *
 *   random_client PORT SEED MESSAGES [THREADS]
 *
 * Prints what it did. Exit code 1: the server hung, or could not be reached.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/wire.h"

#define PATIENCE_MS 120000 /* for a server under sanitizers on a busy machine to say a word */
#define BATCH       16384  /* bytes that are sent together at most */

/* What happened, of a thread or of all. */
struct tally {
	uint64_t messages;    /* sent */
	uint64_t obeyed;      /* of these: the server read to the end what it was sent */
	uint64_t connections; /* made */
	uint64_t refused;     /* of these: the server closed before its ServerInit */
	uint64_t nonsense;    /* of these: something invalid was sent */
	uint64_t closed;      /* of these: the server closed it while there was more to be sent */
	uint64_t received;    /* bytes */
};

struct client {
	uint16_t port;
	uint64_t wanted; /* messages */
	GRand *random;
	struct tally tally;
	/* The connection. */
	int fd;
	bool over, lazy; /* the server has closed; it is not read from */
	bool greeting;   /* what the server says is looked at */
	GByteArray *out;
};

static volatile gint failed;

static int number(struct client *client, int below)
{
	return g_rand_int_range(client->random, 0, below);
}

static bool one_in(struct client *client, int n)
{
	return !number(client, n);
}

/* The messages (RFC 6143 section 7.5 and the community's rfbproto). */

static void put(struct client *client, const void *bytes, size_t size)
{
	g_byte_array_append(client->out, bytes, (guint)size);
}

static void put8(struct client *client, int value)
{
	uint8_t byte = (uint8_t)value;

	put(client, &byte, 1);
}

static void put16(struct client *client, int value)
{
	uint8_t bytes[2];

	wire_put_u16(bytes, (uint32_t)value);
	put(client, bytes, 2);
}

static void put32(struct client *client, uint32_t value)
{
	uint8_t bytes[4];

	wire_put_u32(bytes, value);
	put(client, bytes, 4);
}

static void put_noise(struct client *client, int size)
{
	while (size-- > 0)
		put8(client, number(client, 256));
}

static void offer(struct client *client, int32_t encoding)
{
	put8(client, 2);
	put8(client, 0);
	put16(client, 2);
	put32(client, 0);
	put32(client, (uint32_t)encoding);
}

static void say_format(struct client *client)
{
	static const uint8_t formats[][20] = {
		{0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0},
		{0, 0, 0, 0, 32, 24, 1, 1, 0, 255, 0, 255, 0, 255, 24, 16, 8},
		{0, 0, 0, 0, 16, 16, 1, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0},
		{0, 0, 0, 0, 8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 0, 3, 6},
		{0, 0, 0, 0, 8, 8, 0, 0},
	};

	put(client, formats[number(client, G_N_ELEMENTS(formats))], 20);
}

static void say_encodings(struct client *client)
{
	static const int32_t known[] = {
		0,    1,    2,    4,    5,    6,    7,    9,    16,   17,   -23,
		-27,  -32,  -223, -224, -232, -239, -240, -247, -256, -258, -260,
		-261, -307, -308, -312, -313, -314, -316, -412, -512, -763, (int32_t)0xc0a1e5ce};
	int count = number(client, 24);

	put8(client, 2);
	put8(client, 0);
	put16(client, count);
	while (count--)
		put32(client, one_in(client, 20)
				      ? g_rand_int(client->random)
				      : (uint32_t)known[number(client, G_N_ELEMENTS(known))]);
}

static void say_request(struct client *client)
{
	put8(client, 3);
	put8(client, !one_in(client, 10));
	for (int i = 0; i < 4; i++)
		put16(client, number(client, one_in(client, 10) ? 65536 : 700));
}

static void say_key(struct client *client)
{
	put8(client, 4);
	put8(client, number(client, 2));
	put16(client, 0);
	put32(client, (uint32_t)number(client, 0x10000));
}

static void say_extended_key(struct client *client)
{
	offer(client, -258);
	put8(client, 255);
	put8(client, 0);
	put16(client, number(client, 2));
	put32(client, (uint32_t)number(client, 0x10000));
	put32(client, (uint32_t)number(client, 256));
}

static void say_pointer(struct client *client)
{
	put8(client, 5);
	put8(client, number(client, 128));
	put16(client, number(client, 800));
	put16(client, number(client, 600));
}

static void say_text(struct client *client)
{
	int length = number(client, one_in(client, 50) ? 5000 : 40);

	put8(client, 6);
	put8(client, 0);
	put16(client, 0);
	put32(client, (uint32_t)length);
	put_noise(client, length);
}

static void say_extended_text(struct client *client)
{
	int length = number(client, 60);

	offer(client, (int32_t)0xc0a1e5ce);
	put8(client, 6);
	put8(client, 0);
	put16(client, 0);
	put32(client, (uint32_t) - (length + 4));
	put32(client, 1u << (24 + number(client, 5)) | (uint32_t)number(client, 4));
	put_noise(client, length);
}

static void say_continuous(struct client *client)
{
	offer(client, -313);
	put8(client, 150);
	put8(client, number(client, 2));
	for (int i = 0; i < 4; i++)
		put16(client, number(client, 700));
}

static void say_fence(struct client *client)
{
	int length = number(client, 65);

	offer(client, -312);
	put8(client, 248);
	put8(client, 0);
	put16(client, 0);
	put32(client, g_rand_int(client->random));
	put8(client, length);
	put_noise(client, length);
}

static void say_size(struct client *client)
{
	int screens = number(client, 4), width = number(client, 900), height = number(client, 700);

	offer(client, -308);
	put8(client, 251);
	put8(client, 0);
	put16(client, width);
	put16(client, height);
	put8(client, screens);
	put8(client, 0);
	while (screens--) {
		put32(client, (uint32_t)screens);
		put32(client, 0);
		put16(client, width);
		put16(client, height);
		put32(client, 0);
	}
}

/* Some need an offer before them, which is a message, too. */
static void say_something(struct client *client)
{
	static const struct {
		void (*say)(struct client *client);
		int weight, messages;
	} kinds[] = {
		{say_key, 300, 1},         {say_extended_key, 100, 2}, {say_pointer, 300, 1},
		{say_request, 100, 1},     {say_text, 30, 1},          {say_format, 5, 1},
		{say_encodings, 10, 1},    {say_fence, 20, 2},         {say_continuous, 5, 2},
		{say_extended_text, 5, 2}, {say_size, 2, 2},
	};
	int all = 0, chosen;
	size_t kind = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
		all += kinds[i].weight;
	chosen = number(client, all);
	while ((chosen -= kinds[kind].weight) >= 0)
		kind++;
	kinds[kind].say(client);
	client->tally.messages += (uint64_t)kinds[kind].messages;
}

/* Something that no server can take, or that has no end. */
static void say_nonsense(struct client *client)
{
	switch (number(client, 6)) {
	case 0:
		put_noise(client, 1 + number(client, 300));
		break;
	case 1: /* a text that never comes */
		put32(client, 6u << 24);
		put32(client, g_rand_int(client->random));
		break;
	case 2: /* a format that cannot be */
		put32(client, 0);
		put_noise(client, 16);
		break;
	case 3: /* a fence that is too large */
		offer(client, -312);
		put32(client, 248u << 24);
		put32(client, 0);
		put8(client, 65 + number(client, 190));
		break;
	case 4: /* more encodings than it says */
		put32(client, 2u << 24 | 0xffffu);
		put_noise(client, number(client, 5000));
		break;
	default: /* the half of a message */
		say_size(client);
		g_byte_array_set_size(client->out, client->out->len - 5);
	}
}

/* The connection. */

static void take(struct client *client)
{
	uint8_t waste[65536];
	ssize_t n;

	if (client->greeting || client->lazy)
		return;
	while ((n = recv(client->fd, waste, sizeof(waste), MSG_DONTWAIT)) > 0)
		client->tally.received += (uint64_t)n;
	if (!n || (errno != EAGAIN && errno != EINTR))
		client->over = true;
}

static bool await(struct client *client, short events)
{
	struct pollfd poller = {.fd = client->fd, .events = events};

	if (poll(&poller, 1, PATIENCE_MS) == 1)
		return true;
	fprintf(stderr, "random_client: the server hangs (connection %" G_GUINT64_FORMAT ")\n",
		client->tally.connections);
	g_atomic_int_set(&failed, 1);
	client->over = true;
	return false;
}

/* Sends what is to be said, in pieces of any size. Who is lazy gives up when nothing goes. */
static void send_all(struct client *client)
{
	const uint8_t *bytes = client->out->data;
	size_t left = client->out->len;
	bool small = one_in(client, 8);

	while (left && !client->over) {
		size_t most = small ? 1 + (size_t)number(client, 9) : left;
		ssize_t n = send(client->fd, bytes, MIN(most, left), MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			bytes += n;
			left -= (size_t)n;
		} else if (errno != EAGAIN || client->lazy) {
			client->over = true;
		} else if (await(client, client->greeting ? POLLOUT : POLLIN | POLLOUT)) {
			take(client);
		}
	}
	g_byte_array_set_size(client->out, 0);
	if (!client->over)
		take(client);
}

/* Exactly so many bytes. */
static bool hear(struct client *client, uint8_t *bytes, size_t size)
{
	while (size && !client->over) {
		ssize_t n = recv(client->fd, bytes, size, MSG_DONTWAIT);

		if (n > 0) {
			client->tally.received += (uint64_t)n;
			bytes += n;
			size -= (size_t)n;
		} else if (!n || errno != EAGAIN) {
			client->over = true;
		} else {
			await(client, POLLIN);
		}
	}
	return !size;
}

/* Up to ServerInit; or the server says no, or is told nonsense. */
static bool greet(struct client *client)
{
	static const char *const versions[] = {"RFB 003.008\n", "RFB 003.007\n", "RFB 003.003\n"};
	int version = one_in(client, 4) ? number(client, 3) : 0;
	uint8_t bytes[256];

	if (!hear(client, bytes, 12))
		return false;
	if (one_in(client, 20)) {
		put_noise(client, number(client, 30));
		send_all(client);
		client->tally.nonsense++;
		return false;
	}
	put(client, versions[version], 12);
	if (version < 2)
		put8(client, 1);
	put8(client, 1);
	send_all(client);
	/* Types, or the one; the result, but of 3.7. */
	if (version == 2 ? !hear(client, bytes, 4)
			 : !hear(client, bytes, 1) || !hear(client, bytes + 1, bytes[0]))
		return false;
	if (version == 0 && !hear(client, bytes, 4))
		return false;
	return hear(client, bytes, 24) && hear(client, bytes, wire_u32(bytes + 20) & 0xff);
}

static bool dial(struct client *client)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(client->port)};
	int one = 1;

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	client->over = client->lazy = false;
	client->tally.connections++;
	g_byte_array_set_size(client->out, 0);
	if (client->fd >= 0 && !connect(client->fd, (struct sockaddr *)&name, sizeof(name)))
		return !setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fprintf(stderr, "random_client: cannot connect to port %u: %s\n", client->port,
		strerror(errno));
	g_atomic_int_set(&failed, 1);
	return false;
}

/* Ends it: in order, which takes what the server still says, or in the middle, or with a reset. */
static bool end(struct client *client)
{
	static const struct linger reset = {1, 0};
	bool in_order = !client->over && !client->lazy && !one_in(client, 4);

	if (in_order)
		shutdown(client->fd, SHUT_WR);
	while (in_order && !client->over && await(client, POLLIN))
		take(client);
	if (!in_order && one_in(client, 2))
		setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(client->fd);
	return in_order;
}

static void talk(struct client *client)
{
	int messages = 1 + number(client, one_in(client, 10) ? 20000 : 1000);
	uint64_t before = client->tally.messages;
	bool sane = true;

	client->lazy = one_in(client, 30);
	while (client->tally.messages - before < (uint64_t)messages && !client->over) {
		say_something(client);
		if (one_in(client, 2000)) {
			say_nonsense(client);
			sane = false;
		}
		if (client->out->len > BATCH || one_in(client, 50))
			send_all(client);
		if (!sane)
			break;
	}
	send_all(client);
	client->tally.nonsense += !sane;
	client->tally.closed += sane && client->over && !client->lazy;
	if (end(client) && sane)
		client->tally.obeyed += client->tally.messages - before;
}

static gpointer run(gpointer data)
{
	struct client *client = data;
	bool greeted;

	client->out = g_byte_array_new();
	while (client->tally.messages < client->wanted && !g_atomic_int_get(&failed)) {
		if (!dial(client))
			break;
		client->greeting = true;
		greeted = greet(client);
		client->greeting = false;
		if (greeted) {
			talk(client);
		} else {
			client->tally.refused++;
			end(client);
		}
	}
	g_byte_array_unref(client->out);
	return NULL;
}

static void add(struct tally *to, const struct tally *tally)
{
	to->messages += tally->messages;
	to->obeyed += tally->obeyed;
	to->connections += tally->connections;
	to->refused += tally->refused;
	to->nonsense += tally->nonsense;
	to->closed += tally->closed;
	to->received += tally->received;
}

int main(int argc, char **argv)
{
	unsigned int threads = argc > 4 ? (unsigned int)atoi(argv[4]) : 8;
	struct client *clients = g_new0(struct client, threads);
	GThread **running = g_new0(GThread *, threads);
	struct tally all = {0};
	uint32_t seed;

	if (argc < 4 || !threads) {
		fprintf(stderr, "Usage: random_client PORT SEED MESSAGES [THREADS]\n");
		return 2;
	}
	seed = (uint32_t)strtoul(argv[2], NULL, 10);
	for (unsigned int i = 0; i < threads; i++) {
		clients[i].port = (uint16_t)atoi(argv[1]);
		clients[i].wanted = (strtoull(argv[3], NULL, 10) + threads - 1) / threads;
		clients[i].random = g_rand_new_with_seed(seed + i);
		running[i] = g_thread_new("client", run, &clients[i]);
	}
	for (unsigned int i = 0; i < threads; i++) {
		g_thread_join(running[i]);
		g_rand_free(clients[i].random);
		add(&all, &clients[i].tally);
	}
	printf("seed %u messages %" G_GUINT64_FORMAT " obeyed %" G_GUINT64_FORMAT
	       " connections %" G_GUINT64_FORMAT " refused %" G_GUINT64_FORMAT
	       " nonsense %" G_GUINT64_FORMAT " closed %" G_GUINT64_FORMAT
	       " received %" G_GUINT64_FORMAT "\n",
	       seed, all.messages, all.obeyed, all.connections, all.refused, all.nonsense,
	       all.closed, all.received);
	g_free(clients);
	g_free(running);
	return g_atomic_int_get(&failed);
}
