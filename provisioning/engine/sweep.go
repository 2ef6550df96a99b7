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

const rowsAtOnce = 200

// fullQueue is how many wake-ups of one panel may be waiting until sweeps add no more. The rows stay due and keep their order, so a panel that is slower than
// its rows come due has a queue of seconds, and not one of old wake-ups for rows that were looked at long ago. Routine looks stop much earlier: what is pending
// finds room at any time.
const (
	fullQueue    = 1000
	routineQueue = 200
)

// sweep wakes workers for the rows that are due and for those whose process has died, and now and then for one row of a panel that was paused because it failed.
func (e *Engine) sweep(ctx context.Context) error {
	panels, err := e.duePanels(ctx)
	if err != nil {
		return err
	}
	total := 0
	for _, panel := range panels {
		for _, routine := range []bool{false, true} {
			n, err := e.sweepPanel(ctx, panel, routine)
			if err != nil {
				return err
			}
			total += n
		}
	}
	e.metrics.swept(total)
	return e.probePanels(ctx)
}

// sweepPanel takes the rows of a panel that are pending, or those for a routine look, as long as there are any and there is room.
func (e *Engine) sweepPanel(ctx context.Context, panel string, routine bool) (total int, err error) {
	for {
		room, err := e.room(ctx, panel, routine)
		if err != nil {
			return total, err
		}
		n, err := e.sweepRows(ctx, panel, routine, room)
		total += n
		if err != nil || n == 0 || n < room {
			return total, err
		}
	}
}

// duePanels lists the panels that have something to do and are not paused.
func (e *Engine) duePanels(ctx context.Context) (names []string, err error) {
	err = e.db.pool().each(ctx, `SELECT name FROM hvpanels_panel p WHERE paused='' AND (
		EXISTS (SELECT 1 FROM hvpanels_target t WHERE t.panel=p.name AND t.due_at<={now} AND t.lease_until IS NULL) OR
		EXISTS (SELECT 1 FROM hvpanels_target t WHERE t.panel=p.name AND t.lease_until<{now})) ORDER BY name`, nil, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		names = append(names, name)
		return err
	})
	return names, err
}

// room is how many rows of the panel may be swept now.
func (e *Engine) room(ctx context.Context, panel string, routine bool) (int, error) {
	full, waiting := fullQueue, 0
	if routine {
		full = routineQueue
	}
	_, err := e.db.pool().one(ctx, `SELECT count(*) FROM (SELECT 1 FROM river_job WHERE state='available' AND queue=$1 LIMIT $2) w`,
		[]any{queuePrefix + panel, full}, &waiting)
	return min(full-waiting, rowsAtOnce), err
}

// sweepRows takes up to limit rows whose process has died, and as many that are due. A clean row becomes dirty. Each time the same row is swept, it is left alone for twice as long:
// its wake-up may just be waiting for a worker.
func (e *Engine) sweepRows(ctx context.Context, panel string, routine bool, limit int) (rows int, err error) {
	if limit == 0 {
		return 0, nil
	}
	kind := "pending_since IS NOT NULL"
	if routine {
		kind = "pending_since IS NULL"
	}
	err = e.db.tx(ctx, func(t txn) error {
		var jobs []wakeUp
		err := t.each(ctx, `UPDATE hvpanels_target SET owner=NULL, lease_until=NULL, claimed_at=NULL, gen=CASE WHEN gen=done_gen THEN gen+1 ELSE gen END,
			due_at={now}+CAST($1 AS BIGINT)*(1<<swept), swept=CASE WHEN swept<8 THEN swept+1 ELSE 8 END
			WHERE id IN (
				SELECT id FROM (SELECT id FROM hvpanels_target WHERE panel=$2 AND lease_until<{now} AND `+kind+` ORDER BY lease_until LIMIT $3 {skiplocked}) lapsed UNION ALL
				SELECT id FROM (SELECT id FROM hvpanels_target WHERE panel=$2 AND due_at<={now} AND lease_until IS NULL AND `+kind+` ORDER BY due_at LIMIT $3 {skiplocked}) due)
			RETURNING id`, []any{e.config.Timings.Watchdog.Milliseconds(), panel, limit}, func(scan func(...any) error) error {
			j := wakeUp{panel: panel, routine: routine}
			err := scan(&j.ID)
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
