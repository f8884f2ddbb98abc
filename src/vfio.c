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

/* Whoever opens has looked for an owner before, and has seen none. */
static int in_use(GError **error)
{
	return fail(error, EXIT_REFUSED, EBUSY, "%s",
		    owner_is_confined()
			    ? "in use by a process outside of this container (share the host's "
			      "PID namespace with it, and give it CAP_SYS_PTRACE)"
			    : "in use by a process that may not be looked at (run as root, or with "
			      "CAP_SYS_PTRACE over it)");
}

/* Opens a node of vfio's; absent says what it means that there is none. */
static int open_node(const char *path, const char *absent, int *fd, GError **error)
{
	*fd = open(path, O_RDWR | O_CLOEXEC);
	if (*fd >= 0)
		return 0;
	if (errno == EBUSY)
		return in_use(error);
	if (errno == EACCES || errno == EPERM)
		return fail(error, EXIT_REFUSED, EACCES,
			    "no permission for %s (run as root, or give access to it)", path);
	if (errno == ENOENT || errno == ENODEV)
		return fail(error, EXIT_FAILED, ENODEV, "%s", absent);
	return fail(error, EXIT_FAILED, errno, "cannot open %s: %s", path, g_strerror(errno));
}

static int open_container(struct vfio *vfio, GError **error)
{
	int ret = open_node("/dev/vfio/vfio", "no vfio on this host (modprobe vfio_iommu_type1)",
			    &vfio->container, error);

	if (!ret && ioctl(vfio->container, VFIO_GET_API_VERSION) != VFIO_API_VERSION)
		ret = fail(error, EXIT_FAILED, ENODEV, "unknown version of the vfio interface");
	return ret;
}

static int join_container(struct vfio *vfio, GError **error)
{
	struct vfio_group_status status = {.argsz = sizeof(status)};

	if (ioctl(vfio->group, VFIO_GROUP_GET_STATUS, &status))
		return fail(error, EXIT_FAILED, errno, "cannot ask its IOMMU group: %s",
			    g_strerror(errno));
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
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

static int cannot_open(int errnum, GError **error)
{
	return fail(error, EXIT_FAILED, errnum, "cannot open the device: %s", g_strerror(errnum));
}

static int get_device(struct vfio *vfio, int group, const char *name)
{
	vfio->device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name);
	return vfio->device < 0 ? -errno : 0;
}

