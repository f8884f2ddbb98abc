/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's words: to a client that keeps to the protocol, and to one that does not. */
#include "agent_talk.h"

#include <string.h>

#include <spice/vd_agent.h>

#include "clipboard.h"
#include "unit.h"

#define HEAD (sizeof(VDIChunkHeader) + sizeof(VDAgentMessage))

struct stage {
	struct agent_talk *talk;
	GByteArray *in; /* what a client will say */
	char *copied;   /* the last text */
	unsigned int texts;
};

static void on_copied(GBytes *text, void *data)
{
	struct stage *stage = data;
	gsize length;
	const char *bytes = g_bytes_get_data(text, &length);

	g_free(stage->copied);
	stage->copied = g_strndup(length ? bytes : "", length);
	stage->texts++;
}

static int set_up(void **state)
{
	struct stage *stage = g_new0(struct stage, 1);

	stage->talk = agent_talk_create(true, on_copied, stage);
	stage->in = g_byte_array_new();
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	agent_talk_destroy(stage->talk);
	g_byte_array_unref(stage->in);
	g_free(stage->copied);
	g_free(stage);
	return 0;
}

static void add_word(struct stage *stage, uint32_t word)
{
	word = GUINT32_TO_LE(word);
	g_byte_array_append(stage->in, (const guint8 *)&word, sizeof(word));
}

static void add_chunk(struct stage *stage, uint32_t port, uint32_t size)
{
	add_word(stage, port);
	add_word(stage, size);
}

static void add_message(struct stage *stage, uint32_t protocol, uint32_t type, uint32_t size)
{
	add_word(stage, protocol);
	add_word(stage, type);
	add_word(stage, 0);
	add_word(stage, 0);
	add_word(stage, size);
}

/* A whole message of a word and a text, in one chunk. */
static void add(struct stage *stage, uint32_t type, uint32_t word, const char *text)
{
	uint32_t size = (uint32_t)(sizeof(word) + strlen(text));

	add_chunk(stage, VDP_CLIENT_PORT, (uint32_t)sizeof(VDAgentMessage) + size);
	add_message(stage, VD_AGENT_PROTOCOL, type, size);
	add_word(stage, word);
	g_byte_array_append(stage->in, (const guint8 *)text, (guint)strlen(text));
}

static void say(struct stage *stage)
{
	agent_talk_take(stage->talk, stage->in->data, stage->in->len);
	g_byte_array_set_size(stage->in, 0);
}

static uint32_t word_of(const uint8_t *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return GUINT32_FROM_LE(word);
}

/* The next message of one chunk: its type and first word; its data after that, with a NUL. */
static char *expect(struct stage *stage, uint32_t type, uint32_t word)
{
	uint8_t head[HEAD + sizeof(word)];
	uint32_t size;
	char *rest;

	assert_int_equal(agent_talk_give(stage->talk, head, sizeof(head)), sizeof(head));
	assert_int_equal(word_of(head), VDP_CLIENT_PORT);
	assert_int_equal(word_of(head + 8), VD_AGENT_PROTOCOL);
	assert_int_equal(word_of(head + 12), type);
	size = word_of(head + 24);
	assert_int_equal(word_of(head + 4), size + sizeof(VDAgentMessage));
	assert_int_equal(word_of(head + HEAD), word);
	size -= (uint32_t)sizeof(word);
	rest = g_malloc0(size + 1);
	assert_int_equal(agent_talk_give(stage->talk, (uint8_t *)rest, size), size);
	return rest;
}

static void expect_word(struct stage *stage, uint32_t type, uint32_t word)
{
	char *rest = expect(stage, type, word);

	assert_string_equal(rest, "");
	g_free(rest);
}

static void expect_nothing(struct stage *stage)
{
	uint8_t byte;

	assert_int_equal(agent_talk_give(stage->talk, &byte, 1), 0);
}

static void offer(struct stage *stage, const char *text)
{
	GBytes *bytes = g_bytes_new(text, strlen(text));

	agent_talk_offer(stage->talk, bytes);
	g_bytes_unref(bytes);
}

static void test_says_what_it_can(void **state)
{
	struct stage *stage = *state;
	char *rest;

	add(stage, VD_AGENT_ANNOUNCE_CAPABILITIES, 1, "");
	say(stage);
	rest = expect(stage, VD_AGENT_ANNOUNCE_CAPABILITIES, 0);
	assert_int_equal(word_of((const uint8_t *)rest),
			 1u << VD_AGENT_CAP_MONITORS_CONFIG |
				 1u << VD_AGENT_CAP_CLIPBOARD_BY_DEMAND |
				 1u << VD_AGENT_CAP_GUEST_LINEEND_LF);
	g_free(rest);
	expect_nothing(stage);
	/* Who does not ask is not told. */
	add(stage, VD_AGENT_ANNOUNCE_CAPABILITIES, 0, "");
	say(stage);
	expect_nothing(stage);
}

