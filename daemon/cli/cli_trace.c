/* SPDX-License-Identifier: Apache-2.0 */
/* cli_trace.c - SIP messages in the terminal: a call as a ladder, the ladder live, files. */
#include "base/error.h"
#include "base/slice.h"
#include "cli/cli.h"
#include "net/rest_client.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	MARGIN = 14, /* of the time */
	WIDTH_MIN = 14,
	WIDTH_MAX = 28,
	COLUMNS_MAX = 16,
	ROW_SIZE = MARGIN + COLUMNS_MAX * WIDTH_MAX + 1,
	NAME_SIZE = 64,
	RECENT = 128, /* messages remembered to tell a receipt from a second message */
};

static int no_memory(void)
{
	(void)fprintf(stderr, "aurabox: no memory\n");
	return CLI_FAILED;
}

static const char *text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text ? text : "";
}

static int64_t number(const json_t *object, const char *member)
{
	return (int64_t)json_integer_value(json_object_get(object, member));
}

static int screen_width(void)
{
	struct winsize size = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
		return size.ws_col;
	return 120;
}

/* Drawing -------------------------------------------------------------------------------------- */
struct grid {
	int columns, width;
};

static int middle(const struct grid *g, int column)
{
	return MARGIN + column * g->width + g->width / 2;
}

static struct grid grid_of(int columns)
{
	struct grid g = { .columns = columns };

	g.width = columns > 0 ? (screen_width() - MARGIN) / columns : WIDTH_MAX;
	g.width = g.width < WIDTH_MIN ? WIDTH_MIN : g.width > WIDTH_MAX ? WIDTH_MAX : g.width;
	return g;
}

/* ASCII of a peer's words: nothing in them steers the terminal. */
static void put_text(char *line, int at, int room, const char *text)
{
	for (int i = 0; i < room && at + i < ROW_SIZE && text[i]; i++)
		line[at + i] = text[i] >= ' ' && text[i] < 127 ? text[i] : '?';
}

static void put_middle(char *line, int from, int to, const char *text)
{
	int room = to - from, len = (int)strlen(text);

	if (len > room)
		len = room;
	put_text(line, from + (room - len) / 2, len, text);
}

static void print_line(char *line)
{
	int end = ROW_SIZE - 1;

	while (end > 0 && line[end - 1] == ' ')
		end--;
	(void)printf("%.*s\n", end, line);
}

static void blank_line(char *line, const struct grid *g)
{
	memset(line, ' ', ROW_SIZE);
	for (int i = 0; i < g->columns; i++)
		line[middle(g, i)] = '|';
}

static void print_names(const struct grid *g, const char *(*name)(const void *, int),
			const void *user)
{
	char line[ROW_SIZE];

	memset(line, ' ', sizeof(line));
	for (int i = 0; i < g->columns; i++)
		put_middle(line, MARGIN + i * g->width + 1, MARGIN + (i + 1) * g->width - 1,
			   name(user, i));
	print_line(line);
}

static void print_arrow(const struct grid *g, const char *time, int from, int to, const char *label)
{
	char line[ROW_SIZE], text[96];
	int left = middle(g, from < to ? from : to), right = middle(g, from < to ? to : from);

	blank_line(line, g);
	put_text(line, 0, MARGIN - 1, time);
	(void)snprintf(text, sizeof(text), " %s ", label);
	if (from == to) {
		put_text(line, right + 1, g->width - 2, text);
	} else {
		memset(line + left + 1, '-', (size_t)(right - left - 1));
		put_middle(line, left + 3, right - 2, text);
		line[from < to ? right - 1 : left + 1] = from < to ? '>' : '<';
	}
	print_line(line);
}

/* A call -------------------------------------------------------------------------------------- */
static const char *participant(const void *user, int i)
{
	return text_of(json_array_get(user, (size_t)i), "name");
}

static void print_message(const struct grid *g, const json_t *message)
{
	char time[32], label[64];
	int64_t from = number(message, "from"), to = number(message, "to");

	(void)snprintf(time, sizeof(time), "%10.3f", (double)number(message, "offset_us") / 1000);
	(void)snprintf(label, sizeof(label), "%.40s%s%s", text_of(message, "label"),
		       json_is_true(json_object_get(message, "sdp")) ? " SDP" : "",
		       json_is_true(json_object_get(message, "retransmission")) ? " again" : "");
	if (from < 0 || to < 0)
		return;
	print_arrow(g, time, (int)(from < g->columns ? from : g->columns - 1),
		    (int)(to < g->columns ? to : g->columns - 1), label);
}

