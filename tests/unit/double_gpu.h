/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The double of dma-bufs and of an i915 render node that imports them. */
#ifndef PLANECAST_DOUBLE_GPU_H
#define PLANECAST_DOUBLE_GPU_H

#include <stdint.h>

struct double_gpu {
	const char *driver;   /* "i915" */
	int linear;           /* memfd: what a mapping through the GTT shows; -1: none */
	unsigned int handles; /* GEM handles open now */
	int reading;          /* DMA_BUF_IOCTL_SYNC: begun and not ended */
	unsigned int begins;
};

extern struct double_gpu double_gpu;

/*
 * No GPU; or one whose render node sysfs names for DOUBLE_NAME, in a folder that realpath() leads
 * to. double_gpu_finish() removes it.
 */
void double_gpu_init(void);
void double_gpu_plug(const char *driver);
void double_gpu_finish(void);

int double_gpu_ioctl(int fd, unsigned long request, void *argument); /* 0 or -errno */
int double_gpu_memory(uint64_t offset);                              /* behind a mapping */
void double_gpu_close(int render);

#endif
