/* SPDX-License-Identifier: Apache-2.0 */
/* vm_hyper.h - the hypervisor: one libvirt connection, its event thread, domains and guest channels.
 *
 * All calls may block (libvirt waits up to 30 s for its own locks) and belong on job threads. The callbacks
 * come on libvirt's event thread: they only note and enqueue. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct vm_channel; /* opaque, counted */
struct vm_hyper;   /* opaque, see vm_hyper.c */

#define VM_UUID_SIZE 37
#define VM_HYPER_DOMAINS_MAX 256

struct vm_hyper_ops {
	/* A domain ended, for whatever reason. */
	void (*stopped)(void *arg, const char *uuid);
	/* The connection broke: nothing is known until vm_hyper_connect() works again. */
	void (*broken)(void *arg);
	/* Bytes from a guest's channel, and its end (exactly once, none after it). */
	void (*channel_data)(void *arg, struct vm_channel *channel, const char *uuid,
			     const char *bytes, size_t len);
	void (*channel_closed)(void *arg, struct vm_channel *channel, const char *uuid);
};

struct vm_hyper_domain {
	char uuid[VM_UUID_SIZE];
	char name[128]; /* the domain's */
	bool ours;	/* carries our metadata; looked at only when all are listed */
	bool active, paused;
};

/* Start the event thread; connects with vm_hyper_connect(). ops must outlive it. One a process.
 * Errors: -EAGAIN no thread, -EIO. */
int vm_hyper_new(const char *uri, const struct vm_hyper_ops *ops, void *arg, struct vm_hyper **ret,
		 struct error *err);
struct vm_hyper *vm_hyper_free(struct vm_hyper *h); /* domains go on running */
DEFINE_AUTO(vm_hyper)

/* Connect if not connected. Errors: -ENOTCONN with libvirt's words. */
int vm_hyper_connect(struct vm_hyper *h, struct error *err);
bool vm_hyper_connected(struct vm_hyper *h);
/* libvirt's and the hypervisor's version as major * 1000000 + minor * 1000 + release; 0 unknown. */
void vm_hyper_versions(struct vm_hyper *h, unsigned long *libvirt, unsigned long *qemu);

/* Errors of all below: -ENOTCONN, -ENOENT no such domain, -EBUSY its state forbids it, -EIO with
 * libvirt's words. */
int vm_hyper_define(struct vm_hyper *h, const char *xml, struct error *err);
int vm_hyper_undefine(struct vm_hyper *h, const char *uuid, struct error *err);
int vm_hyper_start(struct vm_hyper *h, const char *uuid, struct error *err);
int vm_hyper_destroy(struct vm_hyper *h, const char *uuid, struct error *err);
int vm_hyper_acpi_shutdown(struct vm_hyper *h, const char *uuid, struct error *err);
/* 1 active, 0 not. */
int vm_hyper_active(struct vm_hyper *h, const char *uuid, struct error *err);
/* Domains into items; returns how many. */
int vm_hyper_list(struct vm_hyper *h, bool active_only, struct vm_hyper_domain *items, size_t max,
		  struct error *err);

/* Open the guest's virtio-serial port. The caller owns *ret and gives it back with
 * vm_channel_close(). */
int vm_channel_open(struct vm_hyper *h, const char *uuid, const char *port, struct vm_channel **ret,
		    struct error *err);
struct vm_channel *vm_channel_close(struct vm_channel *channel); /* accepts NULL */
bool vm_channel_is_closed(const struct vm_channel *channel);
/* Any thread, does not wait. Errors: -EAGAIN the guest does not read, -EPIPE closed. */
int vm_channel_send(struct vm_channel *channel, const char *bytes, size_t len);
