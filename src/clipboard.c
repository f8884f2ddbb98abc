/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "clipboard.h"

#include <pthread.h>
#include <string.h>

struct watcher {
	void (*changed)(GBytes *text, const void *from, void *data);
	void *data;
};

struct clipboard {
	pthread_mutex_t lock; /* of all below; held while watchers are called, so that texts keep
			       * their order
			       */
	GBytes *text;
	GArray *watchers;
};

struct clipboard *clipboard_create(void)
{
	struct clipboard *clipboard = g_new0(struct clipboard, 1);

	pthread_mutex_init(&clipboard->lock, NULL);
	clipboard->watchers = g_array_new(FALSE, FALSE, sizeof(struct watcher));
	return clipboard;
}

void clipboard_destroy(struct clipboard *clipboard)
{
	if (!clipboard)
		return;
	g_clear_pointer(&clipboard->text, g_bytes_unref);
	g_array_unref(clipboard->watchers);
	pthread_mutex_destroy(&clipboard->lock);
	g_free(clipboard);
}

/* Takes a string of that length, of lines with or without carriage returns. */
static GBytes *take_lines(char *text, size_t length)
{
	size_t to = 0;

	for (size_t i = 0; i < length; i++)
		if (text[i] != '\r' || i + 1 == length || text[i + 1] != '\n')
			text[to++] = text[i];
	return g_bytes_new_take(text, to);
}

/* Up to the first NUL; of nothing, bytes may be NULL. */
static size_t text_length(const char *bytes, size_t length)
{
	return length ? strnlen(bytes, length) : 0;
}

GBytes *clipboard_text(const char *bytes, size_t length)
{
	length = text_length(bytes, length);
	if (length > CLIPBOARD_LIMIT || (length && !g_utf8_validate(bytes, (gssize)length, NULL)))
		return NULL;
	return take_lines(g_strndup(length ? bytes : "", length), length);
}

GBytes *clipboard_text_from_latin1(const char *bytes, size_t length)
{
	GString *text;

	length = text_length(bytes, length);
	text = g_string_sized_new(length);
	for (size_t i = 0; i < length; i++)
		g_string_append_unichar(text, (guchar)bytes[i]);
	length = text->len;
	if (length <= CLIPBOARD_LIMIT)
		return take_lines(g_string_free(text, FALSE), length);
	g_string_free(text, TRUE);
	return NULL;
}

GBytes *clipboard_text_to_latin1(GBytes *text)
{
	gsize length;
	const char *at = g_bytes_get_data(text, &length), *end = at + length;
	char *latin1 = g_malloc(length + 1);
	gsize to = 0;

	for (; at < end; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);

		latin1[to++] = (char)(c < 256 ? c : '?');
	}
	return g_bytes_new_take(latin1, to);
}

void clipboard_set(struct clipboard *clipboard, GBytes *text, const void *from)
{
	pthread_mutex_lock(&clipboard->lock);
	g_clear_pointer(&clipboard->text, g_bytes_unref);
	clipboard->text = g_bytes_ref(text);
	for (guint i = 0; i < clipboard->watchers->len; i++) {
		const struct watcher *watcher = &g_array_index(clipboard->watchers, struct watcher,
							       i);

		watcher->changed(text, from, watcher->data);
	}
	pthread_mutex_unlock(&clipboard->lock);
}

GBytes *clipboard_get(struct clipboard *clipboard)
{
	GBytes *text;

	pthread_mutex_lock(&clipboard->lock);
	text = clipboard->text ? g_bytes_ref(clipboard->text) : NULL;
	pthread_mutex_unlock(&clipboard->lock);
	return text;
}

void clipboard_watch(struct clipboard *clipboard,
		     void (*changed)(GBytes *text, const void *from, void *data), void *data)
{
	struct watcher watcher = {changed, data};

	pthread_mutex_lock(&clipboard->lock);
	g_array_append_val(clipboard->watchers, watcher);
	pthread_mutex_unlock(&clipboard->lock);
}

void clipboard_unwatch(struct clipboard *clipboard, void *data)
{
	pthread_mutex_lock(&clipboard->lock);
	for (guint i = clipboard->watchers->len; i > 0; i--)
		if (g_array_index(clipboard->watchers, struct watcher, i - 1).data == data)
			g_array_remove_index(clipboard->watchers, i - 1);
	pthread_mutex_unlock(&clipboard->lock);
}
