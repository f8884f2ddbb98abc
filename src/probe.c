/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <unistd.h>

#include "device.h"
#include "discover.h"
#include "log.h"
#include "map.h"
#include "tracker.h"
#include "vfio.h"

struct probe {
	JsonBuilder *json;
	GPtrArray *evidence;
	struct vfio vfio;
	char *name; /* NULL for fd: */
	const char *opened;
	bool region, dmabuf, cursor;
};

static void G_GNUC_PRINTF(2, 3) note(struct probe *probe, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(probe->evidence, g_strdup_vprintf(format, args));
	va_end(args);
}

static void add_string(struct probe *probe, const char *member, const char *value)
{
	json_builder_set_member_name(probe->json, member);
	if (value)
		json_builder_add_string_value(probe->json, value);
	else
		json_builder_add_null_value(probe->json);
}

static void add_int(struct probe *probe, const char *member, gint64 value)
{
	json_builder_set_member_name(probe->json, member);
	json_builder_add_int_value(probe->json, value);
}

static void add_bool(struct probe *probe, const char *member, bool value)
{
	json_builder_set_member_name(probe->json, member);
	json_builder_add_boolean_value(probe->json, value);
}

static void add_null(struct probe *probe, const char *member)
{
	add_string(probe, member, NULL);
}

static bool ask(struct probe *probe, enum plane_type type, uint32_t transport, const char *what)
{
	bool yes = vfio_probe(&probe->vfio, type, transport);

	note(probe, "PROBE of the %s plane as %s: %s", type == PLANE_PRIMARY ? "primary" : "cursor",
	     what, yes ? "yes" : "no");
	return yes;
}

/* Whether QEMU's display=on would want GL: it asks for dma-bufs first (QEMU hw/vfio/display.c). */
static void add_display(struct probe *probe)
{
	probe->region = ask(probe, PLANE_PRIMARY, VFIO_GFX_PLANE_TYPE_REGION, "region");
	probe->dmabuf = ask(probe, PLANE_PRIMARY, VFIO_GFX_PLANE_TYPE_DMABUF, "dma-buf");
	probe->cursor = ask(probe, PLANE_CURSOR,
			    probe->region ? VFIO_GFX_PLANE_TYPE_REGION : VFIO_GFX_PLANE_TYPE_DMABUF,
			    probe->region ? "region" : "dma-buf");
	add_string(probe, "display",
		   probe->region && probe->dmabuf ? "both"
		   : probe->region                ? "region"
		   : probe->dmabuf                ? "dmabuf"
						  : "none");
	add_bool(probe, "needs_gl", probe->dmabuf);
	json_builder_set_member_name(probe->json, "features");
	json_builder_begin_array(probe->json);
	if (probe->region)
		json_builder_add_string_value(probe->json, "display-region");
	if (probe->dmabuf)
		json_builder_add_string_value(probe->json, "display-dmabuf");
	json_builder_end_array(probe->json);
}

/* The way to a plane's bytes; the dma-buf of an id is got once and given back at once. */
static void add_way(struct probe *probe, const struct vfio_device_gfx_plane_info *info,
		    struct plane *plane)
{
	struct map_target target = {&probe->vfio, probe->name, info, -1};
	struct map map = MAP_CLOSED;
	GError *error = NULL;
	int ret = 0;

	if (!probe->region) {
		target.dmabuf = vfio_get_dmabuf(&probe->vfio, info->dmabuf_id);
		if (target.dmabuf < 0)
			ret = fail(&error, EXIT_FAILED, -target.dmabuf, "no dma-buf %u: %s",
				   info->dmabuf_id, g_strerror(-target.dmabuf));
	}
	if (!ret)
		ret = plane_check(plane, &error);
	if (!ret)
		ret = map_open(&target, &map, &error);
	if (!ret) {
		if (map.linear)
			plane->modifier = DRM_FORMAT_MOD_LINEAR;
		plane->data = map.data;
		plane->size = map.size;
		ret = plane_validate(plane, &error);
	}
	add_string(probe, "way", ret ? NULL : map.way->name);
	if (ret)
		note(probe, "%s", error->message);
	g_clear_error(&error);
	map_close(&map);
	if (target.dmabuf >= 0)
		close(target.dmabuf);
}

