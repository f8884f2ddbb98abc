/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a SPICE client's words is passed on, however they come. */
#include "spice_guard.h"

#include <spice/enums.h>
#include <spice/protocol.h>
#include <string.h>

#include "unit.h"

#define SELECTION (1u << SPICE_COMMON_CAP_PROTOCOL_AUTH_SELECTION)
#define MINI      (1u << SPICE_COMMON_CAP_MINI_HEADER)
#define INIT      14u

/* What a client says. */
struct words {
	GByteArray *bytes;
	uint32_t caps;
};

static void add(struct words *words, const void *bytes, guint length)
{
	g_byte_array_append(words->bytes, bytes, length);
}

static void add_number(struct words *words, uint64_t value, guint size)
{
	value = GUINT64_TO_LE(value);
	add(words, &value, size);
}

/* One word of capabilities, `gap` bytes behind the fixed part. */
static struct words begin(uint8_t channel, uint32_t session, uint32_t caps, uint8_t gap)
{
	struct words words = {g_byte_array_new(), caps};
	static const uint8_t nothing[128];

	add(&words, "REDQ", 4);
	add_number(&words, 2, 4);
	add_number(&words, 2, 4);
	add_number(&words, 18u + gap + 4, 4);
	add_number(&words, session, 4);
	add_number(&words, channel, 1);
	add_number(&words, 5, 1);
	add_number(&words, 1, 4);
	add_number(&words, 0, 4);
	add_number(&words, 18u + gap, 4);
	add(&words, nothing, gap);
	add_number(&words, caps, 4);
	if (caps & SELECTION)
		add_number(&words, SPICE_COMMON_CAP_AUTH_SPICE, 4);
	add(&words, nothing, sizeof(nothing));
	return words;
}

static void message(struct words *words, uint16_t type, const void *body, uint8_t size)
{
	if (!(words->caps & MINI))
		add_number(words, 1, 8);
	add_number(words, type, 2);
	add_number(words, size, 4);
	if (!(words->caps & MINI))
		add_number(words, 0, 4);
	add(words, body, size);
}

/* Says them in pieces; what is passed on, up to the fault. */
static GByteArray *pass(struct spice_guard *guard, const struct words *words, size_t piece,
			const char **fault)
{
	GByteArray *out = g_byte_array_new();
	size_t at = 0;

	*guard = (struct spice_guard){0};
	*fault = NULL;
	while (!*fault && at < words->bytes->len) {
		size_t length = MIN(piece, words->bytes->len - at);
		size_t taken = spice_guard_next(guard, words->bytes->data + at, length, out, fault);

		assert_in_range(taken, 1, length);
		at += taken;
	}
	return out;
}

static void assert_passes(struct words words, const GByteArray *expected)
{
	struct spice_guard guard;
	const char *fault;

	for (size_t piece = 1; piece <= words.bytes->len; piece++) {
		GByteArray *out = pass(&guard, &words, piece, &fault);

		assert_null(fault);
		assert_true(spice_guard_is_proved(&guard));
		assert_int_equal(guard.id, 5);
		assert_int_equal(out->len, expected->len);
		assert_memory_equal(out->data, expected->data, out->len);
		g_byte_array_unref(out);
	}
	g_byte_array_unref(words.bytes);
}

static void assert_refused(struct words words, const char *why)
{
	struct spice_guard guard;
	const char *fault;

	for (size_t piece = 1; piece <= words.bytes->len; piece++) {
		g_byte_array_unref(pass(&guard, &words, piece, &fault));
		assert_non_null(fault);
		assert_non_null(strstr(fault, why));
	}
	g_byte_array_unref(words.bytes);
}

static const uint32_t kinds[] = {0, MINI, SELECTION, SELECTION | MINI};

static void test_words_pass_as_they_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		struct words words = begin(SPICE_CHANNEL_INPUTS, 77, kinds[i], i * 3);

		message(&words, SPICE_MSGC_INPUTS_KEY_DOWN, "abcd", 4);
		message(&words, SPICE_MSGC_DISCONNECTING, NULL, 0);
		message(&words, SPICE_MSGC_INPUTS_KEY_UP, "efgh", 4);
		assert_passes(words, words.bytes);
	}
}

static void test_the_link_message_tells_of_the_channel(void **state)
{
	struct words words = begin(SPICE_CHANNEL_CURSOR, 0x01020304, MINI, 0);
	struct spice_guard guard = {0};
	GByteArray *out = g_byte_array_new();
	const char *fault = NULL;
	guint at = 0;

	(void)state;
	while (!spice_guard_is_linked(&guard))
		at += spice_guard_next(&guard, words.bytes->data + at, 1, out, &fault);
	assert_int_equal(at, 16 + 18 + 4);
	assert_int_equal(guard.session, 0x01020304);
	assert_int_equal(guard.type, SPICE_CHANNEL_CURSOR);
	assert_false(spice_guard_is_proved(&guard));
	g_byte_array_unref(out);
	g_byte_array_unref(words.bytes);
}

/* At once with the ticket, and not again when the client says it. */
static void test_a_display_begins_with_the_ticket(void **state)
{
	static const uint8_t own[INIT] = {7, 1, 2, 3, 4};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		struct words words = begin(SPICE_CHANNEL_DISPLAY, 77, kinds[i], 0),
			     expected = begin(SPICE_CHANNEL_DISPLAY, 77, kinds[i], 0);
		static const uint8_t init[INIT] = {[0] = 1, [9] = 1, [12] = 0x30};

		message(&expected, SPICE_MSGC_DISPLAY_INIT, init, INIT);
		message(&words, SPICE_MSGC_ACK_SYNC, "1234", 4);
		message(&expected, SPICE_MSGC_ACK_SYNC, "1234", 4);
		message(&words, SPICE_MSGC_DISPLAY_INIT, own, INIT);
		message(&words, SPICE_MSGC_ACK, NULL, 0);
		message(&expected, SPICE_MSGC_ACK, NULL, 0);
		assert_passes(words, expected.bytes);
		g_byte_array_unref(expected.bytes);
	}
}

