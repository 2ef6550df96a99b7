package engine

import (
	"context"
	"fmt"
)

// More than lossServers and one in lossShare servers of a provider that are gone in one pass are no coincidence.
const (
	lossServers = 10
	lossShare   = 20 // 5 %
)

// missing handles the panel's own "not found". The second one in a row means that the server is lost; it is never made again on its own.
func (p *providerStep) missing(ctx context.Context, err error) verdict {
	p.alive = true
	p.l.Missing++
	if p.l.Missing == 1 {
		if !p.l.DeleteSent { // otherwise it may be the engine's own doing, and the answer was lost
			if err := p.noteMissing(ctx); err != nil {
				return p.retry(err)
			}
		}
		return verdict{state: Missing, message: "the panel says that it does not exist: " + err.Error() + "; asking again", after: p.e.config.Timings.Confirm}
	}
	p.l.Running = running{}
	return p.settled(Lost, "lost: the panel said twice that it does not exist; it is not made again until Recreate")
}

// noteMissing stores that the server is missing before it counts: of those that go missing at once, the last sees all.
func (p *providerStep) noteMissing(ctx context.Context) error {
	ok, err := p.e.db.pool().one(ctx, `UPDATE hvpanels_target SET missing_at=coalesce(missing_at, {now}) WHERE id=$1 AND owner=$2 RETURNING missing_at`,
		[]any{p.t.id, p.t.token}, &p.t.missingAt)
	if err != nil {
		return err
	}
	if !ok {
		return errFenced
	}
	return p.e.massLoss(ctx, p.t)
}

// found forgets an earlier "not found".
func (p *providerStep) found() { p.l.Missing, p.t.missingAt = 0, 0 }

// massLoss pauses the provider when too many of its servers have gone missing in one pass, this one included.
func (e *Engine) massLoss(ctx context.Context, t *target) error {
	return e.pausePanelIf(ctx, t.panel, pausedLoss, func(c conn) (reason string, pause bool, err error) {
		var missing, all int64
		_, err = c.one(ctx, `SELECT coalesce(sum(CASE WHEN missing_at>{now}-$2
			AND missing_at>(SELECT resumed_at FROM hvpanels_panel WHERE name=$1) THEN 1 ELSE 0 END), 0), count(*)
			FROM hvpanels_target WHERE panel=$1 AND instance<>'' AND state NOT IN ('gone', 'forgotten')`,
			[]any{t.panel, e.config.Timings.LossWindow.Milliseconds()}, &missing, &all)
		reason = fmt.Sprintf("%d of %d servers are gone at once: wrong panel, or a restored database? Resume accepts it", missing, all)
		return reason, missing > lossServers && missing*lossShare > all, err
	})
}
