/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members of the JSON object that is open in a builder, one call each. */
#ifndef PLANECAST_MEMBER_H
#define PLANECAST_MEMBER_H

#include <json-glib/json-glib.h>
#include <stdbool.h>

/* NULL: null. What is not UTF-8 is replaced. */
void member_string(JsonBuilder *json, const char *name, const char *value);
void member_int(JsonBuilder *json, const char *name, gint64 value);
void member_double(JsonBuilder *json, const char *name, double value);
void member_bool(JsonBuilder *json, const char *name, bool value);
void member_null(JsonBuilder *json, const char *name);

/* Opens an object or an array as a member; the builder's own calls end it. */
void member_object(JsonBuilder *json, const char *name);
void member_array(JsonBuilder *json, const char *name);

#endif
