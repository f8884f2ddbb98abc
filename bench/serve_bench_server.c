/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench/serve_bench_server.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/watch.h"

#define STOP_TRIES 200
#define FILE_TRIES 1000
#define STEP_US    5000
#define OPENING_US 1500000 /* of a recording: it is read and checked */

static int free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0), port = -1;

	if (!bind(fd, (struct sockaddr *)&address, sizeof(address)) &&
	    !getsockname(fd, (struct sockaddr *)&address, &length))
		port = ntohs(address.sin_port);
	close(fd);
	return port;
}

static pid_t start(char *const *words)
{
	pid_t parent = getpid(), pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent) {
		int nothing = open("/dev/null", O_RDWR);

		dup2(nothing, STDIN_FILENO);
		dup2(nothing, STDOUT_FILENO);
		dup2(nothing, STDERR_FILENO);
		execvp(words[0], words);
	}
	_exit(127);
}

/* Xvnc leaves its lock and its socket behind if it is killed. */
static void stop(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGTERM);
	for (int i = 0; i < STOP_TRIES; i++) {
		if (waitpid(pid, NULL, WNOHANG))
			return;
		usleep(STEP_US);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

enum bench_way bench_way(enum bench_server server)
{
	static const enum bench_way ways[BENCH_SERVERS] = {
		[BENCH_PLANECAST_TLS] = BENCH_TLS, [BENCH_DOOR_TLS] = BENCH_TLS,
		[BENCH_PLANECAST_WS] = BENCH_WS,   [BENCH_DOOR_WS] = BENCH_WS,
		[BENCH_PLANECAST_WSS] = BENCH_WSS, [BENCH_DOOR_WSS] = BENCH_WSS,
	};

	return ways[server];
}

const char *bench_server_needs(enum bench_server server)
{
	static const char *const needs[BENCH_SERVERS] = {
		[BENCH_XVNC] = "Xvnc",
		[BENCH_X11VNC] = "x11vnc Xvfb",
		[BENCH_WAYVNC] = "wayvnc sway Xwayland setpriv",
	};

	return needs[server];
}

static void start_planecast(const struct bench *bench, const struct bench_row *row,
			    struct server *server)
{
	const struct bench_work *work = row->work;
	enum bench_way way = bench_way(row->server);
	bool web = way == BENCH_WS || way == BENCH_WSS;
	char spec[600], address[32];
	char *words[] = {
		(char *)(uintptr_t)bench->planecast, "serve", spec, "--max-fps", "240", "--vnc",
		web ? "127.0.0.1:auto" : address,    NULL,    NULL, NULL,        NULL};
	size_t count = 7;

	if (web) {
		words[count++] = "--web";
		words[count++] = address;
	}
	if (way == BENCH_TLS || way == BENCH_WSS)
		words[count++] = "--tls";
	if (work->replay)
		snprintf(spec, sizeof(spec), "replay:%s,epoch=%" PRId64, work->replay,
			 server->epoch_us);
	else
		snprintf(spec, sizeof(spec),
			 "sim:mode=%ux%u,pattern=%s,fps=%u,cycle=%u,epoch=%" PRId64, bench->width,
			 bench->height, work->pattern, work->fps, work->cycle, server->epoch_us);
	snprintf(address, sizeof(address), "127.0.0.1:%d", server->port);
	server->pid = start(words);
}

static pid_t start_peer(const struct bench *bench, const struct bench_work *work, const char *kind,
			const char *where, int64_t epoch_us)
{
	char width[16], height[16], fps[16], cycle[16], epoch[32];
	char *words[] = {(char *)(uintptr_t)bench->peer,
			 (char *)(uintptr_t)kind,
			 (char *)(uintptr_t)where,
			 (char *)(uintptr_t)work->pattern,
			 width,
			 height,
			 fps,
			 cycle,
			 epoch,
			 NULL};

	snprintf(width, sizeof(width), "%u", bench->width);
	snprintf(height, sizeof(height), "%u", bench->height);
	snprintf(fps, sizeof(fps), "%u", work->fps);
	snprintf(cycle, sizeof(cycle), "%u", work->cycle);
	snprintf(epoch, sizeof(epoch), "%" PRId64, epoch_us);
	return start(words);
}

static void start_xvnc(const struct bench *bench, const struct bench_work *work,
		       struct server *server)
{
	char display[16], geometry[32], port[16], rate[32];
	char *words[] = {
		"Xvnc",     display,      "-geometry",  geometry,         "-depth", "24",
		"-rfbport", port,         "-localhost", "-SecurityTypes", "None",   "-nolisten",
		"tcp",      "-FrameRate", rate,         "-AlwaysShared",  NULL};
	int fd;

	snprintf(display, sizeof(display), ":%d", server->port);
	snprintf(geometry, sizeof(geometry), "%ux%u", bench->width, bench->height);
	snprintf(port, sizeof(port), "%d", server->port);
	snprintf(rate, sizeof(rate), "%u", work->fps > 60 ? work->fps : 60);
	server->pid = start(words);
	fd = bench_dial(server->port);
	if (fd >= 0)
		close(fd);
	server->painter = start_peer(bench, work, "x11", display, server->epoch_us);
}

/* Until a server of displays has made its socket. */
static bool wait_for_file(const char *pattern, char *found, size_t size)
{
	for (int i = 0; i < FILE_TRIES; i++) {
		glob_t list;
		int r = glob(pattern, 0, NULL, &list);

		if (!r)
			snprintf(found, size, "%s", list.gl_pathv[0]);
		globfree(&list);
		if (!r)
			return true;
		usleep(STEP_US);
	}
	return false;
}

static void start_x11vnc(const struct bench *bench, const struct bench_work *work,
			 struct server *server)
{
	char display[16], screen[32], port[16], path[64], found[64];
	char *xvfb[] = {"Xvfb", display, "-screen", "0", screen, "-nolisten", "tcp", NULL};
	char *x11vnc[] = {"x11vnc", "-display", display,  "-rfbport", port,   "-localhost",
			  "-nopw",  "-shared",  "-quiet", "-forever", "-no6", NULL};

	snprintf(display, sizeof(display), ":%d", server->port);
	snprintf(screen, sizeof(screen), "%ux%ux24", bench->width, bench->height);
	snprintf(port, sizeof(port), "%d", server->port);
	snprintf(path, sizeof(path), "/tmp/.X11-unix/X%d", server->port);
	server->display = start(xvfb);
	if (!wait_for_file(path, found, sizeof(found)))
		return;
	server->painter = start_peer(bench, work, "x11", display, server->epoch_us);
	server->pid = start(x11vnc);
}

/* sway's configuration: one output of our size, and on it the painter's window, by Xwayland. */
static bool configure_sway(const struct bench *bench, const struct bench_work *work,
			   const struct server *server, char *file, size_t size)
{
	char *peer = realpath(bench->peer, NULL);
	FILE *out;

	snprintf(file, size, "%s/config", server->folder);
	out = peer ? fopen(file, "w") : NULL;
	if (out) {
		fprintf(out, "output HEADLESS-1 mode %ux%u@%uHz\nxwayland enable\n", bench->width,
			bench->height, work->fps > 60 ? work->fps : 60);
		fprintf(out, "exec %s x11 \"\" %s %u %u %u %u %" PRId64 "\n", peer, work->pattern,
			bench->width, bench->height, work->fps, work->cycle, server->epoch_us);
	}
	free(peer);
	return out && !fclose(out);
}

/* sway refuses to run as root: then it is nobody. */
static void start_wayvnc(const struct bench *bench, const struct bench_work *work,
			 struct server *server)
{
	char port[16], file[64], pattern[64], found[64] = "", rate[32];
	char *sway[] = {"setpriv",        "--reuid", "65534", "--regid", "65534",
			"--clear-groups", "sway",    "-c",    file,      NULL};
	char *wayvnc[] = {"wayvnc", "--disable-input", rate, "127.0.0.1", port, NULL};
	bool root = !geteuid();

	strcpy(server->folder, "/tmp/serve_bench.XXXXXX");
	if (!mkdtemp(server->folder) || (root && chown(server->folder, 65534, 65534)) ||
	    !configure_sway(bench, work, server, file, sizeof(file)) || chmod(file, 0644))
		return;
	setenv("XDG_RUNTIME_DIR", server->folder, 1);
	setenv("WLR_BACKENDS", "headless", 1);
	setenv("WLR_RENDERER", "pixman", 1);
	setenv("WLR_LIBINPUT_NO_DEVICES", "1", 1);
	unsetenv("WAYLAND_DISPLAY");
	server->display = start(root ? sway : sway + 6);
	snprintf(pattern, sizeof(pattern), "%s/wayland-[0-9]", server->folder);
	if (!wait_for_file(pattern, found, sizeof(found)))
		return;
	setenv("WAYLAND_DISPLAY", found, 1);
	snprintf(port, sizeof(port), "%d", server->port);
	snprintf(rate, sizeof(rate), "--max-fps=%u", work->fps > 60 ? work->fps : 60);
	server->pid = start(wayvnc);
	unsetenv("WAYLAND_DISPLAY"); /* x11vnc would refuse to start */
}

void bench_server_start(const struct bench *bench, const struct bench_row *row,
			struct server *server)
{
	char port[16];

	*server = (struct server){.port = free_port(), .epoch_us = bench_now_us()};
	if (row->work->replay)
		server->epoch_us += OPENING_US;
	snprintf(port, sizeof(port), "%d", server->port);
	switch (row->server) {
	case BENCH_XVNC:
		start_xvnc(bench, row->work, server);
		break;
	case BENCH_X11VNC:
		start_x11vnc(bench, row->work, server);
		break;
	case BENCH_WAYVNC:
		start_wayvnc(bench, row->work, server);
		break;
	case BENCH_LIBVNCSERVER:
		server->pid = start_peer(bench, row->work, "libvncserver", port, server->epoch_us);
		break;
	case BENCH_DOOR:
	case BENCH_DOOR_TLS:
	case BENCH_DOOR_WS:
	case BENCH_DOOR_WSS:
		server->pid = start_peer(bench, row->work, bench_servers[row->server], port,
					 server->epoch_us);
		break;
	default:
		start_planecast(bench, row, server);
	}
}

/* What lies in it are files. */
static void remove_folder(const char *folder)
{
	char path[320];
	struct dirent *entry;
	DIR *list = *folder ? opendir(folder) : NULL;

	while (list && (entry = readdir(list))) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		unlink(path);
	}
	if (list)
		closedir(list);
	if (*folder)
		rmdir(folder);
}

void bench_server_stop(struct server *server)
{
	stop(server->painter);
	stop(server->pid);
	stop(server->display);
	remove_folder(server->folder);
}