static void copy(struct stage *stage, const char *text)
{
	add(stage, VD_AGENT_CLIPBOARD_GRAB, VD_AGENT_CLIPBOARD_UTF8_TEXT, "");
	say(stage);
	expect_word(stage, VD_AGENT_CLIPBOARD_REQUEST, VD_AGENT_CLIPBOARD_UTF8_TEXT);
	add(stage, VD_AGENT_CLIPBOARD, VD_AGENT_CLIPBOARD_UTF8_TEXT, text);
	say(stage);
}

static void test_asks_for_what_a_client_copies(void **state)
{
	struct stage *stage = *state;

	copy(stage, "a text");
	assert_string_equal(stage->copied, "a text");
	copy(stage, "");
	assert_string_equal(stage->copied, "");
	assert_int_equal(stage->texts, 2);
	expect_nothing(stage);
}

static void test_takes_no_text_that_it_did_not_ask_for(void **state)
{
	struct stage *stage = *state;

	add(stage, VD_AGENT_CLIPBOARD, VD_AGENT_CLIPBOARD_UTF8_TEXT, "pushed");
	say(stage);
	copy(stage, "asked for");
	add(stage, VD_AGENT_CLIPBOARD, VD_AGENT_CLIPBOARD_UTF8_TEXT, "again");
	say(stage);
	assert_string_equal(stage->copied, "asked for");
	assert_int_equal(stage->texts, 1);
}

static void test_a_text_that_is_none(void **state)
{
	struct stage *stage = *state;

	copy(stage, "\xff\xfe");
	assert_int_equal(stage->texts, 0);
	copy(stage, "good");
	assert_string_equal(stage->copied, "good");
}

static void test_pictures_are_not_asked_for(void **state)
{
	struct stage *stage = *state;

	add(stage, VD_AGENT_CLIPBOARD_GRAB, VD_AGENT_CLIPBOARD_IMAGE_PNG, "");
	say(stage);
	expect_nothing(stage);
	/* One that is there as text, too, is; half a word is none. */
	add_chunk(stage, VDP_CLIENT_PORT, (uint32_t)sizeof(VDAgentMessage) + 10);
	add_message(stage, VD_AGENT_PROTOCOL, VD_AGENT_CLIPBOARD_GRAB, 10);
	add_word(stage, VD_AGENT_CLIPBOARD_IMAGE_PNG);
	add_word(stage, VD_AGENT_CLIPBOARD_UTF8_TEXT);
	g_byte_array_append(stage->in, (const guint8 *)"\1", 2);
	say(stage);
	expect_word(stage, VD_AGENT_CLIPBOARD_REQUEST, VD_AGENT_CLIPBOARD_UTF8_TEXT);
	expect_nothing(stage);
}

static void test_offers_what_others_copy(void **state)
{
	struct stage *stage = *state;
	char *rest;

	add(stage, VD_AGENT_CLIPBOARD_REQUEST, VD_AGENT_CLIPBOARD_UTF8_TEXT, "");
	say(stage);
	expect_word(stage, VD_AGENT_CLIPBOARD, VD_AGENT_CLIPBOARD_NONE);
	offer(stage, "from elsewhere");
	expect_word(stage, VD_AGENT_CLIPBOARD_GRAB, VD_AGENT_CLIPBOARD_UTF8_TEXT);
	for (int i = 0; i < 2; i++) {
		add(stage, VD_AGENT_CLIPBOARD_REQUEST, VD_AGENT_CLIPBOARD_UTF8_TEXT, "");
		say(stage);
		rest = expect(stage, VD_AGENT_CLIPBOARD, VD_AGENT_CLIPBOARD_UTF8_TEXT);
		assert_string_equal(rest, "from elsewhere");
		g_free(rest);
	}
	add(stage, VD_AGENT_CLIPBOARD_REQUEST, VD_AGENT_CLIPBOARD_IMAGE_PNG, "");
	say(stage);
	expect_word(stage, VD_AGENT_CLIPBOARD, VD_AGENT_CLIPBOARD_NONE);
	/* A client that comes hears of it, too. */
	add(stage, VD_AGENT_ANNOUNCE_CAPABILITIES, 0, "");
	say(stage);
	expect_word(stage, VD_AGENT_CLIPBOARD_GRAB, VD_AGENT_CLIPBOARD_UTF8_TEXT);
}

