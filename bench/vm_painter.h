/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's part in vm_bench: writes pictures into the video memory of a device that a QEMU has
 * open, through a mapping as the guest's own would be, and remembers when each was whole.
 */
#ifndef VM_PAINTER_H
#define VM_PAINTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "kmod/pattern.h"

struct vm_painter;

/* The device that the process has open, shown in the pattern's size. Ends this process if not. */
struct vm_painter *vm_painter_open(pid_t owner, const struct pattern *pattern, unsigned int rate);

/* Takes all places of the device's event, so that no server is told of changes. */
void vm_painter_take_events(const struct vm_painter *painter);

/* Paints frame 0; the others by a thread of its own, `rate` a second (0: none). */
void vm_painter_start(struct vm_painter *painter);
void vm_painter_stop(struct vm_painter *painter); /* and frees it */

/* How many frames there have been. */
uint32_t vm_painter_frames(const struct vm_painter *painter);

/* When the last pixel of a frame was written, microseconds of CLOCK_MONOTONIC; 0: not known. */
int64_t vm_painter_when(const struct vm_painter *painter, uint32_t frame);

#endif
