/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vfio.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"

static int open_container(struct vfio *vfio, GError **error)
{
	vfio->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (vfio->container < 0 && (errno == EACCES || errno == EPERM))
		return fail(error, EXIT_REFUSED, EACCES,
			    "no permission for /dev/vfio/vfio (run as root, or give access to it)");
	if (vfio->container < 0)
		return fail(error, EXIT_FAILED, ENODEV,
			    "no vfio on this host (modprobe vfio_iommu_type1)");
	if (ioctl(vfio->container, VFIO_GET_API_VERSION) != VFIO_API_VERSION)
		return fail(error, EXIT_FAILED, ENODEV, "unknown version of the vfio interface");
	return 0;
}

static int open_group(unsigned int group, struct vfio *vfio, GError **error)
{
	char path[32];

	g_snprintf(path, sizeof(path), "/dev/vfio/%u", group);
	vfio->group = open(path, O_RDWR | O_CLOEXEC);
	if (vfio->group >= 0)
		return 0;
	if (errno == EBUSY)
		return fail(error, EXIT_REFUSED, EBUSY, "in use by another process");
	if (errno == EACCES || errno == EPERM)
		return fail(error, EXIT_REFUSED, EACCES,
			    "no permission for %s (run as root, or give access to it)", path);
	return fail(error, EXIT_FAILED, errno, "cannot open %s: %s", path, g_strerror(errno));
}

static int join_container(struct vfio *vfio, GError **error)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};

	if (ioctl(vfio->group, VFIO_GROUP_GET_STATUS, &status) ||
	    !(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return fail(error, EXIT_FAILED, EINVAL,
			    "its IOMMU group is not viable (bind all its devices to vfio)");
	if (ioctl(vfio->group, VFIO_GROUP_SET_CONTAINER, &vfio->container))
		return fail(error, EXIT_FAILED, errno, "cannot join the vfio container: %s",
			    g_strerror(errno));
	if (ioctl(vfio->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return fail(error, EXIT_FAILED, errno, "cannot set up the vfio IOMMU: %s",
			    g_strerror(errno));
	return 0;
}

static int get_device(struct vfio *vfio, int group, const char *name, GError **error)
{
	vfio->device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name);
	if (vfio->device >= 0)
		return 0;
	if (errno == ESRCH)
		return fail(error, EXIT_FAILED, ESRCH, "its driver wants a virtual machine first");
	return fail(error, EXIT_FAILED, errno, "cannot open the device: %s", g_strerror(errno));
}

int vfio_open(const char *name, unsigned int group, struct vfio *vfio, GError **error)
{
	int ret;

	*vfio = VFIO_CLOSED;
	ret = open_container(vfio, error);
	if (!ret)
		ret = open_group(group, vfio, error);
	if (!ret)
		ret = join_container(vfio, error);
	if (!ret)
		ret = get_device(vfio, vfio->group, name, error);
	if (ret)
		vfio_close(vfio);
	return ret;
}

int vfio_attach(const char *name, const struct owner *owner, struct vfio *vfio, GError **error)
{
	int group, ret;

	*vfio = VFIO_CLOSED;
	vfio->owner = *owner;
	vfio->pidfd = (int)syscall(SYS_pidfd_open, owner->pid, 0);
	if (vfio->pidfd < 0)
		return fail(error, EXIT_FAILED, ESRCH, "its owner, process %d, has gone",
			    (int)owner->pid);
	group = (int)syscall(SYS_pidfd_getfd, vfio->pidfd, owner->group_fd, 0);
	if (group < 0) {
		ret = errno == EPERM
			      ? fail(error, EXIT_REFUSED, EACCES,
				     "in use by process %d, which may not be attached to (needs "
				     "CAP_SYS_PTRACE over it: run as root)",
				     (int)owner->pid)
			      : fail(error, EXIT_FAILED, ESRCH,
				     "its owner, process %d, has let it go", (int)owner->pid);
	} else {
		/* The number may name another file by now; the group answers for its devices only.
		 */
		ret = owner_holds(owner)
			      ? get_device(vfio, group, name, error)
			      : fail(error, EXIT_FAILED, ESRCH,
				     "its owner, process %d, has let it go", (int)owner->pid);
		close(group);
	}
	if (ret)
		vfio_close(vfio);
	return ret;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void vfio_close(struct vfio *vfio)
{
	close_fd(&vfio->device);
	close_fd(&vfio->group);
	close_fd(&vfio->container);
	close_fd(&vfio->pidfd);
}

static int query(const struct vfio *vfio, enum plane_type type, uint32_t flags,
		 struct vfio_device_gfx_plane_info *info)
{
	/* Zeroed before each call: some drivers leave it untouched when the plane is off. */
	memset(info, 0, sizeof(*info));
	info->argsz = sizeof(*info);
	info->flags = flags;
	info->drm_plane_type = type;
	return ioctl(vfio->device, VFIO_DEVICE_QUERY_GFX_PLANE, info) < 0 ? -errno : 0;
}

bool vfio_probe(const struct vfio *vfio, enum plane_type type, uint32_t transport)
{
	struct vfio_device_gfx_plane_info info;

	return !query(vfio, type, VFIO_GFX_PLANE_TYPE_PROBE | transport, &info);
}

int vfio_query_plane(const struct vfio *vfio, enum plane_type type, uint32_t transport,
		     struct vfio_device_gfx_plane_info *info)
{
	return query(vfio, type, transport, info);
}

int vfio_get_dmabuf(const struct vfio *vfio, uint32_t id)
{
	int fd = ioctl(vfio->device, VFIO_DEVICE_GET_GFX_DMABUF, &id);

	if (fd < 0)
		return -errno;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

int vfio_region_info(const struct vfio *vfio, uint32_t index, struct vfio_region_info *info)
{
	memset(info, 0, sizeof(*info));
	info->argsz = sizeof(*info);
	info->index = index;
	return ioctl(vfio->device, VFIO_DEVICE_GET_REGION_INFO, info) < 0 ? -errno : 0;
}
