/* SPDX-License-Identifier: Apache-2.0 */
/* fsm.c - see fsm.h. */
#include "base/fsm.h"
#include "base/buf.h"

void fsm_init(struct fsm *f, const struct fsm_table *table, uint8_t state)
{
	memset(f, 0, sizeof(*f));
	f->table = table;
	f->state = state;
}

static bool step_now(struct fsm *f, uint8_t event, const void *arg)
{
	for (size_t i = 0; i < f->table->count; i++) {
		const struct fsm_row *row = &f->table->rows[i];

		if (row->state != f->state || row->event != event)
			continue;
		if (row->action)
			row->action(f, arg);
		f->state = row->next;
		return true;
	}
	f->ignored++;
	return false;
}

bool fsm_step(struct fsm *f, uint8_t event, const void *arg)
{
	bool handled;

	if (f->busy) {
		if (f->queued == FSM_QUEUE) {
			f->ignored++;
			return false;
		}
		f->queue[f->queued].event = event;
		f->queue[f->queued++].arg = arg;
		return true;
	}
	f->busy = true;
	handled = step_now(f, event, arg);
	for (uint8_t i = 0; i < f->queued; i++)
		(void)step_now(f, f->queue[i].event, f->queue[i].arg);
	f->queued = 0;
	f->busy = false;
	return handled;
}

const char *fsm_state_name(const struct fsm *f)
{
	return f->table->state_names ? f->table->state_names[f->state] : "?";
}

static void draw_name(struct buf *out, const char *const *names, uint8_t n)
{
	if (names)
		buf_printf(out, "\"%s\"", names[n]);
	else
		buf_printf(out, "\"%u\"", n);
}

void fsm_draw(const struct fsm_table *table, struct buf *out)
{
	buf_printf(out, "digraph \"%s\" {\n", table->name);
	for (size_t i = 0; i < table->count; i++) {
		buf_add_char(out, '\t');
		draw_name(out, table->state_names, table->rows[i].state);
		buf_add_str(out, " -> ");
		draw_name(out, table->state_names, table->rows[i].next);
		buf_add_str(out, " [label=");
		draw_name(out, table->event_names, table->rows[i].event);
		buf_add_str(out, "];\n");
	}
	buf_add_str(out, "}\n");
}

bool fsm_table_is_sound(const struct fsm_table *table, uint8_t start, size_t states)
{
	bool seen[256] = { false };
	bool grew = true;

	seen[start] = true;
	while (grew) {
		grew = false;
		for (size_t i = 0; i < table->count; i++) {
			const struct fsm_row *row = &table->rows[i];

			if (seen[row->state] && !seen[row->next])
				seen[row->next] = grew = true;
		}
	}
	for (size_t s = 0; s < states; s++) {
		if (!seen[s])
			return false;
	}
	for (size_t i = 0; i < table->count; i++) {
		for (size_t k = i + 1; k < table->count; k++) {
			if (table->rows[i].state == table->rows[k].state &&
			    table->rows[i].event == table->rows[k].event)
				return false;
		}
	}
	return true;
}
