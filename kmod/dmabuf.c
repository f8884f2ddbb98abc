// SPDX-License-Identifier: GPL-2.0-or-later
#include "dmabuf.h"

#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/fcntl.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "compat.h"
#include "dirty.h"
#include "memory.h"

MPLANE_IMPORT_DMA_BUF();

struct mplane_attachment {
	struct device *dev;
	struct sg_table sgt;
	struct list_head list;
	bool mapped;
};

/*
 * A BAR's pages come back from the plain fault path, not from vmf_insert_page(): only then can
 * they be write-protected again and KVM's writes be seen (measured on 6.1, 6.12 and 7.2).
 */
static vm_fault_t mplane_bar_fault(struct vm_fault *vmf)
{
	struct mplane_buffer *buffer = vmf->vma->vm_private_data;
	struct page *page;

	if (vmf->pgoff >= buffer->count)
		return VM_FAULT_SIGBUS;
	page = buffer->memory->pages[buffer->first + vmf->pgoff];
	get_page(page);
	vmf->page = page;
	return 0;
}

static vm_fault_t mplane_bar_write(struct vm_fault *vmf)
{
	struct mplane_buffer *buffer = vmf->vma->vm_private_data;

	mplane_dirty_fault(buffer->dirty, vmf->pgoff, vmf->page);
	return VM_FAULT_LOCKED;
}

static const struct vm_operations_struct mplane_bar_vm_ops = {
	.fault = mplane_bar_fault,
	.page_mkwrite = mplane_bar_write,
};

/* The page goes in under the semaphore, so that no entry of before a move survives it. */
static vm_fault_t mplane_reader_fault(struct vm_fault *vmf)
{
	struct mplane_buffer *buffer = vmf->vma->vm_private_data;
	vm_fault_t result = VM_FAULT_SIGBUS;
	unsigned long page;

	down_read(&buffer->move);
	page = buffer->first + vmf->pgoff;
	if (vmf->pgoff < buffer->count && page < buffer->memory->count)
		result = vmf_insert_page(vmf->vma, vmf->address, buffer->memory->pages[page]);
	up_read(&buffer->move);
	return result;
}

static const struct vm_operations_struct mplane_reader_vm_ops = {
	.fault = mplane_reader_fault,
};

static int mplane_dmabuf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct mplane_buffer *buffer = dmabuf->priv;

	vma->vm_private_data = buffer;
	if (buffer->flags & MPLANE_BUFFER_NO_CPU)
		return -ENODEV;
	if (buffer->flags & MPLANE_BUFFER_WRITABLE) {
		if (!(vma->vm_flags & VM_SHARED))
			return -EINVAL;
		vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP);
		vma->vm_ops = &mplane_bar_vm_ops;
		return 0;
	}
	if (vma->vm_flags & VM_WRITE)
		return -EPERM;
	vm_flags_clear(vma, VM_MAYWRITE);
	vm_flags_set(vma, VM_DONTEXPAND | VM_DONTDUMP | VM_MIXEDMAP);
	vma->vm_ops = &mplane_reader_vm_ops;
	return 0;
}

static int mplane_dmabuf_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attachment)
{
	struct mplane_buffer *buffer = dmabuf->priv;
	struct mplane_attachment *own;
	int ret;

	own = kzalloc(sizeof(*own), GFP_KERNEL);
	if (!own)
		return -ENOMEM;
	down_read(&buffer->move);
	if (buffer->first + buffer->count > buffer->memory->count)
		ret = -EINVAL;
	else
		ret = sg_alloc_table_from_pages(&own->sgt, buffer->memory->pages + buffer->first,
						buffer->count, 0, buffer->count << PAGE_SHIFT,
						GFP_KERNEL);
	up_read(&buffer->move);
	if (ret) {
		kfree(own);
		return ret;
	}
	own->dev = attachment->dev;
	attachment->priv = own;
	mutex_lock(&buffer->attachments_lock);
	list_add(&own->list, &buffer->attachments);
	mutex_unlock(&buffer->attachments_lock);
	return 0;
}

static void mplane_dmabuf_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attachment)
{
	struct mplane_buffer *buffer = dmabuf->priv;
	struct mplane_attachment *own = attachment->priv;

	mutex_lock(&buffer->attachments_lock);
	list_del(&own->list);
	mutex_unlock(&buffer->attachments_lock);
	sg_free_table(&own->sgt);
	kfree(own);
}

static struct sg_table *mplane_dmabuf_map(struct dma_buf_attachment *attachment,
					  enum dma_data_direction direction)
{
	struct mplane_buffer *buffer = attachment->dmabuf->priv;
	struct mplane_attachment *own = attachment->priv;
	int ret;

	mutex_lock(&buffer->attachments_lock);
	ret = dma_map_sgtable(attachment->dev, &own->sgt, direction, 0);
	own->mapped = !ret;
	mutex_unlock(&buffer->attachments_lock);
	return ret ? ERR_PTR(ret) : &own->sgt;
}

static void mplane_dmabuf_unmap(struct dma_buf_attachment *attachment, struct sg_table *sgt,
				enum dma_data_direction direction)
{
	struct mplane_buffer *buffer = attachment->dmabuf->priv;
	struct mplane_attachment *own = attachment->priv;