static void test_a_long_text_in_many_chunks(void **state)
{
	struct stage *stage = *state;
	char *text = g_strnfill(100000, 'x');
	size_t got = 0, whole = sizeof(VDAgentMessage) + 4 + 100000;
	uint8_t bytes[VD_AGENT_MAX_DATA_SIZE];

	offer(stage, text);
	expect_word(stage, VD_AGENT_CLIPBOARD_GRAB, VD_AGENT_CLIPBOARD_UTF8_TEXT);
	add(stage, VD_AGENT_CLIPBOARD_REQUEST, VD_AGENT_CLIPBOARD_UTF8_TEXT, "");
	say(stage);
	while (got < whole) {
		uint32_t size;

		assert_int_equal(agent_talk_give(stage->talk, bytes, 8), 8);
		size = word_of(bytes + 4);
		assert_int_equal(size, MIN(whole - got, VD_AGENT_MAX_DATA_SIZE));
		assert_int_equal(agent_talk_give(stage->talk, bytes, size), size);
		got += size;
	}
	expect_nothing(stage);
	g_free(text);
}

/* Whatever pieces the bytes come in, and however a message lies in chunks. */
static void test_pieces_and_chunks(void **state)
{
	struct stage *stage = *state;
	static const char text[] = "in pieces";
	uint32_t size = (uint32_t)(4 + strlen(text));
	GByteArray *message = g_byte_array_new();

	add_message(stage, VD_AGENT_PROTOCOL, VD_AGENT_CLIPBOARD, size);
	add_word(stage, VD_AGENT_CLIPBOARD_UTF8_TEXT);
	g_byte_array_append(stage->in, (const guint8 *)text, (guint)strlen(text));
	g_byte_array_append(message, stage->in->data, stage->in->len);
	g_byte_array_set_size(stage->in, 0);
	for (guint cut = 0; cut <= message->len; cut++) {
		add(stage, VD_AGENT_CLIPBOARD_GRAB, VD_AGENT_CLIPBOARD_UTF8_TEXT, "");
		add_chunk(stage, VDP_CLIENT_PORT, cut);
		g_byte_array_append(stage->in, message->data, cut);
		add_chunk(stage, VDP_CLIENT_PORT, message->len - cut);
		g_byte_array_append(stage->in, message->data + cut, message->len - cut);
		for (guint i = 0; i < stage->in->len; i++)
			agent_talk_take(stage->talk, stage->in->data + i, 1);
		g_byte_array_set_size(stage->in, 0);
		assert_int_equal(stage->texts, cut + 1);
		assert_string_equal(stage->copied, text);
		expect_word(stage, VD_AGENT_CLIPBOARD_REQUEST, VD_AGENT_CLIPBOARD_UTF8_TEXT);
	}
	g_byte_array_unref(message);
}

/* What is too long, of another protocol, for the server or of no kind is skipped to its end. */
static void test_skips_what_it_cannot_use(void **state)
{
	struct stage *stage = *state;
	const uint32_t huge = CLIPBOARD_LIMIT + 65;

	add(stage, VD_AGENT_CLIPBOARD_GRAB, VD_AGENT_CLIPBOARD_UTF8_TEXT, "");
	add_chunk(stage, VDP_CLIENT_PORT, (uint32_t)sizeof(VDAgentMessage) + huge);
	add_message(stage, VD_AGENT_PROTOCOL, VD_AGENT_CLIPBOARD, huge);
	add_word(stage, VD_AGENT_CLIPBOARD_UTF8_TEXT);
	g_byte_array_set_size(stage->in, stage->in->len + huge - 4);
	add_chunk(stage, VDP_CLIENT_PORT, (uint32_t)sizeof(VDAgentMessage) + 5);
	add_message(stage, VD_AGENT_PROTOCOL + 1, VD_AGENT_CLIPBOARD, 5);
	add_word(stage, VD_AGENT_CLIPBOARD_UTF8_TEXT);
	g_byte_array_append(stage->in, (const guint8 *)"x", 1);
	add_chunk(stage, VDP_SERVER_PORT, (uint32_t)sizeof(VDAgentMessage) + 5);
	add_message(stage, VD_AGENT_PROTOCOL, VD_AGENT_CLIPBOARD, 5);
	add_word(stage, VD_AGENT_CLIPBOARD_UTF8_TEXT);
	g_byte_array_append(stage->in, (const guint8 *)"y", 1);
	add(stage, VD_AGENT_END_MESSAGE, 1, "z");
	add_chunk(stage, VDP_CLIENT_PORT, (uint32_t)sizeof(VDAgentMessage));
	add_message(stage, VD_AGENT_PROTOCOL, VD_AGENT_CLIENT_DISCONNECTED, 0);
	add_chunk(stage, VDP_CLIENT_PORT, 0);
	say(stage);
	assert_int_equal(stage->texts, 0);
	add(stage, VD_AGENT_CLIPBOARD, VD_AGENT_CLIPBOARD_UTF8_TEXT, "found its way");
	say(stage);
	assert_string_equal(stage->copied, "found its way");
}

