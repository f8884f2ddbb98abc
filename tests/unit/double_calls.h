/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Doubles of the system calls by which planecast meets vfio, KVM, iommufd and DRM. A test is linked
 * with -Wl,--wrap (WITH_DOUBLES in local.mk), so that the library's calls arrive here: each is
 * written down, fails if the script says so, and else works on memfds that stand for the device.
 * Descriptors of anything else go to the real calls.
 */
#ifndef PLANECAST_DOUBLE_CALLS_H
#define PLANECAST_DOUBLE_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a descriptor is a double of. */
enum double_kind {
	DOUBLE_NONE,
	DOUBLE_CONTAINER, /* /dev/vfio/vfio */
	DOUBLE_GROUP,     /* /dev/vfio/42 */
	DOUBLE_CDEV,      /* /dev/vfio/devices/vfio0, not yet bound */
	DOUBLE_DEVICE,
	DOUBLE_IOMMUFD, /* /dev/iommu */
	DOUBLE_KVM,     /* /dev/kvm */
	DOUBLE_MACHINE,
	DOUBLE_KVM_VFIO,
	DOUBLE_DMABUF,
	DOUBLE_RENDER, /* /dev/dri/renderD128 */
	DOUBLE_PIDFD,
};

/* Forgets the script and the calls; remembers what is open and mapped now. */
void double_start(void);

/* Fails the test if anything more is open or mapped than at the start, or was closed twice. */
void double_expect_balance(void);

/* The calls that begin with those words fail, so many times (-1: always). A later one wins. */
void double_fail(const char *call, int times, int errnum);
void double_heal(void); /* no call fails any more */

/* Writes a call down; 0, or the errno with which the script has it fail. */
int double_call(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The calls since the start, or since they were forgotten: "; " between them. */
const char *double_calls(void);
unsigned int double_count(const char *call); /* those that begin with it */
void double_forget(void);

/* A new descriptor of that kind for a copy of memory's (-1: an empty one); -1 with errno. */
int double_descriptor(enum double_kind kind, int memory);
enum double_kind double_kind_of(int fd);
void double_set_kind(int fd, enum double_kind kind);
unsigned int double_open(enum double_kind kind); /* descriptors of it that are open now */

/* Bytes that a pread() or pwrite() of the device moves at most in one call; 0: all. */
void double_shorten_transfers(size_t bytes);

#endif
