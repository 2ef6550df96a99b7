package engine

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Why a panel is paused. The engine ends the first three by itself, when one request gets through.
const (
	pausedAuth   = "credentials" // the panel refuses them
	pausedRoute  = "address"     // what answers is not the panel
	pausedOutage = "outage"      // it does not answer
	pausedLoss   = "loss"        // too many servers are gone at once
	pausedPerson = "person"
)

const selfHealing = `('credentials', 'address', 'outage')`

// outageAfter is how many failures in a row, of changing services, make an outage.
const outageAfter = 5

// PanelStatus says how the engine stands with one panel.
type PanelStatus struct {
	Name     string
	Endpoint string // "" when the panel does not tell its address
	Paused   bool
	// Cause is credentials, address, outage, loss or person. The first three end by themselves when a request gets through; one is tried now and then.
	Cause  string
	Reason string
	Since  time.Time
}

// Panels lists the panels that were ever configured.
func (e *Engine) Panels(ctx context.Context) ([]PanelStatus, error) {
	var all []PanelStatus
	err := e.db.pool().each(ctx, `SELECT name, endpoint, paused, reason, coalesce(since, 0) FROM hvpanels_panel ORDER BY name`, nil, func(scan func(...any) error) error {
		var p PanelStatus
		var since int64
		err := scan(&p.Name, &p.Endpoint, &p.Cause, &p.Reason, &since)
		p.Paused, p.Since = p.Cause != "", timeOf(since)
		all = append(all, p)
		return err
	})
	return all, err
}

// Pause stops all steps of a panel, in every process, until Resume. A step that is running ends first. What is applied meanwhile is stored.
func (e *Engine) Pause(ctx context.Context, panel, reason string) error {
	if e.panels[panel] == nil {
		return provisioning.InvalidField("panel", "%.40q is not configured", panel)
	}
	return e.pausePanel(ctx, panel, pausedPerson, reason)
}

// Resume lets the panel go on, whatever it was paused for. After a loss of many servers it accepts that loss: the missing servers are asked for once more and
// then lost.
func (e *Engine) Resume(ctx context.Context, panel string) error {
	if e.panels[panel] == nil {
		return provisioning.InvalidField("panel", "%.40q is not configured", panel)
	}
	return e.resumePanel(ctx, panel, `paused<>''`)
}

// pausePanel pauses, unless the panel is paused already: a person's pause is never replaced.
func (e *Engine) pausePanel(ctx context.Context, panel, cause, reason string) error {
	return e.pausePanelIf(ctx, panel, cause, func(conn) (string, bool, error) { return reason, true, nil })
}

// pausePanelIf pauses when check says so. The panel's row is locked meanwhile: what check has seen cannot be older than a Resume.
func (e *Engine) pausePanelIf(ctx context.Context, panel, cause string, check func(conn) (reason string, pause bool, err error)) error {
	ctx, cancel := storing(ctx)
	defer cancel()
	query := `UPDATE hvpanels_panel SET paused=$2, reason=$3, since={now}, probe_at={now}+$4, probes=0 WHERE name=$1 AND paused=''`
	if cause == pausedPerson || cause == pausedLoss {
		query = `UPDATE hvpanels_panel SET paused=$2, reason=$3, since={now}, probe_at={now}+$4, probes=0 WHERE name=$1 AND paused NOT IN ('person', 'loss')`
	}
	var reason string
	var n int64
	err := e.db.tx(ctx, func(t txn) (err error) {
		var name string
		if _, err := t.one(ctx, `SELECT name FROM hvpanels_panel WHERE name=$1 {forupdate}`, []any{panel}, &name); err != nil {
			return err
		}
		var yes bool
		if reason, yes, err = check(t.conn); err != nil || !yes {
			return err
		}
		n, err = t.exec(ctx, query, panel, cause, reason, e.config.Timings.RetryFirst.Milliseconds())
		return err
	})
	if err == nil && n > 0 {
		e.log.LogAttrs(ctx, slog.LevelWarn, "engine: panel paused", slog.String("panel", panel), slog.String("cause", cause), slog.String("reason", reason))
		e.metrics.paused(panel, true, reason)
	}
	return err
}

func (e *Engine) resumePanel(ctx context.Context, panel, condition string) error {
	ctx, cancel := storing(ctx)
	defer cancel()
	var resumed bool
	err := e.db.tx(ctx, func(t txn) error {
		n, err := t.exec(ctx, `UPDATE hvpanels_panel SET paused='', reason='', since=NULL, probe_at=NULL, probes=0, failures=0, failed_id='',
			resumed_at=CASE WHEN paused IN ('loss', 'person') THEN {now} ELSE resumed_at END WHERE name=$1 AND `+condition, panel)
		resumed = n > 0
		if err != nil || n == 0 {
			return err
		}
		_, err = t.exec(ctx, `UPDATE hvpanels_target SET due_at={now}, swept=0 WHERE id IN (SELECT id FROM hvpanels_target
			WHERE panel=$1 AND gen<>done_gen AND lease_until IS NULL {skiplocked})`, panel)
		return err
	})
	if err == nil && resumed {
		e.log.LogAttrs(ctx, slog.LevelInfo, "engine: panel goes on", slog.String("panel", panel))
		e.metrics.paused(panel, false, "")
	}
	return err
}

