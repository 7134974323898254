/* SPDX-License-Identifier: Apache-2.0 */
/* freeze.c - FIFREEZE and FITHAW (ioctl_fifreeze) with a watchdog in the guest itself. */
#include "agent/freeze.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/agent_wire.h"
#include "base/error.h"
#include "base/job.h"
#include "base/log.h"

static int on_folder(const char *folder, unsigned long request)
{
	AUTO(fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return ioctl(fd, request, 0) < 0 ? -errno : 0;
}

static int freeze_folder(const char *folder)
{
	return on_folder(folder, FIFREEZE);
}

static int thaw_folder(const char *folder)
{
	return on_folder(folder, FITHAW);
}

void freeze_init(struct freeze *f, struct loop *loop, struct job_pool *jobs, const char *folder)
{
	*f = (struct freeze){ .loop = loop,
			      .jobs = jobs,
			      .folder = folder,
			      .answered = f->answered,
			      .freeze_fs = freeze_folder,
			      .thaw_fs = thaw_folder };
	(void)thaw_folder(folder);
}

static int thaw(struct freeze *f)
{
	loop_timer_stop(f->loop, &f->watchdog);
	f->frozen = false;
	return f->thaw_fs(f->folder);
}

static void on_watchdog(struct timer *timer)
{
	struct freeze *f = CONTAINER_OF(timer, struct freeze, watchdog);
	int r = thaw(f);

	log_warning("agent.thawed_by_watchdog", F("after_s", f->timeout_s), F("result", r));
}

static void run_freeze(void *user)
{
	struct freeze *f = user;

	f->result = f->freeze_fs(f->folder);
}

static void after_freeze(void *user)
{
	struct freeze *f = user;

	f->busy = false;
	if (f->result == 0) {
		f->frozen = true;
		loop_timer_start(f->loop, &f->watchdog, (uint64_t)f->timeout_s * 1000, on_watchdog);
	}
	f->answered(f, f->id, f->result);
	if (f->thaw_wanted && f->frozen)
		(void)thaw(f);
	f->thaw_wanted = false;
}

void freeze_begin(struct freeze *f, int64_t id, uint32_t timeout_s)
{
	int r;

	if (f->busy || f->frozen) {
		f->answered(f, id, -EBUSY);
		return;
	}
	if (timeout_s < 1)
		timeout_s = 1;
	f->timeout_s = timeout_s > AGENT_FREEZE_MAX_S ? AGENT_FREEZE_MAX_S : timeout_s;
	f->id = id;
	f->busy = true;
	r = job_submit(f->jobs, run_freeze, after_freeze, f);
	if (r < 0) {
		f->busy = false;
		f->answered(f, id, r);
	}
}

void freeze_end(struct freeze *f, int64_t id)
{
	if (f->busy) {
		f->thaw_wanted = true;
		f->answered(f, id, 0);
		return;
	}
	f->answered(f, id, f->frozen ? thaw(f) : -EINVAL);
}

void freeze_done(struct freeze *f)
{
	if (f->frozen)
		(void)thaw(f);
}
