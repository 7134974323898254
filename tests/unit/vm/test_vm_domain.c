/* SPDX-License-Identifier: Apache-2.0 */
/* test_vm_domain.c - the domain's XML and the guest's configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/vm/vm_domain.h"
#include "control/vm/vm_image.h"

static const struct vm_image image = { .kernel = "/i/vmlinuz",
				       .initrd = "/i/initrd.img",
				       .root = "/i/sm.sqfs" };

static struct vm_domain domain(void)
{
	return (struct vm_domain){ .name = "sm",
				   .uuid = "01900000-0000-7000-8000-000000000001",
				   .template_name = "sm",
				   .mac = "52:54:00:00:00:01",
				   .bridge = "aura0",
				   .cpus = 2,
				   .memory_mib = 128,
				   .image = &image,
				   .cmdline = "console=ttyS0",
				   .data_disk = "/d/data.qcow2",
				   .config_file = "/d/config.json",
				   .log_file = "/l/sm.log" };
}

static void has(const char *xml, const char *text)
{
	if (!strstr(xml, text))
		fail_msg("'%s' is not in %s", text, xml);
}

static void says_what_a_guest_is(void **state)
{
	struct vm_domain d = domain();
	char *xml = vm_domain_xml(&d);

	(void)state;
	assert_non_null(xml);
	has(xml, "<domain type='qemu'><name>aurabox-sm</name>");
	has(xml, "xmlns:aurabox='urn:aurabox:vm:1' name='sm' template='sm'");
	has(xml, "<memory unit='MiB'>128</memory><vcpu>2</vcpu>");
	has(xml, "machine='q35'");
	has(xml, "<kernel>/i/vmlinuz</kernel>");
	has(xml, "<entry name='opt/com.aurabox/config' file='/d/config.json'/>");
	has(xml, "<readonly/>");
	has(xml, "<mac address='52:54:00:00:00:01'/>");
	has(xml, "<source bridge='aura0'/>");
	has(xml, "name='com.aurabox.agent.0'");
	has(xml, "<log file='/l/sm.log' append='on'/>");
	has(xml, "<on_reboot>destroy</on_reboot>");
	has(xml, "tb-cache");
	free(xml);
}

static void kvm_only_where_told(void **state)
{
	struct vm_domain d = domain();
	char *xml;

	(void)state;
	d.kvm = true;
	d.data_disk = NULL;
	xml = vm_domain_xml(&d);
	assert_non_null(xml);
	has(xml, "<domain type='kvm'>");
	assert_null(strstr(xml, "tb-cache"));
	assert_null(strstr(xml, "vdb"));
	free(xml);
}

static void values_cannot_break_out(void **state)
{
	struct vm_domain d = domain();
	char *xml;

	(void)state;
	d.bridge = "a'/><evil x='";
	d.cmdline = "</cmdline><evil>&\"\n";
	xml = vm_domain_xml(&d);
	assert_non_null(xml);
	assert_null(strstr(xml, "<evil"));
	has(xml, "a&apos;/&gt;&lt;evil");
	has(xml, "<cmdline>&lt;/cmdline&gt;&lt;evil&gt;&amp;&quot;</cmdline>");
	free(xml);
}

static void guest_learns_who_it_is(void **state)
{
	json_t *options = json_pack("{s:s}", "registrar.max_contacts", "10");
	struct vm_guest g = { .name = "sm",
			      .template_name = "sm",
			      .uuid = "u",
			      .sip_domain = "d.internal",
			      .address = "10.77.0.11",
			      .prefix = 24,
			      .gateway = "10.77.0.1",
			      .advertise = "",
			      .time = "2026-01-01T00:00:00Z",
			      .peers = { { "smgr", "10.77.0.10" } },
			      .peer_count = 1,
			      .options = options };
	json_t *c = vm_guest_config(&g);
	char *text = json_dumps(c, JSON_COMPACT);

	(void)state;
	assert_string_equal(
		text,
		"{\"schema\":1,\"name\":\"sm\",\"template\":\"sm\",\"instance\":\"u\","
		"\"domain\":\"d.internal\",\"interface\":\"eth0\","
		"\"addresses\":[\"10.77.0.11/24\"],\"gateway\":\"10.77.0.1\",\"advertise\":\"\","
		"\"peers\":{\"smgr\":\"10.77.0.10\"},\"time\":\"2026-01-01T00:00:00Z\","
		"\"options\":{\"registrar.max_contacts\":\"10\"}}");
	free(text);
	json_decref(c);
	json_decref(options);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_a_guest_is),
		cmocka_unit_test(kvm_only_where_told),
		cmocka_unit_test(values_cannot_break_out),
		cmocka_unit_test(guest_learns_who_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
