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
#include "member.h"
#include "tracker.h"
#include "vfio.h"

struct probe {
	JsonBuilder *json;
	GPtrArray *answers, *seen; /* the evidence: what it is for, and what was seen */
	struct vfio vfio;
	char *name; /* NULL for fd: */
	const char *opened;
	bool region, dmabuf, cursor;
};

static void G_GNUC_PRINTF(3, 4)
	note(struct probe *probe, const char *answer, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_ptr_array_add(probe->answers, (void *)answer);
	g_ptr_array_add(probe->seen, g_strdup_vprintf(format, args));
	va_end(args);
}

static bool ask(struct probe *probe, enum plane_type type, uint32_t transport, const char *what)
{
	const char *member = type == PLANE_PRIMARY ? "display" : "cursor";
	bool yes = vfio_probe(&probe->vfio, type, transport);

	note(probe, member, "QUERY_GFX_PLANE with PROBE for the %s plane as a %s: %s",
	     type == PLANE_PRIMARY ? "primary" : "cursor", what, yes ? "yes" : "no");
	return yes;
}

static void add_features(struct probe *probe)
{
	member_array(probe->json, "features");
	if (probe->region)
		json_builder_add_string_value(probe->json, "display-region");
	if (probe->dmabuf)
		json_builder_add_string_value(probe->json, "display-dmabuf");
	json_builder_end_array(probe->json);
}

/* Whether QEMU's display=on would want GL: it asks for dma-bufs first (QEMU hw/vfio/display.c). */
static void add_display(struct probe *probe)
{
	probe->region = ask(probe, PLANE_PRIMARY, VFIO_GFX_PLANE_TYPE_REGION, "region");
	probe->dmabuf = ask(probe, PLANE_PRIMARY, VFIO_GFX_PLANE_TYPE_DMABUF, "dma-buf");
	probe->cursor = ask(probe, PLANE_CURSOR,
			    probe->region ? VFIO_GFX_PLANE_TYPE_REGION : VFIO_GFX_PLANE_TYPE_DMABUF,
			    probe->region ? "region" : "dma-buf");
	member_string(probe->json, "display",
		      probe->region && probe->dmabuf ? "both"
		      : probe->region                ? "region"
		      : probe->dmabuf                ? "dmabuf"
						     : "none");
	member_bool(probe->json, "needs_gl", probe->dmabuf);
	note(probe, "needs_gl",
	     "QEMU with display=on asks for a dma-buf first, and shows it by "
	     "OpenGL only: the answer to that was %s",
	     probe->dmabuf ? "yes" : "no");
	add_features(probe);
}

/* The dma-buf of an id is got once; -errno where none is to be had. */
static int get_dmabuf(struct probe *probe, struct map_target *target, GError **error)
{
	if (target->transport == VFIO_GFX_PLANE_TYPE_REGION || !map_wants_dmabuf(&probe->vfio))
		return 0;
	target->dmabuf = vfio_get_dmabuf(&probe->vfio, target->info->dmabuf_id);
	if (target->dmabuf >= 0)
		return 0;
	return fail(error, EXIT_FAILED, -target->dmabuf, "no dma-buf %u: %s",
		    target->info->dmabuf_id, g_strerror(-target->dmabuf));
}

/* Opens the way to a plane's bytes, and judges the plane by them. */
static int open_way(struct probe *probe, struct map_target *target, struct plane *plane,
		    struct map *map, GError **error)
{
	int ret = get_dmabuf(probe, target, error);

	if (!ret)
		ret = plane_check(plane, error);
	if (!ret)
		ret = map_open(target, map, error);
	if (ret)
		return ret;
	if (map->linear)
		plane->modifier = DRM_FORMAT_MOD_LINEAR;
	plane->data = map->data;
	plane->size = map->size;
	return plane_validate(plane, error);
}

