package engine

import (
	"context"
	"log/slog"
	"time"
)

// every calls f now and then until ctx ends. A failure is logged and tried again at the next turn.
func (e *Engine) every(ctx context.Context, d time.Duration, f func(context.Context) error) {
	for {
		if err := f(ctx); err != nil && ctx.Err() == nil {
			e.log.LogAttrs(ctx, slog.LevelError, "engine: the database failed; trying again", slog.Any("error", err))
		}
		if pause(ctx, d) != nil {
			return
		}
	}
}

const sweepRows = 200

// fullQueue is how many wake-ups of one panel may be waiting until sweeps add no more. The rows stay due and keep their order, so a panel that is slower than
// its rows come due has a queue of seconds, and not one of old wake-ups for rows that were looked at long ago.
const fullQueue = 1000

// sweep wakes workers for the rows that are due and for those whose process has died, and now and then for one row of a panel that was paused because it failed.
func (e *Engine) sweep(ctx context.Context) error {
	for {
		n, err := e.sweepOnce(ctx)
		if err != nil {
			return err
		}
		e.metrics.swept(n)
		if n < sweepRows {
			break
		}
	}
	return e.probePanels(ctx)
}

// sweepOnce takes up to 200 rows. A clean row that is due becomes dirty. Each time the same row is swept, it is left alone for twice as long: its wake-up may
// just be waiting for a worker.
func (e *Engine) sweepOnce(ctx context.Context) (rows int, err error) {
	err = e.db.tx(ctx, func(t txn) error {
		var jobs []wakeUp
		err := t.each(ctx, `UPDATE hvpanels_target SET owner=NULL, lease_until=NULL, claimed_at=NULL, gen=CASE WHEN gen=done_gen THEN gen+1 ELSE gen END,
			routine=CASE WHEN gen=done_gen THEN 1 ELSE routine END,
			due_at={now}+CAST($1 AS BIGINT)*(1<<swept), swept=CASE WHEN swept<8 THEN swept+1 ELSE 8 END
			WHERE id IN (SELECT id FROM hvpanels_target WHERE (lease_until<{now} OR (due_at<={now} AND lease_until IS NULL))
				AND panel NOT IN (SELECT name FROM hvpanels_panel WHERE paused<>'')
				AND panel NOT IN (SELECT substr(queue, $3) FROM river_job WHERE state='available' AND queue LIKE $4 GROUP BY queue HAVING count(*)>=$5)
				ORDER BY due_at LIMIT $2 {skiplocked})
			RETURNING id, panel`, []any{e.config.Timings.Watchdog.Milliseconds(), sweepRows, len(queuePrefix) + 1, queuePrefix + "%", fullQueue}, func(scan func(...any) error) error {
			var j wakeUp
			err := scan(&j.ID, &j.panel)
			jobs = append(jobs, j)
			return err
		})
		if err != nil {
			return err
		}
		rows = len(jobs)
		return t.wake(ctx, jobs)
	})
	return rows, err
}
