/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The buffers of a device's planes: regions or dma-bufs that its queries have named, kept open (as
 * many as QEMU keeps) because a guest flips between a few. Main thread.
 */
#ifndef PLANECAST_BUFFERS_H
#define PLANECAST_BUFFERS_H

#include <stdbool.h>
#include <stdint.h>

#include "map.h"
#include "plane.h"
#include "vfio.h"

#define BUFFERS_KEPT 5

struct buffer {
	bool used;
	unsigned int readers; /* planes lent and not yet returned */
	uint32_t id;          /* region index or dmabuf_id */
	uint32_t transport;
	int dmabuf; /* while used; -1 for a region, and where it is of no use */
	uint64_t last_use;
	struct map map; /* closed until it is read, and where no way leads to it */
};

/* All zero: none. */
struct buffers {
	struct buffer slots[BUFFERS_KEPT];
	uint64_t uses;
};

/* Closes all, also those that are lent: before the device is closed. Any number of times. */
void buffers_close(struct buffers *buffers);

/* What names the buffer of a plane: its region's index or its dmabuf_id. */
uint32_t buffers_id(uint32_t transport, const struct vfio_device_gfx_plane_info *info);

/*
 * The buffer that a query named, kept from its first use on; the longest unused one leaves for it.
 * Each dmabuf_id is got only once, and here: the query may have taken a reference that only getting
 * it gives back. -errno with a line in error.
 */
int buffers_find(struct buffers *buffers, const struct vfio *vfio, uint32_t transport,
		 const struct vfio_device_gfx_plane_info *info, struct buffer **buffer,
		 GError **error);

/* The buffer of that id while it is lent; NULL if it is not, or no longer. */
struct buffer *buffers_lent(struct buffers *buffers, uint32_t id);

/* How the bytes of the last used one are read, NULL while there is none. */
const char *buffers_way(const struct buffers *buffers);

/*
 * Makes the buffer's bytes the plane's, whose numbers passed plane_check(), until buffer_return();
 * mapped at their first use, or when another plane lies in them. name is the device's, or NULL.
 * -EAGAIN: not in this moment; -errno with a line in error.
 */
int buffer_lend(struct buffer *buffer, const struct vfio *vfio, const char *name,
		const struct vfio_device_gfx_plane_info *info, struct plane *plane, GError **error);
void buffer_return(struct buffer *buffer);

#endif