static void test_a_display_begins_once(void **state)
{
	struct words words = begin(SPICE_CHANNEL_DISPLAY, 77, MINI, 0);
	static const uint8_t own[INIT] = {1};

	(void)state;
	message(&words, SPICE_MSGC_DISPLAY_INIT, own, INIT);
	message(&words, SPICE_MSGC_DISPLAY_INIT, own, INIT);
	assert_refused(words, "twice");
}

static void test_acknowledgements_are_counted(void **state)
{
	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		struct words words = begin(SPICE_CHANNEL_CURSOR, 77, kinds[i], 0);

		message(&words, SPICE_MSGC_ACK_SYNC, "\1\2\3\4", 4);
		message(&words, SPICE_MSGC_ACK, NULL, 0);
		message(&words, SPICE_MSGC_PONG, "\1\2\3\4", 4);
		message(&words, SPICE_MSGC_ACK, NULL, 0);
		message(&words, SPICE_MSGC_ACK_SYNC, "\5\6\7\10", 4);
		for (size_t piece = 1; piece <= words.bytes->len; piece++) {
			struct spice_guard guard;
			const char *fault;

			g_byte_array_unref(pass(&guard, &words, piece, &fault));
			assert_null(fault);
			assert_int_equal(guard.acks, 2);
			assert_int_equal(guard.generation, 0x08070605);
		}
		g_byte_array_unref(words.bytes);
	}
}

static void test_acknowledgements_are_of_their_size(void **state)
{
	static const struct {
		uint16_t type;
		uint8_t size;
	} wrong[] = {{SPICE_MSGC_ACK, 1}, {SPICE_MSGC_ACK_SYNC, 0}, {SPICE_MSGC_ACK_SYNC, 5}};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		struct words words = begin(SPICE_CHANNEL_DISPLAY, 77, MINI, 0);

		message(&words, wrong[i].type, "12345", wrong[i].size);
		assert_refused(words, "does not speak SPICE");
	}
}

static void test_nothing_migrates(void **state)
{
	static const uint16_t of_all[] = {SPICE_MSGC_MIGRATE_FLUSH_MARK, SPICE_MSGC_MIGRATE_DATA};
	static const uint16_t of_main[] = {
		SPICE_MSGC_MAIN_MIGRATE_CONNECTED, SPICE_MSGC_MAIN_MIGRATE_CONNECT_ERROR,
		SPICE_MSGC_MAIN_MIGRATE_END, SPICE_MSGC_MAIN_MIGRATE_DST_DO_SEAMLESS,
		SPICE_MSGC_MAIN_MIGRATE_CONNECTED_SEAMLESS};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		for (size_t t = 0; t < G_N_ELEMENTS(of_all); t++) {
			struct words words = begin(SPICE_CHANNEL_INPUTS, 77, kinds[i], 0);

			message(&words, of_all[t], "1", 1);
			assert_refused(words, "migration");
		}
		for (size_t t = 0; t < G_N_ELEMENTS(of_main); t++) {
			struct words words = begin(SPICE_CHANNEL_MAIN, 0, kinds[i], 0),
				     other = begin(SPICE_CHANNEL_INPUTS, 77, kinds[i], 0);

			message(&words, of_main[t], NULL, 0);
			message(&other, of_main[t], NULL, 0);
			assert_refused(words, "migration");
			assert_passes(other, other.bytes);
		}
	}
	assert_refused(begin(SPICE_CHANNEL_MAIN, 77, MINI, 0), "migrates");
}

static void test_sasl_is_refused(void **state)
{
	struct words words = begin(SPICE_CHANNEL_MAIN, 0, SELECTION | MINI, 0);

	(void)state;
	words.bytes->data[16 + 18 + 4] = SPICE_COMMON_CAP_AUTH_SASL;
	assert_refused(words, "SASL");
}

static void test_what_is_no_spice(void **state)
{
	/* Where, and what is there. */
	static const struct {
		guint at;
		uint8_t byte;
	} wrong[] = {
		{0, 'G'},      {12, 17},      {13, 17},    {15, 1},
		{16 + 14, 17}, {16 + 14, 19}, {16 + 9, 1}, {16 + 13, 0x40},
	};

	(void)state;
	for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
		struct words words = begin(SPICE_CHANNEL_MAIN, 0, MINI, 0);

		words.bytes->data[wrong[i].at] = wrong[i].byte;
		assert_refused(words, "SPICE");
	}
}

/* Without capabilities, wherever they are said to be. */
static void test_no_capabilities(void **state)
{
	struct words words = begin(SPICE_CHANNEL_INPUTS, 77, 0, 0);

	(void)state;
	words.bytes->data[16 + 6] = 0;
	words.bytes->data[16 + 14] = 0;
	message(&words, SPICE_MSGC_ACK, NULL, 0);
	assert_passes(words, words.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_pass_as_they_are),
		cmocka_unit_test(test_the_link_message_tells_of_the_channel),
		cmocka_unit_test(test_a_display_begins_with_the_ticket),
		cmocka_unit_test(test_a_display_begins_once),
		cmocka_unit_test(test_acknowledgements_are_counted),
		cmocka_unit_test(test_acknowledgements_are_of_their_size),
		cmocka_unit_test(test_nothing_migrates),
		cmocka_unit_test(test_sasl_is_refused),
		cmocka_unit_test(test_what_is_no_spice),
		cmocka_unit_test(test_no_capabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
