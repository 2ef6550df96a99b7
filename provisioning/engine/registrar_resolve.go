package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

const mayExist = "a record may have been made"

// resolve finds out what became of a Register whose answer was lost, by the rule of section "Never twice": one match is the record; none, long enough after
// it could be sent last, means that none was made; several are for a person. A registrar that cannot search leaves it to a person at once.
func (r *registrarStep) resolve(ctx context.Context) (v verdict, resolved bool) {
	finder, ok := provisioning.As[provisioning.RegistrarFinder](r.p.registrar)
	if !ok {
		return r.uncertain(mayExist + ", and this registrar cannot search"), false
	}
	asked := time.Now()
	found, err := finder.FindRecords(ctx, r.l.registered(r.svc.record(r.o.observed, provisioning.RecordCreating)))
	switch {
	case errors.Is(err, provisioning.Conflict):
		return r.uncertain(err.Error()), false
	case err != nil: // a customer's token is not the panel's: nothing is paused for it
		return verdict{state: Searching, message: mayExist + "; searching failed: " + err.Error(), after: r.backoff(), failed: true}, false
	}
	free, err := r.unclaimed(ctx, found)
	if err != nil {
		return r.retry(err), false
	}
	switch len(free) {
	case 0:
		return r.absentSoFar(asked)
	case 1:
		r.t.instance, r.l.Unclear, r.l.Status, r.l.Registers, r.alive = string(free[0].ID), false, "", 0, true
		if err := r.givenTwice(ctx, free[0].ID); err != nil {
			return r.retry(err), false
		}
		return v, true
	}
	return r.uncertain(fmt.Sprintf("%d records could be the one", len(free))), false
}

// absentSoFar handles a search that found nothing.
func (r *registrarStep) absentSoFar(asked time.Time) (verdict, bool) {
	if left := r.e.settled(r.l.SendBefore).Sub(asked); left > 0 {
		t := r.e.config.Timings
		begun := r.l.SendBefore.Add(-r.e.config.Create.SendWindow)
		return verdict{state: Searching, message: mayExist + "; searching", after: min(left, max(asked.Sub(begun)*15/100, t.Poll))}, false
	}
	if r.l.Registers >= maxRegisters {
		return r.uncertain(fmt.Sprintf("%d records were sent, and none is there", r.l.Registers)), false
	}
	r.l.Unclear = false
	return verdict{}, true
}

func (r *registrarStep) uncertain(what string) verdict {
	return verdict{state: Uncertain, message: "uncertain: " + what + "; look at the panel and call SettleRecord", done: true}
}

// unclaimed drops the records that are known to be another service's. One that carries this service's Key all the same is no other's: the panel gave the id
// out twice.
func (r *registrarStep) unclaimed(ctx context.Context, found []provisioning.FoundRecord) ([]provisioning.FoundRecord, error) {
	var free []provisioning.FoundRecord
	for _, f := range found {
		other, err := r.claimant(ctx, f.ID)
		if err != nil {
			return nil, err
		}
		if other == "" || f.Name == r.l.registered(r.svc.record(r.o.observed, "")).Key {
			free = append(free, f)
		}
	}
	return free, nil
}

// claimant is the other service that has the record's id in its ledger, "" when there is none, or a person has settled that it is not its.
func (r *registrarStep) claimant(ctx context.Context, id provisioning.RecordID) (key string, err error) {
	_, err = r.e.db.pool().one(ctx, `SELECT key FROM hvpanels_target WHERE panel=$1 AND instance=$2 AND id<>$3 AND instruction=''
		AND state NOT IN ('gone', 'lost', 'forgotten')`,
		[]any{r.t.panel, string(id), r.t.id}, &key)
	return key, err
}

// givenTwice pauses the panel when the id of a new record is in the ledger of another service already: its database was restored from a backup. Whatever is
// sent for the other service would then change this one's record.
func (r *registrarStep) givenTwice(ctx context.Context, id provisioning.RecordID) error {
	other, err := r.claimant(ctx, id)
	if err != nil || other == "" {
		return err
	}
	return r.e.pausePanel(ctx, r.t.panel, pausedLoss, fmt.Sprintf(
		"record %s of %s was given out again, to %s: a restored database? Reconcile tells what differs, and Resume goes on", id, other, r.t.key))
}