static void add_plane_numbers(struct probe *probe, const struct vfio_device_gfx_plane_info *info)
{
	enum detile_layout layout;
	char text[32];

	plane_fourcc_name(info->drm_format, text);
	add_string(probe, "format", text);
	g_snprintf(text, sizeof(text), "0x%016" PRIx64, (uint64_t)info->drm_format_mod);
	add_string(probe, "modifier", text);
	add_string(probe, "layout",
		   plane_layout(info->drm_format_mod, &layout) ? NULL : plane_layout_name(layout));
	add_int(probe, "width", info->width);
	add_int(probe, "height", info->height);
	add_int(probe, "stride", info->stride);
	add_int(probe, "size", info->size);
}

static void add_plane(struct probe *probe, const char *member, enum plane_type type)
{
	uint32_t transport = probe->region ? VFIO_GFX_PLANE_TYPE_REGION
					   : VFIO_GFX_PLANE_TYPE_DMABUF;
	struct vfio_device_gfx_plane_info info;
	struct plane plane;
	int ret = vfio_query_plane(&probe->vfio, type, transport, &info);

	if (ret || !info.drm_format || !info.width || !info.height) {
		note(probe, "QUERY of the %s plane: %s", member,
		     ret ? g_strerror(-ret) : "it is off");
		add_null(probe, member);
		return;
	}
	json_builder_set_member_name(probe->json, member);
	json_builder_begin_object(probe->json);
	add_plane_numbers(probe, &info);
	if (type == PLANE_CURSOR) {
		add_int(probe, "x", (int32_t)info.x_pos);
		add_int(probe, "y", (int32_t)info.y_pos);
	}
	plane = (struct plane){
		.fourcc = info.drm_format,
		.modifier = info.drm_format_mod,
		.width = info.width,
		.height = info.height,
		.stride = info.stride,
	};
	add_way(probe, &info, &plane);
	json_builder_end_object(probe->json);
}

static void add_planes(struct probe *probe)
{
	if (probe->region || probe->dmabuf)
		add_plane(probe, "primary", PLANE_PRIMARY);
	else
		add_null(probe, "primary");
	if (probe->cursor)
		add_plane(probe, "cursor", PLANE_CURSOR);
	else
		add_null(probe, "cursor");
}

static void add_edid(struct probe *probe)
{
	struct vfio_region_info region;
	struct vfio_region_gfx_edid edid;
	int ret = vfio_find_region(&probe->vfio, VFIO_REGION_TYPE_GFX, VFIO_REGION_SUBTYPE_GFX_EDID,
				   &region);

	if (!ret)
		ret = vfio_region_read(&probe->vfio, &region, &edid, sizeof(edid));
	if (ret) {
		note(probe, "EDID region: %s", ret == -ENOENT ? "none" : g_strerror(-ret));
		add_null(probe, "edid");
		return;
	}
	note(probe, "EDID region: index %u", region.index);
	json_builder_set_member_name(probe->json, "edid");
	json_builder_begin_object(probe->json);
	add_int(probe, "max_width", edid.max_xres);
	add_int(probe, "max_height", edid.max_yres);
	add_int(probe, "max_size", edid.edid_max_size);
	add_string(probe, "link",
		   edid.link_state == VFIO_DEVICE_GFX_LINK_STATE_UP     ? "up"
		   : edid.link_state == VFIO_DEVICE_GFX_LINK_STATE_DOWN ? "down"
									: "unknown");
	json_builder_end_object(probe->json);
}

static void add_owner(struct probe *probe)
{
	char *command;

	if (probe->vfio.pidfd < 0) {
		add_null(probe, "owner");
		return;
	}
	command = owner_command(&probe->vfio.owner);
	json_builder_set_member_name(probe->json, "owner");
	json_builder_begin_object(probe->json);
	add_int(probe, "pid", probe->vfio.owner.pid);
	add_string(probe, "command", command);
	json_builder_end_object(probe->json);
	g_free(command);
}

