/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plane.h"

#include <drm_fourcc.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "convert.h"
#include "log.h"

_Static_assert(G_BYTE_ORDER == G_LITTLE_ENDIAN, "DRM formats are little-endian, pixman's native");

/* The formats that a scanout has, with the pixman format of the same bytes in memory. */
static const struct plane_format formats[] = {
	{DRM_FORMAT_XRGB8888, 4, PIXMAN_x8r8g8b8, NULL, 1},
	{DRM_FORMAT_ARGB8888, 4, PIXMAN_a8r8g8b8, NULL, 1},
	{DRM_FORMAT_XBGR8888, 4, PIXMAN_x8b8g8r8, NULL, 1},
	{DRM_FORMAT_ABGR8888, 4, PIXMAN_a8b8g8r8, NULL, 1},
	{DRM_FORMAT_RGBX8888, 4, PIXMAN_r8g8b8x8, NULL, 1},
	{DRM_FORMAT_RGBA8888, 4, PIXMAN_r8g8b8a8, NULL, 1},
	{DRM_FORMAT_BGRX8888, 4, PIXMAN_b8g8r8x8, NULL, 1},
	{DRM_FORMAT_BGRA8888, 4, PIXMAN_b8g8r8a8, NULL, 1},
	{DRM_FORMAT_XRGB2101010, 4, PIXMAN_x2r10g10b10, NULL, 1},
	{DRM_FORMAT_ARGB2101010, 4, PIXMAN_a2r10g10b10, NULL, 1},
	{DRM_FORMAT_XBGR2101010, 4, PIXMAN_x2b10g10r10, NULL, 1},
	{DRM_FORMAT_ABGR2101010, 4, PIXMAN_a2b10g10r10, NULL, 1},
	{DRM_FORMAT_RGB565, 2, PIXMAN_r5g6b5, NULL, 1},
	{DRM_FORMAT_BGR565, 2, PIXMAN_b5g6r5, NULL, 1},
	{DRM_FORMAT_XRGB1555, 2, PIXMAN_x1r5g5b5, NULL, 1},
	{DRM_FORMAT_XBGR1555, 2, PIXMAN_x1b5g5r5, NULL, 1},
	{DRM_FORMAT_C8, 1, 0, convert_c8, 1},
	{DRM_FORMAT_YUYV, 2, 0, convert_yuyv, 2},
	{DRM_FORMAT_YVYU, 2, 0, convert_yvyu, 2},
	{DRM_FORMAT_UYVY, 2, 0, convert_uyvy, 2},
	{DRM_FORMAT_VYUY, 2, 0, convert_vyuy, 2},
};

const struct plane_format *plane_format(uint32_t fourcc)
{
	for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
		if (formats[i].fourcc == fourcc)
			return &formats[i];
	return NULL;
}

int plane_layout(uint64_t modifier, enum detile_layout *layout)
{
	switch (modifier) {
	case DRM_FORMAT_MOD_LINEAR:
		*layout = DETILE_LINEAR;
		return 0;
	case I915_FORMAT_MOD_X_TILED:
		*layout = DETILE_X;
		return 0;
	case I915_FORMAT_MOD_Y_TILED:
		*layout = DETILE_Y;
		return 0;
	case I915_FORMAT_MOD_Yf_TILED:
		*layout = DETILE_YF;
		return 0;
	case I915_FORMAT_MOD_4_TILED:
		*layout = DETILE_4;
		return 0;
	default:
		return -ENOTSUP;
	}
}

const char *plane_layout_name(enum detile_layout layout)
{
	static const char *const names[DETILE_LAYOUTS] = {"linear", "x-tiled", "y-tiled",
							  "yf-tiled", "4-tiled"};

	return layout < DETILE_LAYOUTS ? names[layout] : "unknown";
}

/* Intel's that no detiling knows (drm_fourcc.h): most have a second surface, of compression. */
static const char *const intel_modifiers[] = {
	[1] = "x-tiled",
	[2] = "y-tiled",
	[3] = "yf-tiled",
	[4] = "y-tiled with CCS",
	[5] = "yf-tiled with CCS",
	[6] = "y-tiled with gen12 render CCS",
	[7] = "y-tiled with gen12 media CCS",
	[8] = "y-tiled with gen12 render CCS and clear colour",
	[9] = "4-tiled",
	[10] = "4-tiled with DG2 render CCS",
	[11] = "4-tiled with DG2 media CCS",
	[12] = "4-tiled with DG2 render CCS and clear colour",
	[13] = "4-tiled with MTL render CCS",
	[14] = "4-tiled with MTL media CCS",
	[15] = "4-tiled with MTL render CCS and clear colour",
	[16] = "4-tiled with Lunar Lake CCS",
	[17] = "4-tiled with Battlemage CCS",
};

