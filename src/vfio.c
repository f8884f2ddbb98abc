/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vfio.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"

/* From linux 6.6's vfio.h, where the build machine's is older. */
#ifndef VFIO_DEVICE_BIND_IOMMUFD
struct vfio_device_bind_iommufd {
	uint32_t argsz;
	uint32_t flags;
	int32_t iommufd;
	uint32_t out_devid;
};
#define VFIO_DEVICE_BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)
#endif

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

/* Opens a device's or group's node: a single process may have it open. */
static int open_node(const char *path, int *fd, GError **error)
{
	*fd = open(path, O_RDWR | O_CLOEXEC);
	if (*fd >= 0)
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
	int errnum;

	vfio->device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name);
	if (vfio->device >= 0)
		return 0;
	errnum = errno;
	return fail(error, EXIT_FAILED, errnum, "cannot open the device: %s", g_strerror(errnum));
}

static int open_by_group(const char *name, const char *node, struct vfio *vfio, GError **error)
{
	int ret = open_container(vfio, error);

	if (!ret)
		ret = open_node(node, &vfio->group, error);
	if (!ret)
		ret = join_container(vfio, error);
	if (ret)
		return ret;
	vfio->device = ioctl(vfio->group, VFIO_GROUP_GET_DEVICE_FD, name);
	if (vfio->device >= 0)
		return 0;
	if (errno == ESRCH)
		ret = kvm_open(vfio->group, &vfio->kvm, error);
	return ret ? ret : get_device(vfio, vfio->group, name, error);
}

static int bind_iommufd(struct vfio *vfio)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = vfio->container,
	};

	return ioctl(vfio->device, VFIO_DEVICE_BIND_IOMMUFD, &bind) ? -errno : 0;
}

/* No address space is attached: planecast lets no device read or write memory. */
static int open_by_cdev(const char *node, struct vfio *vfio, GError **error)
{
	int ret = open_node(node, &vfio->device, error);

	if (ret)
		return ret;
	vfio->container = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (vfio->container < 0)
		return fail(error, errno == EACCES ? EXIT_REFUSED : EXIT_FAILED, errno,
			    "cannot open /dev/iommu: %s (modprobe iommufd)", g_strerror(errno));
	ret = bind_iommufd(vfio);
	if (ret == -ESRCH) {
		ret = kvm_open(vfio->device, &vfio->kvm, error);
		if (ret)
			return ret;
		ret = bind_iommufd(vfio);
	}
	return ret ? fail(error, EXIT_FAILED, -ret, "cannot open the device: %s", g_strerror(-ret))
		   : 0;
}

int vfio_open(const char *name, const struct device_nodes *nodes, struct vfio *vfio, GError **error)
{
	int ret;

	*vfio = VFIO_CLOSED;
	ret = nodes->group ? open_by_group(name, nodes->group, vfio, error)
			   : open_by_cdev(nodes->cdev, vfio, error);
	if (ret)
		vfio_close(vfio);
	return ret;
}

int vfio_adopt(int fd, struct vfio *vfio, GError **error)
{
	struct vfio_device_info info = {.argsz = sizeof(info)};

	*vfio = VFIO_CLOSED;
	if (ioctl(fd, VFIO_DEVICE_GET_INFO, &info))
		return fail(error, EXIT_FAILED, ENODEV,
			    "not an open vfio device (pass the descriptor of "
			    "VFIO_GROUP_GET_DEVICE_FD): %s",
			    g_strerror(errno));
	vfio->device = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return vfio->device < 0 ? fail(error, EXIT_FAILED, errno, "%s", g_strerror(errno)) : 0;
}

static int let_go(const struct owner *owner, GError **error)
{
	return fail(error, EXIT_FAILED, ESRCH, "its owner, process %d, has let it go",
		    (int)owner->pid);
}

/* What the duplicate is good for: a group answers for its own devices only, a cdev is the device.
 */
static int use_duplicate(const char *name, int fd, struct vfio *vfio, GError **error)
{
	int ret;

	/* The number may have come to name another file before it was duplicated. */
	if (!owner_holds(&vfio->owner)) {
		close(fd);
		return let_go(&vfio->owner, error);
	}
	if (owner_has_cdev(&vfio->owner)) {
		vfio->device = fd;
		return 0;
	}
	ret = get_device(vfio, fd, name, error);
	close(fd);
	return ret;
}

int vfio_attach(const char *name, const struct owner *owner, struct vfio *vfio, GError **error)
{
	int fd, ret;

	*vfio = VFIO_CLOSED;
	vfio->owner = *owner;
	vfio->pidfd = (int)syscall(SYS_pidfd_open, owner->pid, 0);
	if (vfio->pidfd < 0)
		return fail(error, EXIT_FAILED, ESRCH, "its owner, process %d, has gone",
			    (int)owner->pid);
	fd = (int)syscall(SYS_pidfd_getfd, vfio->pidfd, owner->fd, 0);
	if (fd >= 0)
		ret = use_duplicate(name, fd, vfio, error);
	else if (errno == EPERM)
		ret = fail(error, EXIT_REFUSED, EACCES,
			   "in use by process %d, which may not be attached to (needs "
			   "CAP_SYS_PTRACE over it: run as root)",
			   (int)owner->pid);
	else
		ret = let_go(owner, error);
	if (ret)
		vfio_close(vfio);
	return ret;
}

int vfio_request_event(const struct vfio *vfio)
{
	struct {
		struct vfio_irq_set header;
		int32_t fd;
	} set = {
		.header =
			{
				.argsz = sizeof(set),
				.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
				.index = VFIO_PCI_REQ_IRQ_INDEX,
				.count = 1,
			},
		.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	int ret;

	if (set.fd < 0)
		return -errno;
	if (!ioctl(vfio->device, VFIO_DEVICE_SET_IRQS, &set))
		return set.fd;
	ret = -errno;
	close(set.fd);
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
	kvm_close(&vfio->kvm);
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
