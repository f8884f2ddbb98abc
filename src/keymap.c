/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keymap.h"

#include <errno.h>
#include <string.h>
#include <xkbcommon/xkbcommon.h>

#include "log.h"

#define XKB_OFFSET 8 /* X's key codes are Linux's, plus this */
#define MAX_CODE   255
#define MAX_LEVELS 8

struct keymap {
	GHashTable *codes; /* keysym -> code; read only once made */
};

static void add_level(GHashTable *codes, struct xkb_keymap *xkb, xkb_level_index_t level)
{
	xkb_keycode_t last = MIN(xkb_keymap_max_keycode(xkb), MAX_CODE + XKB_OFFSET);
	const xkb_keysym_t *keysyms;

	for (xkb_keycode_t key = XKB_OFFSET + 1; key <= last; key++) {
		int count = xkb_keymap_key_get_syms_by_level(xkb, key, 0, level, &keysyms);

		if (count == 1 && !g_hash_table_contains(codes, GUINT_TO_POINTER(keysyms[0])))
			g_hash_table_insert(codes, GUINT_TO_POINTER(keysyms[0]),
					    GUINT_TO_POINTER(key - XKB_OFFSET));
	}
}

/* The key that needs the fewest modifiers has it. */
static GHashTable *codes_of(struct xkb_keymap *xkb)
{
	GHashTable *codes = g_hash_table_new(NULL, NULL);

	for (xkb_level_index_t level = 0; level < MAX_LEVELS; level++)
		add_level(codes, xkb, level);
	return codes;
}

static struct xkb_keymap *compile(const char *layout)
{
	struct xkb_context *context = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
	char *name = g_strndup(layout, strcspn(layout, "("));
	const char *variant = layout + strlen(name);
	char *inner = *variant ? g_strndup(variant + 1, strcspn(variant + 1, ")")) : NULL;
	struct xkb_rule_names names = {
		.rules = "evdev", .model = "pc105", .layout = name, .variant = inner};
	struct xkb_keymap *xkb = NULL;

	if (context) {
		xkb_context_set_log_level(context, XKB_LOG_LEVEL_CRITICAL);
		xkb = xkb_keymap_new_from_names(context, &names, XKB_KEYMAP_COMPILE_NO_FLAGS);
		xkb_context_unref(context);
	}
	g_free(inner);
	g_free(name);
	return xkb;
}

int keymap_create(const char *layout, struct keymap **keymap, GError **error)
{
	struct xkb_keymap *xkb = *layout ? compile(layout) : NULL;

	if (!xkb)
		return fail(error, EXIT_USAGE, EINVAL,
			    "there is no layout \"%s\" (one of /usr/share/X11/xkb/rules/evdev.lst)",
			    layout);
	*keymap = g_new0(struct keymap, 1);
	(*keymap)->codes = codes_of(xkb);
	xkb_keymap_unref(xkb);
	return 0;
}

void keymap_destroy(struct keymap *keymap)
{
	if (!keymap)
		return;
	g_hash_table_unref(keymap->codes);
	g_free(keymap);
}

uint16_t keymap_code(uint32_t keysym, void *data)
{
	struct keymap *keymap = data;
	gpointer code = g_hash_table_lookup(keymap->codes, GUINT_TO_POINTER(keysym));

	return (uint16_t)GPOINTER_TO_UINT(code);
}