	mutex_lock(&buffer->attachments_lock);
	own->mapped = false;
	dma_unmap_sgtable(attachment->dev, sgt, direction, 0);
	mutex_unlock(&buffer->attachments_lock);
}

static int mplane_dmabuf_begin(struct dma_buf *dmabuf, enum dma_data_direction direction)
{
	struct mplane_buffer *buffer = dmabuf->priv;
	struct mplane_attachment *own;

	mutex_lock(&buffer->attachments_lock);
	list_for_each_entry(own, &buffer->attachments, list)
		if (own->mapped)
			dma_sync_sgtable_for_cpu(own->dev, &own->sgt, direction);
	mutex_unlock(&buffer->attachments_lock);
	return 0;
}

static int mplane_dmabuf_end(struct dma_buf *dmabuf, enum dma_data_direction direction)
{
	struct mplane_buffer *buffer = dmabuf->priv;
	struct mplane_attachment *own;

	mutex_lock(&buffer->attachments_lock);
	list_for_each_entry(own, &buffer->attachments, list)
		if (own->mapped)
			dma_sync_sgtable_for_device(own->dev, &own->sgt, direction);
	mutex_unlock(&buffer->attachments_lock);
	return 0;
}

/* Only fixed buffers get a descriptor, so the memory cannot move under an importer. */
static int mplane_dmabuf_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct mplane_buffer *buffer = dmabuf->priv;

	iosys_map_set_vaddr(map, buffer->memory->data + (buffer->first << PAGE_SHIFT));
	return 0;
}

static void mplane_buffer_destroy(struct mplane_buffer *buffer)
{
	if (buffer->dirty)
		mplane_dirty_finish(buffer->dirty);
	kfree(buffer->dirty);
	mplane_memory_release(buffer->memory);
	mutex_destroy(&buffer->attachments_lock);
	kfree(buffer);
}

static void mplane_dmabuf_release(struct dma_buf *dmabuf)
{
	mplane_buffer_destroy(dmabuf->priv);
}

static const struct dma_buf_ops mplane_dmabuf_ops = {
	.attach = mplane_dmabuf_attach,
	.detach = mplane_dmabuf_detach,
	.map_dma_buf = mplane_dmabuf_map,
	.unmap_dma_buf = mplane_dmabuf_unmap,
	.begin_cpu_access = mplane_dmabuf_begin,
	.end_cpu_access = mplane_dmabuf_end,
	.mmap = mplane_dmabuf_mmap,
	.vmap = mplane_dmabuf_vmap,
	.release = mplane_dmabuf_release,
};

int mplane_buffer_create(struct mplane_memory *memory, unsigned long first, unsigned long count,
			 unsigned int flags, struct mplane_buffer **buffer)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct mplane_buffer *own;
	int ret = -ENOMEM;

	if (!count || first + count > memory->count)
		return -EINVAL;
	own = kzalloc(sizeof(*own), GFP_KERNEL);
	if (!own)
		return -ENOMEM;
	init_rwsem(&own->move);
	mutex_init(&own->attachments_lock);
	INIT_LIST_HEAD(&own->attachments);
	own->first = first;
	own->count = count;
	own->flags = flags;
	own->memory = mplane_memory_acquire(memory);
	if (flags & MPLANE_BUFFER_WRITABLE) {
		own->dirty = kzalloc(sizeof(*own->dirty), GFP_KERNEL);
		if (!own->dirty || mplane_dirty_init(own->dirty, count))
			goto fail;
	}

	info.ops = &mplane_dmabuf_ops;
	info.size = count << PAGE_SHIFT;
	/* Without O_RDWR the kernel turns shared mappings into private ones. */
	info.flags = O_RDWR;
	info.priv = own;
	own->dmabuf = dma_buf_export(&info);
	if (IS_ERR(own->dmabuf)) {
		ret = PTR_ERR(own->dmabuf);
		goto fail;
	}
	*buffer = own;
	return 0;

fail:
	mplane_buffer_destroy(own);
	return ret;
}

void mplane_buffer_release(struct mplane_buffer *buffer)
{
	if (buffer)
		dma_buf_put(buffer->dmabuf);
}

void mplane_buffer_move(struct mplane_buffer *buffer, struct mplane_memory *memory,
			unsigned long first)
{
	struct mplane_memory *old = NULL;

	down_write(&buffer->move);
	if (buffer->memory != memory || buffer->first != first) {
		old = buffer->memory;
		buffer->memory = mplane_memory_acquire(memory);
		buffer->first = first;
		unmap_mapping_range(buffer->dmabuf->file->f_mapping, 0, 0, 1);
	}
	up_write(&buffer->move);
	mplane_memory_release(old);
}

int mplane_buffer_mmap(struct mplane_buffer *buffer, struct vm_area_struct *vma,
		       unsigned long offset)
{
	return dma_buf_mmap(buffer->dmabuf, vma, offset);
}

int mplane_buffer_fd(struct mplane_buffer *buffer)
{
	int fd;

	get_dma_buf(buffer->dmabuf);
	fd = dma_buf_fd(buffer->dmabuf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(buffer->dmabuf);
	return fd;
}