/* What was got for it is given back at once. */
static void add_way(struct probe *probe, const char *member,
		    const struct vfio_device_gfx_plane_info *info, struct plane *plane)
{
	struct map_target target = {
		.vfio = &probe->vfio,
		.name = probe->name,
		.info = info,
		.transport = info->flags,
		.dmabuf = -1,
		.tried = g_string_new(NULL),
	};
	struct map map = MAP_CLOSED;
	GError *error = NULL;
	int ret = open_way(probe, &target, plane, &map, &error);

	member_string(probe->json, "way", ret ? NULL : map.way->name);
	if (ret)
		note(probe, member, "%s", error->message);
	else
		note(probe, member, "read by %s, %zu bytes%s%s", map.way->name, map.size,
		     target.tried->len ? "; before that: " : "", target.tried->str);
	g_clear_error(&error);
	g_string_free(target.tried, TRUE);
	map_close(&map);
	if (target.dmabuf >= 0)
		close(target.dmabuf);
}

static void add_plane_numbers(struct probe *probe, const struct vfio_device_gfx_plane_info *info)
{
	enum detile_layout layout;
	char text[32];

	plane_fourcc_name(info->drm_format, text);
	member_string(probe->json, "format", text);
	g_snprintf(text, sizeof(text), "0x%016" PRIx64, (uint64_t)info->drm_format_mod);
	member_string(probe->json, "modifier", text);
	member_string(probe->json, "layout",
		      plane_layout(info->drm_format_mod, &layout) ? NULL
								  : plane_layout_name(layout));
	member_int(probe->json, "width", info->width);
	member_int(probe->json, "height", info->height);
	member_int(probe->json, "stride", info->stride);
	member_int(probe->json, "size", info->size);
}

static void note_plane(struct probe *probe, const char *member,
		       const struct vfio_device_gfx_plane_info *info)
{
	char modifier[PLANE_MODIFIER_NAME], format[5];

	plane_fourcc_name(info->drm_format, format);
	plane_modifier_name(info->drm_format_mod, modifier);
	note(probe, member, "QUERY_GFX_PLANE: %ux%u, format %s, modifier %s, stride %u, %s %u",
	     info->width, info->height, format, modifier, info->stride,
	     info->flags == VFIO_GFX_PLANE_TYPE_REGION ? "region" : "dma-buf", info->region_index);
}

static void add_plane(struct probe *probe, const char *member, enum plane_type type)
{
	uint32_t transport = probe->region ? VFIO_GFX_PLANE_TYPE_REGION
					   : VFIO_GFX_PLANE_TYPE_DMABUF;
	struct vfio_device_gfx_plane_info info;
	struct plane plane;
	int ret = vfio_query_plane(&probe->vfio, type, transport, &info);

	info.flags = transport;
	if (ret || !info.drm_format || !info.width || !info.height) {
		note(probe, member, "QUERY_GFX_PLANE: %s", ret ? g_strerror(-ret) : "it is off");
		member_null(probe->json, member);
		return;
	}
	note_plane(probe, member, &info);
	member_object(probe->json, member);
	add_plane_numbers(probe, &info);
	if (type == PLANE_CURSOR) {
		member_int(probe->json, "x", (int32_t)info.x_pos);
		member_int(probe->json, "y", (int32_t)info.y_pos);
	}
	plane = (struct plane){
		.fourcc = info.drm_format,
		.modifier = info.drm_format_mod,
		.width = info.width,
		.height = info.height,
		.stride = info.stride,
	};
	add_way(probe, member, &info, &plane);
	json_builder_end_object(probe->json);
}

static void add_planes(struct probe *probe)
{
	if (probe->region || probe->dmabuf)
		add_plane(probe, "primary", PLANE_PRIMARY);
	else
		member_null(probe->json, "primary");
	if (probe->cursor)
		add_plane(probe, "cursor", PLANE_CURSOR);
	else
		member_null(probe->json, "cursor");
}

