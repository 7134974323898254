/* SPDX-License-Identifier: Apache-2.0 */
/* agent_wire.h - words of the agent channel: JSON lines between auraboxd and aurabox-agent. */
#pragma once

#define AGENT_PORT_NAME "com.aurabox.agent.0" /* of the virtio-serial port */
#define AGENT_LINE_MAX 65536		      /* bytes of one line; longer ones are dropped */
#define AGENT_STATUS_INTERVAL 2000	      /* ms between two statuses */
#define AGENT_CSR_INTERVAL 5000		      /* ms until an unanswered request is repeated */
#define AGENT_FREEZE_MAX_S 120		      /* the guest thaws itself after this at the latest */

#define AGENT_CONFIG_FW_CFG "opt/com.aurabox/config"
#define AGENT_CONFIG_MAX 65536

/* Guest to host, member "type". */
#define AGENT_HELLO "hello"   /* agent, name, boot_id; also the host's wish to hear it */
#define AGENT_CSR "csr"	      /* csr: PEM */
#define AGENT_STATUS "status" /* ready, reason, uptime_s, memory_*_kib, data_*_bytes, load1 */
#define AGENT_PONG "pong"     /* id */
#define AGENT_REPLY "reply"   /* id, ok, reason when not ok */
/* Host to guest. */
#define AGENT_CERTIFICATE "certificate" /* certificate, ca: PEM; time: RFC 3339 */
#define AGENT_PING "ping"		/* id */
#define AGENT_SHUTDOWN "shutdown"	/* id */
#define AGENT_FREEZE "freeze"		/* id, timeout_s */
#define AGENT_THAW "thaw"		/* id */
