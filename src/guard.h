/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guard: reads of a device's memory may raise SIGBUS (BAR switched off, device gone, file
 * truncated). Inside guard_run() that ends the read with -EFAULT instead of the process.
 */
#ifndef PLANECAST_GUARD_H
#define PLANECAST_GUARD_H

/* Installs the handler; call once, before any guard_run(). */
void guard_init(void);

/*
 * Runs work(data) on the calling thread; 0, or -EFAULT if it touched memory that is not there.
 * work must hold no lock and allocate nothing: it may be left at any load. Not to be nested.
 */
int guard_run(void (*work)(void *data), void *data);

#endif