static void add_edid(struct probe *probe)
{
	struct vfio_region_info region;
	struct vfio_region_gfx_edid edid;
	int ret = vfio_find_region(&probe->vfio, VFIO_REGION_TYPE_GFX, VFIO_REGION_SUBTYPE_GFX_EDID,
				   &region);

	if (ret == -ENOENT)
		note(probe, "edid", "no region is of type GFX and subtype EDID");
	else if (ret)
		note(probe, "edid", "the regions cannot be walked: %s", g_strerror(-ret));
	if (!ret) {
		ret = vfio_region_read(&probe->vfio, &region, &edid, sizeof(edid));
		if (ret)
			note(probe, "edid", "region %u cannot be read: %s", region.index,
			     g_strerror(-ret));
	}
	if (ret) {
		member_null(probe->json, "edid");
		return;
	}
	note(probe, "edid", "region %u is of type GFX and subtype EDID: at most %ux%u",
	     region.index, edid.max_xres, edid.max_yres);
	member_object(probe->json, "edid");
	member_int(probe->json, "max_width", edid.max_xres);
	member_int(probe->json, "max_height", edid.max_yres);
	member_int(probe->json, "max_size", edid.edid_max_size);
	member_string(probe->json, "link",
		      edid.link_state == VFIO_DEVICE_GFX_LINK_STATE_UP     ? "up"
		      : edid.link_state == VFIO_DEVICE_GFX_LINK_STATE_DOWN ? "down"
									   : "unknown");
	json_builder_end_object(probe->json);
}

static void add_owner(struct probe *probe)
{
	const struct owner *owner = &probe->vfio.owner;
	char *command;

	if (probe->vfio.pidfd < 0) {
		member_null(probe->json, "owner");
		return;
	}
	note(probe, "owner", "/proc/%d/fd/%d is %s", (int)owner->pid, owner->fd, owner->node);
	command = owner_command(owner);
	member_object(probe->json, "owner");
	member_int(probe->json, "pid", owner->pid);
	member_string(probe->json, "command", command);
	json_builder_end_object(probe->json);
	g_free(command);
}

static void add_opening(struct probe *probe)
{
	bool kvm = probe->vfio.kvm.machine >= 0;

	member_string(probe->json, "opened", probe->opened);
	member_array(probe->json, "needed");
	if (kvm)
		json_builder_add_string_value(probe->json, "kvm");
	json_builder_end_array(probe->json);
	if (kvm)
		note(probe, "needed", "opening gave ESRCH until a KVM machine was there");
	else if (probe->vfio.group >= 0 || probe->vfio.container >= 0)
		note(probe, "needed", "opening worked at once");
	else
		note(probe, "needed", "it was open already: what its owner needed is not known");
}

static void add_evidence(struct probe *probe)
{
	member_array(probe->json, "evidence");
	for (guint i = 0; i < probe->seen->len; i++) {
		json_builder_begin_object(probe->json);
		member_string(probe->json, "answer", g_ptr_array_index(probe->answers, i));
		member_string(probe->json, "seen", g_ptr_array_index(probe->seen, i));
		json_builder_end_object(probe->json);
	}
	json_builder_end_array(probe->json);
}

/* No upstream driver tells of changes: linux/vfio.h has neither interrupt nor region for it. */
static const char *damage_source(struct probe *probe)
{
	struct vfio_region_info region;

	if (!probe->region && !probe->dmabuf)
		return NULL;
	if (tracker_find(&probe->vfio, &region)) {
		note(probe, "damage", "no region tells of changes");
		return "compare";
	}
	note(probe, "damage", "region %u tells of changes (mplane's status region)", region.index);
	return "status region";
}

static JsonNode *gather(struct probe *probe, const char *spec)
{
	JsonNode *report;

	probe->json = json_builder_new();
	json_builder_begin_object(probe->json);
	member_string(probe->json, "device", spec);
	member_string(probe->json, "name", probe->name);
	add_display(probe);
	add_owner(probe);
	add_opening(probe);
	add_planes(probe);
	add_edid(probe);
	member_string(probe->json, "damage", damage_source(probe));
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
		probe.answers = g_ptr_array_new();
		probe.seen = g_ptr_array_new_with_free_func(g_free);
		*report = gather(&probe, spec);
		g_ptr_array_unref(probe.answers);
		g_ptr_array_unref(probe.seen);
	}
	vfio_close(&probe.vfio);
	g_free(probe.name);
	return ret;
}