static void test_what_nobody_takes_is_bounded(void **state)
{
	struct stage *stage = *state;
	char *text = g_strnfill(CLIPBOARD_LIMIT, 'x');
	uint8_t bytes[4096];
	size_t got = 0, more;

	offer(stage, text);
	for (int i = 0; i < 20; i++) {
		add(stage, VD_AGENT_CLIPBOARD_REQUEST, VD_AGENT_CLIPBOARD_UTF8_TEXT, "");
		say(stage);
	}
	while ((more = agent_talk_give(stage->talk, bytes, sizeof(bytes))))
		got += more;
	assert_in_range(got, CLIPBOARD_LIMIT, 6 * CLIPBOARD_LIMIT);
	g_free(text);
}

static void test_random_bytes(void **state)
{
	struct stage *stage = *state;
	GRand *random = g_rand_new_with_seed(20);
	uint8_t bytes[64];

	for (int i = 0; i < 20000; i++) {
		size_t length = (size_t)g_rand_int_range(random, 0, sizeof(bytes));

		for (size_t j = 0; j < length; j++)
			bytes[j] = (uint8_t)(g_rand_boolean(random) ? g_rand_int(random) & 7 : 0);
		agent_talk_take(stage->talk, bytes, length);
		agent_talk_give(stage->talk, bytes, sizeof(bytes));
	}
	assert_int_equal(stage->texts, 0);
	g_rand_free(random);
}

static void test_without_a_clipboard(void **state)
{
	struct stage *stage = *state;
	char *rest;

	agent_talk_destroy(stage->talk);
	stage->talk = agent_talk_create(false, NULL, NULL);
	add(stage, VD_AGENT_ANNOUNCE_CAPABILITIES, 1, "");
	add(stage, VD_AGENT_CLIPBOARD_GRAB, VD_AGENT_CLIPBOARD_UTF8_TEXT, "");
	add(stage, VD_AGENT_CLIPBOARD, VD_AGENT_CLIPBOARD_UTF8_TEXT, "pushed");
	say(stage);
	rest = expect(stage, VD_AGENT_ANNOUNCE_CAPABILITIES, 0);
	assert_int_equal(word_of((const uint8_t *)rest), 1u << VD_AGENT_CAP_GUEST_LINEEND_LF);
	g_free(rest);
	expect_nothing(stage);
}

/* As a client of a guest's agent: it speaks first. */
static void test_greets_and_asks_for_a_size(void **state)
{
	static const uint32_t size[] = {0, 600, 800, 32, 0, 0};
	struct stage *stage = *state;
	char *rest;

	assert_false(agent_talk_resize(stage->talk, 800, 600));
	agent_talk_greet(stage->talk);
	g_free(expect(stage, VD_AGENT_ANNOUNCE_CAPABILITIES, 1));
	assert_false(agent_talk_has_other(stage->talk));
	add_chunk(stage, VDP_CLIENT_PORT, sizeof(VDAgentMessage) + 8);
	add_message(stage, VD_AGENT_PROTOCOL, VD_AGENT_ANNOUNCE_CAPABILITIES, 8);
	add_word(stage, 0);
	add_word(stage, 1u << VD_AGENT_CAP_MONITORS_CONFIG);
	say(stage);
	expect_nothing(stage);
	assert_true(agent_talk_has_other(stage->talk));
	assert_true(agent_talk_resize(stage->talk, 800, 600));
	rest = expect(stage, VD_AGENT_MONITORS_CONFIG, 1);
	for (size_t i = 0; i < G_N_ELEMENTS(size); i++)
		assert_int_equal(word_of((const uint8_t *)rest + i * sizeof(*size)), size[i]);
	g_free(rest);
	expect_nothing(stage);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_says_what_it_can),
		TEST(test_asks_for_what_a_client_copies),
		TEST(test_takes_no_text_that_it_did_not_ask_for),
		TEST(test_a_text_that_is_none),
		TEST(test_pictures_are_not_asked_for),
		TEST(test_offers_what_others_copy),
		TEST(test_a_long_text_in_many_chunks),
		TEST(test_pieces_and_chunks),
		TEST(test_skips_what_it_cannot_use),
		TEST(test_what_nobody_takes_is_bounded),
		TEST(test_random_bytes),
		TEST(test_without_a_clipboard),
		TEST(test_greets_and_asks_for_a_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