// panelFailed counts a failure that may mean that the panel is down. One service that fails for ever, while nobody else asks, counts once.
func (e *Engine) panelFailed(ctx context.Context, t *target, cause error) error {
	ctx, cancel := storing(ctx)
	defer cancel()
	e.mu.Lock()
	e.failed[t.panel] = true
	e.mu.Unlock()
	var failures int64
	_, err := e.db.pool().one(ctx, `UPDATE hvpanels_panel SET failures=CASE WHEN failed_id=$2 THEN failures ELSE failures+1 END, failed_id=$2
		WHERE name=$1 RETURNING failures`,
		[]any{t.panel, t.id}, &failures)
	if err == nil && failures >= outageAfter {
		err = e.pausePanel(ctx, t.panel, pausedOutage, cause.Error())
	}
	return err
}

// panelWorks ends the count of failures, and the pause if the panel failed until now.
func (e *Engine) panelWorks(ctx context.Context, panel string, probe bool) error {
	e.mu.Lock()
	failed := e.failed[panel]
	delete(e.failed, panel)
	e.mu.Unlock()
	if !failed && !probe {
		return nil
	}
	ctx, cancel := storing(ctx)
	defer cancel()
	_, err := e.db.pool().exec(ctx, `UPDATE hvpanels_panel SET failures=0, failed_id='' WHERE name=$1`, panel)
	if err == nil {
		err = e.resumePanel(ctx, panel, `paused IN `+selfHealing)
	}
	return err
}

// probePanels lets one row of each panel that failed try again, at growing intervals. A row whose server or record is known goes first: what it sends may be
// repeated, and a create that gets no answer is one more whose fate is not known. While a step of the panel still runs, that one is the probe.
func (e *Engine) probePanels(ctx context.Context) error {
	t := e.config.Timings
	return e.db.tx(ctx, func(x txn) error {
		var names []string
		err := x.each(ctx, `UPDATE hvpanels_panel SET probes=CASE WHEN probes<16 THEN probes+1 ELSE probes END,
			probe_at={now}+CASE WHEN CAST($1 AS BIGINT)*(2<<probes)<$2 THEN CAST($1 AS BIGINT)*(2<<probes) ELSE $2 END
			WHERE paused IN `+selfHealing+` AND probe_at<={now} RETURNING name`,
			[]any{t.RetryFirst.Milliseconds(), t.Probe.Milliseconds()}, func(scan func(...any) error) error {
				var name string
				err := scan(&name)
				names = append(names, name)
				return err
			})
		if err != nil {
			return err
		}
		var jobs []wakeUp
		for _, name := range names {
			j := wakeUp{Probe: true, panel: name}
			ok, err := x.one(ctx, `SELECT id FROM hvpanels_target WHERE panel=$1 AND gen<>done_gen
				AND NOT EXISTS (SELECT 1 FROM hvpanels_target b WHERE b.panel=$1 AND b.lease_until>={now}) ORDER BY CASE WHEN instance='' THEN 1 ELSE 0 END, attempts, due_at LIMIT 1`,
				[]any{name}, &j.ID)
			if err != nil {
				return err
			}
			if ok {
				jobs = append(jobs, j)
			}
		}
		return x.wake(ctx, jobs)
	})
}

// bindPanels stores the address of each panel. It stores none when one of the names had another one.
func (e *Engine) bindPanels(ctx context.Context) error {
	return e.db.tx(ctx, func(t txn) error {
		for _, name := range slices.Sorted(maps.Keys(e.panels)) {
			if err := e.bindPanel(ctx, t.conn, name, e.panels[name].endpoint()); err != nil {
				return err
			}
		}
		return nil
	})
}

func (e *Engine) bindPanel(ctx context.Context, c conn, name, endpoint string) error {
	if _, err := c.exec(ctx, `INSERT INTO hvpanels_panel(name) VALUES ($1) ON CONFLICT (name) DO NOTHING`, name); err != nil {
		return err
	}
	var before string
	if _, err := c.one(ctx, `SELECT endpoint FROM hvpanels_panel WHERE name=$1`, []any{name}, &before); err != nil {
		return err
	}
	switch {
	case endpoint == "" || endpoint == before:
		return nil
	case before != "" && !slices.Contains(e.config.Moved, name):
		return &provisioning.Error{Op: "Open", Kind: provisioning.Mismatch, Message: fmt.Sprintf(
			"the stored ids of panel %s belong to %s, not to %s; if it is the same panel at a new address, name it in Moved", name, before, endpoint)}
	}
	_, err := c.exec(ctx, `UPDATE hvpanels_panel SET endpoint=$2 WHERE name=$1`, name, endpoint)
	return err
}

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