static void print_ladder(const json_t *ladder)
{
	const json_t *participants = json_object_get(ladder, "participants");
	const json_t *phases = json_object_get(ladder, "phases");
	size_t count = json_array_size(participants), phase = 0, i;
	struct grid g = grid_of(count < COLUMNS_MAX ? (int)count : COLUMNS_MAX);
	json_t *message;

	(void)printf("%s  %s\n\n", text_of(ladder, "started_at"), text_of(ladder, "gsid"));
	print_names(&g, participant, participants);
	json_array_foreach(json_object_get(ladder, "messages"), i, message)
	{
		const json_t *next = json_array_get(phases, phase);

		if (next && number(next, "first") == (int64_t)i) {
			char line[ROW_SIZE];

			blank_line(line, &g);
			put_text(line, 0, MARGIN - 1, text_of(next, "name"));
			print_line(line);
			phase++;
		}
		print_message(&g, message);
	}
	if (json_is_true(json_object_get(ladder, "truncated")))
		(void)printf("(the newest messages of more)\n");
}

int cli_run_trace_ladder(struct cli *cli, const struct cli_command *command)
{
	AUTO(str) char *path = cli_path(cli, command);
	AUTO(json) json_t *ladder = NULL;
	int code;

	if (!path)
		return no_memory();
	code = cli_request(cli, "GET", path, NULL, NULL, NULL, &ladder, NULL);
	if (code != CLI_OK)
		return code;
	if (cli->json)
		cli_print_json(ladder);
	else
		print_ladder(ladder);
	return CLI_OK;
}

int cli_run_trace_show(struct cli *cli, const struct cli_command *command)
{
	AUTO(str) char *path = cli_path(cli, command);
	AUTO(json) json_t *item = NULL;
	int code;

	if (!path)
		return no_memory();
	code = cli_request(cli, "GET", path, NULL, NULL, NULL, &item, NULL);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		cli_print_json(item);
		return CLI_OK;
	}
	(void)printf("%s  %s -> %s over %s\n", text_of(item, "at"), text_of(item, "from"),
		     text_of(item, "to"), text_of(item, "transport"));
	for (const char *p = text_of(item, "message"); *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c != '\r')
			(void)putchar((c < ' ' && c != '\n' && c != '\t') || c == 127 ? '?' : c);
	}
	return CLI_OK;
}

/* Live ------------------------------------------------------------------------------------------ */
struct shown {
	uint64_t bytes; /* hash of the message */
	bool sent;
	char node[16];
};

struct live {
	const struct cli *cli;
	struct grid grid;
	char name[COLUMNS_MAX][NAME_SIZE];
	uint64_t used[COLUMNS_MAX]; /* when a message went there last */
	int room;		    /* columns that fit */
	uint64_t turn;
	struct shown recent[RECENT];
	char event[32];
};

static const char *live_name(const void *user, int i)
{
	return ((const struct live *)user)->name[i];
}

/* The column of a participant; one that is new takes a free place, or the longest unused one. */
static int live_column(struct live *live, const char *name, bool *changed)
{
	int at = 0;

	for (int i = 0; i < live->grid.columns; i++) {
		if (strncmp(live->name[i], name, NAME_SIZE - 1) == 0) {
			live->used[i] = live->turn;
			return i;
		}
		if (live->used[i] < live->used[at])
			at = i;
	}
	if (live->grid.columns < live->room)
		at = live->grid.columns++;
	(void)snprintf(live->name[at], NAME_SIZE, "%s", name);
	live->used[at] = live->turn;
	*changed = true;
	return at;
}

/* The other node has told of this message already. */
static bool is_known(struct live *live, const json_t *item)
{
	uint64_t bytes = slice_hash(slice_str(text_of(item, "message")));
	bool sent = strcmp(text_of(item, "direction"), "out") == 0;
	struct shown *place = &live->recent[live->turn % RECENT];

	for (size_t i = 0; i < RECENT; i++) {
		struct shown *s = &live->recent[i];

		if (s->bytes == bytes && s->node[0] && s->sent != sent &&
		    strcmp(s->node, text_of(item, "node")) != 0) {
			s->node[0] = '\0';
			return true;
		}
	}
	place->bytes = bytes;
	place->sent = sent;
	(void)snprintf(place->node, sizeof(place->node), "%s", text_of(item, "node"));
	return false;
}

/* "INVITE sip:…" is INVITE, "SIP/2.0 200 OK" is 200 OK. */
static void live_label(const json_t *item, char *out, size_t size)
{
	const char *summary = text_of(item, "summary");
	const char *body = strstr(text_of(item, "message"), "\r\n\r\nv=0");
	int len = (int)strcspn(summary, " ");

	if (strncmp(summary, "SIP/2.0 ", 8) == 0) {
		summary += 8;
		len = (int)strlen(summary);
	}
	(void)snprintf(out, size, "%.*s%s", len < 40 ? len : 40, summary, body ? " SDP" : "");
}