static const char *const modifier_vendors[] = {
	[DRM_FORMAT_MOD_VENDOR_INTEL] = "Intel",
	[DRM_FORMAT_MOD_VENDOR_AMD] = "AMD",
	[DRM_FORMAT_MOD_VENDOR_NVIDIA] = "NVIDIA",
	[DRM_FORMAT_MOD_VENDOR_SAMSUNG] = "Samsung",
	[DRM_FORMAT_MOD_VENDOR_QCOM] = "Qualcomm",
	[DRM_FORMAT_MOD_VENDOR_VIVANTE] = "Vivante",
	[DRM_FORMAT_MOD_VENDOR_BROADCOM] = "Broadcom",
	[DRM_FORMAT_MOD_VENDOR_ARM] = "Arm",
	[DRM_FORMAT_MOD_VENDOR_ALLWINNER] = "Allwinner",
	[DRM_FORMAT_MOD_VENDOR_AMLOGIC] = "Amlogic",
};

void plane_modifier_name(uint64_t modifier, char name[PLANE_MODIFIER_NAME])
{
	uint64_t vendor = modifier >> 56, value = modifier & 0x00ffffffffffffffull;
	const char *text = NULL;

	if (modifier == DRM_FORMAT_MOD_LINEAR)
		text = "linear";
	else if (modifier == DRM_FORMAT_MOD_INVALID)
		text = "none told";
	else if (vendor == DRM_FORMAT_MOD_VENDOR_INTEL && value < G_N_ELEMENTS(intel_modifiers))
		text = intel_modifiers[value];
	if (text)
		g_snprintf(name, PLANE_MODIFIER_NAME, "%s (0x%016" PRIx64 ")", text, modifier);
	else
		g_snprintf(name, PLANE_MODIFIER_NAME, "0x%016" PRIx64 " of %s", modifier,
			   vendor < G_N_ELEMENTS(modifier_vendors) && modifier_vendors[vendor]
				   ? modifier_vendors[vendor]
				   : "an unknown vendor");
}

void plane_fourcc_name(uint32_t fourcc, char name[5])
{
	for (unsigned int i = 0; i < 4; i++) {
		char c = (char)(fourcc >> (8 * i));

		name[i] = g_ascii_isprint(c) ? c : '?';
	}
	name[4] = '\0';
}

void plane_surface(const struct plane *plane, struct detile_surface *surface)
{
	const struct plane_format *format = plane_format(plane->fourcc);

	memset(surface, 0, sizeof(*surface));
	surface->data = plane->data;
	surface->size = plane->size;
	surface->wc = plane->wc;
	surface->width = format ? (plane->width + format->group - 1) / format->group * format->group
				: plane->width;
	surface->height = plane->height;
	surface->stride = plane->stride;
	surface->cpp = format ? format->cpp : 0;
	plane_layout(plane->modifier, &surface->layout);
}

bool plane_is_same(const struct plane *a, const struct plane *b)
{
	return a->fourcc == b->fourcc && a->modifier == b->modifier && a->width == b->width &&
	       a->height == b->height && a->stride == b->stride && a->generation == b->generation;
}

static int validate_format(const struct plane *plane, GError **error)
{
	enum detile_layout layout;
	char name[5], modifier[PLANE_MODIFIER_NAME];

	plane_fourcc_name(plane->fourcc, name);
	if (!plane_format(plane->fourcc))
		return fail(error, EXIT_FAILED, ENOTSUP, "unknown pixel format %s (0x%08x)", name,
			    plane->fourcc);
	if (plane_layout(plane->modifier, &layout)) {
		plane_modifier_name(plane->modifier, modifier);
		return fail(error, EXIT_FAILED, ENOTSUP, "pixels of modifier %s are not known",
			    modifier);
	}
	return 0;
}

int plane_check(const struct plane *plane, GError **error)
{
	struct detile_surface surface;
	int ret = validate_format(plane, error);

	if (ret)
		return ret;
	if (!plane->width || !plane->height || plane->width > PLANE_MAX_DIMENSION ||
	    plane->height > PLANE_MAX_DIMENSION)
		return fail(error, EXIT_FAILED, EINVAL, "impossible size %ux%u (1 to %u each way)",
			    plane->width, plane->height, PLANE_MAX_DIMENSION);
	plane_surface(plane, &surface);
	if (surface.layout == DETILE_YF && surface.cpp != 4)
		return fail(error, EXIT_FAILED, ENOTSUP,
			    "yf-tiled pixels of %u bytes are not known (4 are)", surface.cpp);
	if ((uint64_t)surface.width * surface.cpp > plane->stride)
		return fail(error, EXIT_FAILED, EINVAL,
			    "stride %u is too small for %u pixels of %u bytes", plane->stride,
			    plane->width, surface.cpp);
	if (plane->stride > PLANE_MAX_STRIDE)
		return fail(error, EXIT_FAILED, EINVAL, "impossible stride %u (at most %u)",
			    plane->stride, PLANE_MAX_STRIDE);
	return 0;
}

int plane_validate(const struct plane *plane, GError **error)
{
	struct detile_surface surface;
	int ret = plane_check(plane, error);

	if (ret)
		return ret;
	plane_surface(plane, &surface);
	if (!plane->data || detile_check(&surface))
		return fail(error, EXIT_FAILED, EINVAL,
			    "%ux%u with stride %u, %s, does not fit the %zu bytes there are",
			    plane->width, plane->height, plane->stride,
			    plane_layout_name(surface.layout), plane->size);
	return 0;
}