static int open_by_group(const char *name, const char *node, struct vfio *vfio, GError **error)
{
	int ret = open_container(vfio, error);

	if (!ret)
		ret = open_node(node,
				"the node of its IOMMU group is not here (a container must be "
				"given /dev/vfio)",
				&vfio->group, error);
	if (!ret)
		ret = join_container(vfio, error);
	if (ret)
		return ret;
	ret = get_device(vfio, vfio->group, name);
	if (ret == -ESRCH) {
		ret = kvm_open(vfio->group, &vfio->kvm, error);
		if (ret)
			return ret;
		ret = get_device(vfio, vfio->group, name);
	}
	return ret ? cannot_open(-ret, error) : 0;
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
	int ret = open_node(node, "its node is not here (a container must be given /dev/vfio)",
			    &vfio->device, error);

	if (!ret)
		ret = open_node("/dev/iommu", "no iommufd on this host (modprobe iommufd)",
				&vfio->container, error);
	if (ret)
		return ret;
	ret = bind_iommufd(vfio);
	if (ret == -ESRCH) {
		ret = kvm_open(vfio->device, &vfio->kvm, error);
		if (ret)
			return ret;
		ret = bind_iommufd(vfio);
	}
	/* Anybody may open the node; a second to bind it is told so (linux vfio_df_open()). */
	if (ret == -EINVAL)
		return in_use(error);
	return ret ? cannot_open(-ret, error) : 0;
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

static int cannot_attach(const struct owner *owner, int errnum, GError **error)
{
	if (errnum == EPERM && owner_may_trace())
		return fail(error, EXIT_REFUSED, EACCES,
			    "in use by process %d, which may not be attached to in spite of "
			    "CAP_SYS_PTRACE (its user namespace is another, or a seccomp filter "
			    "forbids pidfd_getfd: run outside of the container)",
			    (int)owner->pid);
	if (errnum == EPERM)
		return fail(error, EXIT_REFUSED, EACCES,
			    "in use by process %d, which may not be attached to (needs "
			    "CAP_SYS_PTRACE over it: run as root)",
			    (int)owner->pid);
	if (errnum == ENOSYS)
		return fail(error, EXIT_FAILED, ENOSYS,
			    "in use by process %d, and this kernel cannot attach to it (linux 5.6 "
			    "can)",
			    (int)owner->pid);
	return fail(error, EXIT_FAILED, errnum, "cannot attach to its owner, process %d: %s",
		    (int)owner->pid, g_strerror(errnum));
}

/* What the duplicate is good for: a group answers for its own devices only, a cdev is the device.
 */
static int use_duplicate(const char *name, int fd, struct vfio *vfio, GError **error)
{
	int ret;

	/* The number may have come to name another file before it was duplicated. */
	if (!owner_is_duplicate(&vfio->owner, fd)) {
		close(fd);
		return let_go(&vfio->owner, error);
	}
	if (owner_has_cdev(&vfio->owner)) {
		vfio->device = fd;
		return 0;
	}
	ret = get_device(vfio, fd, name);
	close(fd);
	return ret ? cannot_open(-ret, error) : 0;
}

int vfio_attach(const char *name, const struct owner *owner, struct vfio *vfio, GError **error)
{
	int fd, ret;

	*vfio = VFIO_CLOSED;
	vfio->owner = *owner;
	vfio->pidfd = (int)syscall(SYS_pidfd_open, owner->pid, 0);
	if (vfio->pidfd < 0 && errno == ESRCH)
		return fail(error, EXIT_FAILED, ESRCH, "its owner, process %d, has gone",
			    (int)owner->pid);
	if (vfio->pidfd < 0)
		return cannot_attach(owner, errno, error);
	fd = (int)syscall(SYS_pidfd_getfd, vfio->pidfd, owner->fd, 0);
	if (fd >= 0)
		ret = use_duplicate(name, fd, vfio, error);
	else if (errno == EBADF || errno == ESRCH)
		ret = let_go(owner, error);
	else
		ret = cannot_attach(owner, errno, error);
	if (ret)
		vfio_close(vfio);
	return ret;
}

int vfio_set_event(int device, uint32_t index, uint32_t place, int fd)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set) + sizeof(int32_t),
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = index,
		.start = place,
		.count = 1,
	};
	_Alignas(struct vfio_irq_set) char bytes[sizeof(set) + sizeof(int32_t)];
	int32_t event = fd;

	memcpy(bytes, &set, sizeof(set));
	memcpy(bytes + sizeof(set), &event, sizeof(event));
	return ioctl(device, VFIO_DEVICE_SET_IRQS, bytes) ? -errno : 0;
}

int vfio_request_event(const struct vfio *vfio)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), ret;

	if (fd < 0)
		return -errno;
	ret = vfio_set_event(vfio->device, VFIO_PCI_REQ_IRQ_INDEX, 0, fd);
	if (!ret)
		return fd;
	close(fd);
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
	int ret = query(vfio, type, transport, info);

	/* Some drivers fail the first query after a mode change (mbochs: -ENOMEM). */
	if (ret == -ENOMEM || ret == -EAGAIN || ret == -EINTR)
		ret = query(vfio, type, transport, info);
	return ret;
}

int vfio_get_dmabuf(const struct vfio *vfio, uint32_t id)
{
	int fd = ioctl(vfio->device, VFIO_DEVICE_GET_GFX_DMABUF, &id);

	if (fd < 0)
		return -errno;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}