static void live_item(struct live *live, const json_t *item)
{
	char label[64], time[16];
	bool changed = false;
	int from, to;

	live->turn++;
	if (is_known(live, item))
		return;
	from = live_column(live, text_of(item, "from"), &changed);
	to = live_column(live, text_of(item, "to"), &changed);
	if (changed) {
		live->grid = grid_of(live->grid.columns);
		print_names(&live->grid, live_name, live);
	}
	live_label(item, label, sizeof(label));
	(void)snprintf(time, sizeof(time), "%.12s",
		       strlen(text_of(item, "at")) > 11 ? text_of(item, "at") + 11 : "");
	print_arrow(&live->grid, time, from, to, label);
}

static int live_line(void *user, struct slice line)
{
	struct live *live = user;
	AUTO(json) json_t *data = NULL;

	if (slice_skip(&line, SLICE("event: "))) {
		(void)snprintf(live->event, sizeof(live->event), "%.*s", SLICE_ARG(line));
		return 0;
	}
	if (!slice_skip(&line, SLICE("data: ")))
		return 0;
	if (strcmp(live->event, "trace.message") != 0) {
		(void)fprintf(stderr, "(messages are missing here)\n");
		return 0;
	}
	if (live->cli->json) {
		(void)printf("%.*s\n", SLICE_ARG(line));
	} else {
		data = json_loadb(line.p, line.len, 0, NULL);
		if (data)
			live_item(live, data);
	}
	(void)fflush(stdout);
	return ferror(stdout) ? -EPIPE : 0;
}

int cli_run_trace_follow(struct cli *cli, const struct cli_command *command)
{
	AUTO(str) char *plain = cli_path(cli, command);
	AUTO(str) char *path = NULL;
	struct live live = { .cli = cli };
	struct error err = { 0 };
	int status = 0, r;

	if (!plain || asprintf(&path, "%s%cfollow=true", plain, cli->query ? '&' : '?') < 0)
		return no_memory();
	live.room = (screen_width() - MARGIN) / WIDTH_MIN;
	live.room = live.room > COLUMNS_MAX ? COLUMNS_MAX : live.room < 2 ? 2 : live.room;
	r = rest_client_stream(cli->client, path, NULL, live_line, &live, &status, &err);
	if (r < 0 || status != 200) {
		(void)fprintf(stderr, "aurabox: %s (%d)\n", r < 0 ? error_text(&err, r) : "refused",
			      status);
		return status == 401 || status == 403 ? CLI_DENIED : CLI_FAILED;
	}
	return CLI_OK;
}

/* Lists and files --------------------------------------------------------------------------------- */
int cli_run_trace_list(struct cli *cli, const struct cli_command *command)
{
	AUTO(str) char *old = TAKE(cli->query);

	/* all pages are fetched: large ones */
	if (asprintf(&cli->query, "%s%slimit=500", old ? old : "", old ? "&" : "") < 0) {
		cli->query = NULL;
		return no_memory();
	}
	return cli_run_list(cli, command);
}

int cli_run_trace_export(struct cli *cli, const struct cli_command *command)
{
	AUTO(str) char *path = cli_path(cli, command);
	struct rest_client_answer answer;
	struct error err = { 0 };
	struct rest_client_request request = { .method = "GET", .path = path };
	bool ok;
	int r;

	if (!path)
		return no_memory();
	if (strcmp(cli->arg[0], "pcapng") == 0 && isatty(STDOUT_FILENO)) {
		(void)fprintf(stderr, "aurabox: a capture is no text: send it to a file\n");
		return CLI_USAGE;
	}
	r = rest_client_send(cli->client, &request, &answer, &err);
	if (r < 0) {
		(void)fprintf(stderr, "aurabox: %s\n", error_text(&err, r));
		return CLI_FAILED;
	}
	if (answer.status != 200) {
		AUTO(json) json_t *problem = json_loadb(answer.body, answer.len, 0, NULL);

		r = cli_exit_of(answer.status);
		cli_print_problem(answer.status, problem);
		rest_client_answer_done(&answer);
		return r;
	}
	ok = fwrite(answer.body, 1, answer.len, stdout) == answer.len && fflush(stdout) == 0;
	rest_client_answer_done(&answer);
	if (!ok)
		(void)fprintf(stderr, "aurabox: the file cannot be written\n");
	return ok ? CLI_OK : CLI_FAILED;
}