static void add_opening(struct probe *probe)
{
	add_string(probe, "opened", probe->opened);
	json_builder_set_member_name(probe->json, "needed");
	json_builder_begin_array(probe->json);
	if (probe->vfio.kvm.machine >= 0)
		json_builder_add_string_value(probe->json, "kvm");
	json_builder_end_array(probe->json);
}

static void add_evidence(struct probe *probe)
{
	json_builder_set_member_name(probe->json, "evidence");
	json_builder_begin_array(probe->json);
	for (guint i = 0; i < probe->evidence->len; i++)
		json_builder_add_string_value(probe->json, g_ptr_array_index(probe->evidence, i));
	json_builder_end_array(probe->json);
}

/* No upstream driver tells of changes: linux/vfio.h has neither interrupt nor region for it. */
static const char *damage_source(struct probe *probe)
{
	struct vfio_region_info region;

	if (!probe->region && !probe->dmabuf)
		return NULL;
	if (tracker_find(&probe->vfio, &region))
		return "compare";
	note(probe, "status region: index %u", region.index);
	return "status region";
}

static JsonNode *gather(struct probe *probe, const char *spec)
{
	JsonNode *report;

	probe->json = json_builder_new();
	json_builder_begin_object(probe->json);
	add_string(probe, "device", spec);
	add_string(probe, "name", probe->name);
	add_display(probe);
	add_owner(probe);
	add_opening(probe);
	add_planes(probe);
	add_edid(probe);
	add_string(probe, "damage", damage_source(probe));
	add_evidence(probe);
	json_builder_end_object(probe->json);
	report = json_builder_get_root(probe->json);
	g_object_unref(probe->json);
	return report;
}

static int open_named(struct probe *probe, GError **error)
{
	struct device_nodes nodes;
	struct owner owner;
	int ret = device_nodes(probe->name, &nodes, error);
	const char *wanted[] = {nodes.group ? nodes.group : nodes.cdev, nodes.cdev, NULL};

	if (ret)
		return ret;
	if (!owner_find(wanted, &owner)) {
		probe->opened = "attached";
		ret = vfio_attach(probe->name, &owner, &probe->vfio, error);
	} else {
		probe->opened = "opened";
		ret = vfio_open(probe->name, &nodes, &probe->vfio, error);
	}
	device_nodes_finish(&nodes);
	return ret;
}

static int open_spec(struct probe *probe, const char *spec, GError **error)
{
	struct device device;
	int ret = device_parse(spec, &device, error);

	if (!ret && device.kind == DEVICE_SIM)
		ret = fail(error, EXIT_USAGE, EINVAL,
			   "a simulated device has nothing to probe (give a vfio device)");
	else if (!ret && device.kind == DEVICE_REPLAY)
		ret = fail(error, EXIT_USAGE, EINVAL,
			   "a recording has nothing to probe (give a vfio device)");
	else if (!ret && device.kind == DEVICE_FD) {
		probe->opened = "inherited";
		ret = vfio_adopt(device.fd, &probe->vfio, error);
	} else if (!ret) {
		probe->name = g_strdup(device.name);
		if (device.kind == DEVICE_PID)
			ret = discover_display(device.pid, &probe->name, error);
		if (!ret)
			ret = open_named(probe, error);
	}
	device_finish(&device);
	return ret;
}

int probe_device(const char *spec, JsonNode **report, GError **error)
{
	struct probe probe = {.vfio = VFIO_CLOSED};
	int ret = open_spec(&probe, spec, error);

	if (!ret) {
		probe.evidence = g_ptr_array_new_with_free_func(g_free);
		*report = gather(&probe, spec);
		g_ptr_array_unref(probe.evidence);
	}
	vfio_close(&probe.vfio);
	g_free(probe.name);
	return ret;
}
