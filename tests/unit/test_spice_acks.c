/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a SPICE client owes, however the bytes come. */
#include "spice_acks.h"

#include <spice/enums.h>
#include <string.h>

#include "unit.h"

#define WINDOW 20u
#define SECOND G_TIME_SPAN_SECOND

static void add_number(GByteArray *stream, uint64_t value, guint size)
{
	value = GUINT64_TO_LE(value);
	g_byte_array_append(stream, (const guint8 *)&value, size);
}

static void add_header(GByteArray *stream, bool mini, uint16_t type, uint32_t size)
{
	if (!mini)
		add_number(stream, 1, 8);
	add_number(stream, type, 2);
	add_number(stream, size, 4);
	if (!mini)
		add_number(stream, 0, 4);
}

/* The link reply, the result, a SET_ACK of generation 3. */
static GByteArray *begin(bool mini)
{
	static const uint8_t reply[16 + 20] = {'R', 'E', 'D', 'Q', 2, 0, 0, 0, 2, 0, 0, 0, 20};
	GByteArray *stream = g_byte_array_new();

	g_byte_array_append(stream, reply, sizeof(reply));
	add_number(stream, 0, 4);
	add_header(stream, mini, SPICE_MSG_SET_ACK, 8);
	add_number(stream, 3, 4);
	add_number(stream, WINDOW, 4);
	return stream;
}

/* Messages that look like a SET_ACK inside. */
static void add_messages(GByteArray *stream, bool mini, unsigned int count)
{
	for (; count; count--) {
		add_header(stream, mini, SPICE_MSG_DISPLAY_MARK, 11);
		add_number(stream, SPICE_MSG_SET_ACK, 3);
		add_number(stream, SPICE_MSG_SET_ACK, 8);
	}
}

static void send_in_pieces(struct spice_acks *acks, GByteArray *stream, guint piece, gint64 now)
{
	for (guint at = 0; at < stream->len; at += piece)
		spice_acks_sent(acks, stream->data + at, MIN(piece, stream->len - at), now);
	g_byte_array_unref(stream);
}

static void send_messages(struct spice_acks *acks, unsigned int count, gint64 now)
{
	GByteArray *stream = g_byte_array_new();

	add_messages(stream, true, count);
	send_in_pieces(acks, stream, stream->len + 1, now);
}

static void test_pieces_of_all_sizes(void **state)
{
	(void)state;
	for (guint piece = 1; piece < 100; piece++)
		for (int mini = 0; mini < 2; mini++) {
			struct spice_acks acks = {0};
			GByteArray *stream = begin(mini);

			add_messages(stream, mini, 2 * WINDOW - 1);
			send_in_pieces(&acks, stream, piece, SECOND);
			assert_int_equal(acks.generation, 3);
			assert_int_equal(acks.window, WINDOW);
			assert_int_equal(acks.out, 2 * WINDOW);
			assert_false(spice_acks_block(&acks));
		}
}

static void test_a_word_is_owed_for_a_window(void **state)
{
	struct spice_acks acks = {0};

	(void)state;
	send_in_pieces(&acks, begin(true), 7, SECOND);
	send_messages(&acks, WINDOW - 1, SECOND);
	assert_int_equal(spice_acks_owed(&acks, 9 * SECOND), 0);
	send_messages(&acks, 1, 2 * SECOND);
	send_messages(&acks, 1, 3 * SECOND);
	assert_int_equal(spice_acks_owed(&acks, 9 * SECOND), 7 * SECOND);
	assert_false(spice_acks_block(&acks));
	send_messages(&acks, WINDOW - 1, 4 * SECOND);
	assert_true(spice_acks_block(&acks));
	assert_null(spice_acks_heard(&acks, 3, 5 * SECOND));
	assert_false(spice_acks_block(&acks));
	assert_int_equal(spice_acks_owed(&acks, 9 * SECOND), 4 * SECOND);
	assert_null(spice_acks_heard(&acks, 3, 6 * SECOND));
	assert_int_equal(spice_acks_owed(&acks, 9 * SECOND), 0);
}

static void test_words_of_another_generation_do_not_count(void **state)
{
	struct spice_acks acks = {0};

	(void)state;
	send_in_pieces(&acks, begin(true), 7, SECOND);
	send_messages(&acks, 2 * WINDOW, SECOND);
	assert_null(spice_acks_heard(&acks, 0, 2 * SECOND));
	assert_null(spice_acks_heard(&acks, 4, 2 * SECOND));
	assert_true(spice_acks_block(&acks));
}

static void test_more_words_than_messages_are_a_fault(void **state)
{
	struct spice_acks acks = {0};

	(void)state;
	send_in_pieces(&acks, begin(true), 7, SECOND);
	send_messages(&acks, WINDOW, SECOND);
	assert_null(spice_acks_heard(&acks, 3, SECOND));
	assert_non_null(spice_acks_heard(&acks, 3, SECOND));
}

static void test_who_was_not_asked_owes_nothing(void **state)
{
	struct spice_acks acks = {0};
	GByteArray *stream = begin(true);

	(void)state;
	g_byte_array_set_size(stream, stream->len - 14);
	add_messages(stream, true, 1000);
	send_in_pieces(&acks, stream, 33, SECOND);
	assert_int_equal(spice_acks_owed(&acks, 9 * SECOND), 0);
	assert_false(spice_acks_block(&acks));
	assert_null(spice_acks_heard(&acks, 0, SECOND));
}

static void test_a_second_word_of_the_server_counts_anew(void **state)
{
	struct spice_acks acks = {0};
	GByteArray *stream = g_byte_array_new();

	(void)state;
	send_in_pieces(&acks, begin(true), 7, SECOND);
	send_messages(&acks, 2 * WINDOW, SECOND);
	add_header(stream, true, SPICE_MSG_SET_ACK, 8);
	add_number(stream, 4, 4);
	add_number(stream, 2, 4);
	send_in_pieces(&acks, stream, 5, 2 * SECOND);
	assert_int_equal(acks.generation, 4);
	assert_false(spice_acks_block(&acks));
	send_messages(&acks, 4, 3 * SECOND);
	assert_true(spice_acks_block(&acks));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces_of_all_sizes),
		cmocka_unit_test(test_a_word_is_owed_for_a_window),
		cmocka_unit_test(test_words_of_another_generation_do_not_count),
		cmocka_unit_test(test_more_words_than_messages_are_a_fault),
		cmocka_unit_test(test_who_was_not_asked_owes_nothing),
		cmocka_unit_test(test_a_second_word_of_the_server_counts_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
