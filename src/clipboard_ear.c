/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "clipboard_ear.h"

struct clipboard_ear {
	struct clipboard *clipboard;
	GMainContext *context;
	void (*heard)(GBytes *text, void *data);
	void *data;

	GMutex lock;
	GBytes *text;     /* not told yet; NULL */
	GSource *telling; /* that will tell; NULL */
};

static gboolean on_telling(gpointer data)
{
	struct clipboard_ear *ear = data;
	GBytes *text;

	g_mutex_lock(&ear->lock);
	text = g_steal_pointer(&ear->text);
	g_clear_pointer(&ear->telling, g_source_unref);
	g_mutex_unlock(&ear->lock);
	if (text) {
		ear->heard(text, ear->data);
		g_bytes_unref(text);
	}
	return G_SOURCE_REMOVE;
}

static void tell(struct clipboard_ear *ear, GBytes *text)
{
	g_mutex_lock(&ear->lock);
	g_clear_pointer(&ear->text, g_bytes_unref);
	ear->text = g_bytes_ref(text);
	if (!ear->telling) {
		ear->telling = g_idle_source_new();
		g_source_set_priority(ear->telling, G_PRIORITY_DEFAULT);
		g_source_set_callback(ear->telling, on_telling, ear, NULL);
		g_source_attach(ear->telling, ear->context);
	}
	g_mutex_unlock(&ear->lock);
}

/* From any thread: a watcher of the clipboard. */
static void on_changed(GBytes *text, const void *from, void *data)
{
	if (from != data)
		tell(data, text);
}

void clipboard_ear_copied(struct clipboard_ear *ear, GBytes *text)
{
	clipboard_set(ear->clipboard, text, ear);
}

struct clipboard_ear *clipboard_ear_create(struct clipboard *clipboard, GMainContext *context,
					   void (*heard)(GBytes *text, void *data), void *data)
{
	struct clipboard_ear *ear = g_new0(struct clipboard_ear, 1);
	GBytes *before;

	g_mutex_init(&ear->lock);
	ear->clipboard = clipboard;
	ear->context = context ? g_main_context_ref(context) : NULL;
	ear->heard = heard;
	ear->data = data;
	clipboard_watch(clipboard, on_changed, ear);
	before = clipboard_get(clipboard);
	if (before) {
		tell(ear, before);
		g_bytes_unref(before);
	}
	return ear;
}

void clipboard_ear_destroy(struct clipboard_ear *ear)
{
	if (!ear)
		return;
	clipboard_unwatch(ear->clipboard, ear);
	if (ear->telling) {
		g_source_destroy(ear->telling);
		g_source_unref(ear->telling);
	}
	g_clear_pointer(&ear->text, g_bytes_unref);
	if (ear->context)
		g_main_context_unref(ear->context);
	g_mutex_clear(&ear->lock);
	g_free(ear);
}
