package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Status is what is known about a service.
type Status struct {
	Key        string
	Provider   string
	Desired    Desired
	State      State  // of the server
	AsDesired  bool   // server and records are as they should be, as far as it was seen
	Pending    bool   // so is one of Targets: what is seen here may be about to change
	Message    string // in words: why it is not as desired, or what goes on
	Generation int64  // grows when the service changes, and with Resync
	// Instance is the server as it was seen last, at Observed. Its ID is set as soon as the server is known. Traffic and Native are not stored.
	Instance provisioning.Instance
	Observed time.Time
	// Deferred lists what the panel has accepted and does later, such as at the next restart.
	Deferred []string
	// DeleteAt is when the panel will carry out a deletion that it has accepted.
	DeleteAt time.Time
	// PasswordWaits says that TakePassword would return one.
	PasswordWaits bool
	Targets       []TargetStatus // the provider first, then the registrars
}

// TargetStatus is one service on one of its panels.
type TargetStatus struct {
	Key, Panel string
	Registrar  bool
	State      State
	Message    string
	Failures   int // in a row
	// RecordID and Acknowledged are what a registrar has stored: Acknowledged is empty when it is not known.
	RecordID     provisioning.RecordID
	Acknowledged provisioning.RecordStatus
	Changed      time.Time
	// NextLook is when the engine looks again by itself; zero means when something changes.
	NextLook time.Time
	Working  bool   // a process is just looking
	Pending  bool   // something has changed, or is not done. A routine look is no change
	Paused   string // why its panel is paused, "" when it is not
}

// Status says how a service is, from what is stored: no panel is asked. NotFound when there is no such service.
func (e *Engine) Status(ctx context.Context, key string) (Status, error) {
	for s, err := range e.services(ctx, `s.key=$1`, key) {
		return s, err
	}
	return Status{}, noService("Status", key)
}

// Filter chooses services. Empty fields choose all.
type Filter struct {
	Provider string
	State    State // of the server
	// After continues behind this key.
	After string
}

// Services lists services in the order of their keys, reading a page at a time. Ranging again starts again. An error is yielded once, as the last pair.
func (e *Engine) Services(ctx context.Context, f Filter) iter.Seq2[Status, error] {
	return func(yield func(Status, error) bool) {
		const page = 200
		for after := f.After; ; {
			n := 0
			for s, err := range e.services(ctx, `s.forgotten=0 AND s.key>$1 AND ($2='' OR s.provider=$2) AND ($3='' OR t.state=$3) ORDER BY s.key LIMIT $4`,
				after, f.Provider, string(f.State), page) {
				if !yield(s, err) || err != nil {
					return
				}
				after = s.Key
				n++
			}
			if n < page {
				return
			}
		}
	}
}

// services reads services with all their rows.
func (e *Engine) services(ctx context.Context, condition string, args ...any) iter.Seq2[Status, error] {
	return func(yield func(Status, error) bool) {
		var all []Status
		err := e.db.pool().each(ctx, `SELECT s.key, s.provider, s.desired, s.generation, s.waits, `+statusColumns+` FROM (
				SELECT s.key, s.provider, s.desired, s.generation, CASE WHEN EXISTS (SELECT 1 FROM hvpanels_password w WHERE w.key=s.key) THEN 1 ELSE 0 END AS waits
				FROM hvpanels_service s JOIN hvpanels_target t ON t.key=s.key AND t.kind='provider' WHERE `+condition+`) s
			JOIN hvpanels_target t ON t.key=s.key LEFT JOIN hvpanels_panel p ON p.name=t.panel ORDER BY s.key, t.kind, t.id`, args, func(scan func(...any) error) error {
			s := Status{AsDesired: true}
			var waits int64
			t, err := scanTarget(scan, &s.Key, &s.Provider, &s.Desired, &s.Generation, &waits)
			if n := len(all); n == 0 || all[n-1].Key != s.Key {
				s.PasswordWaits = waits != 0
				all = append(all, s)
			}
			all[len(all)-1].add(t)
			return err
		})
		for _, s := range all {
			if !yield(s, nil) {
				return
			}
		}
		if err != nil {
			yield(Status{}, err)
		}
	}
}

// add adds a row to the status of its service. The provider's comes first.
func (s *Status) add(t targetRow) {
	s.Targets, s.Pending = append(s.Targets, t.TargetStatus), s.Pending || t.Pending
	if !t.Registrar {
		s.State, s.Message = t.State, t.why()
		s.Instance = t.provider.Observed.instance(t.instance)
		s.Instance.UUID = t.provider.UUID
		s.Observed, s.Deferred, s.DeleteAt = t.provider.Observed.At, t.provider.Deferred, t.provider.DeleteAt
		s.AsDesired = t.State == Gone && s.Desired == Absent || t.State == Ready && !t.Pending && s.Desired != Absent
		return
	}
	if t.State == Ready && !t.Pending || t.State == Gone || t.State == Detached {
		return
	}
	why := t.Panel + ": " + t.why()
	if s.AsDesired {
		s.Message = why
	} else {
		s.Message += "; " + why
	}
	s.AsDesired = false
}

// why says in words how the row is.
func (t targetRow) why() string {
	text := t.Message
	if text == "" {
		text = string(t.State)
	}
	if t.Paused != "" {
		return fmt.Sprintf("panel %s is paused (%s); %s", t.Panel, t.Paused, text)
	}
	if t.Failures > 0 && !t.NextLook.IsZero() {
		return fmt.Sprintf("%s: %s; failed %d times, next try at %s", t.State, text, t.Failures, t.NextLook.UTC().Format(time.RFC3339))
	}
	return text
}

// targetRow is a row as Status and the lists read it.
type targetRow struct {
	TargetStatus
	instance string
	provider providerLedger
	record   recordLedger
}

const statusColumns = `t.key, t.panel, t.kind, t.state, t.message, t.attempts, t.instance, t.ledger, t.changed_at, coalesce(t.due_at, 0),
	CASE WHEN t.lease_until>={now} THEN 1 ELSE 0 END, CASE WHEN t.pending_since IS NULL THEN 0 ELSE 1 END, coalesce(p.reason, ''), coalesce(p.paused, '')`

// targets reads rows. condition may end with an order.
func (e *Engine) targets(ctx context.Context, condition string, args ...any) iter.Seq2[targetRow, error] {
	return func(yield func(targetRow, error) bool) {
		var all []targetRow
		err := e.db.pool().each(ctx, `SELECT `+statusColumns+`
			FROM hvpanels_target t LEFT JOIN hvpanels_panel p ON p.name=t.panel WHERE `+condition, args, func(scan func(...any) error) error {
			row, err := scanTarget(scan)
			all = append(all, row)
			return err
		})
		if err != nil {
			yield(targetRow{}, err)
			return
		}
		for _, row := range all {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// scanTarget scans statusColumns, after those of before.
func scanTarget(scan func(...any) error, before ...any) (t targetRow, err error) {
	var kind, ledger, reason string
	var changed, due, leased, pending int64
	if err := scan(append(before, &t.Key, &t.Panel, &kind, &t.State, &t.Message, &t.Failures, &t.instance, &ledger, &changed, &due, &leased, &pending, &reason, &t.Paused)...); err != nil {
		return t, err
	}
	if t.Paused != "" {
		t.Paused += ": " + reason
	}
	t.Changed, t.NextLook, t.Working, t.Pending = timeOf(changed), timeOf(due), leased != 0, pending != 0
	t.Registrar = kind == kindRegistrar
	if !t.Registrar {
		err = json.Unmarshal([]byte(ledger), &t.provider)
	} else {
		err = json.Unmarshal([]byte(ledger), &t.record)
		t.RecordID, t.Acknowledged = provisioning.RecordID(t.instance), t.record.Status
	}
	if err != nil {
		err = fmt.Errorf("engine: ledger of %s: %w", targetID(t.Key, t.Panel), err)
	}
	return t, err
}

// DeadLetters lists what was refused for good, failed for too long, or is blocked by credentials or the panel's version. Resync sends it again.
func (e *Engine) DeadLetters(ctx context.Context) iter.Seq2[TargetStatus, error] {
	return e.list(ctx, `t.state IN ('dead', 'blocked') ORDER BY t.id`)
}

// Uncertain lists what may have been carried out and could not be found out so far: creates of servers and records that are being searched for, and records
// that are left to a person (state Uncertain, see SettleRecord).
func (e *Engine) Uncertain(ctx context.Context) iter.Seq2[TargetStatus, error] {
	return e.list(ctx, `(t.state IN ('uncertain', 'searching') OR t.kind='provider' AND EXISTS (SELECT 1 FROM hvpanels_intent i WHERE i.key=t.key AND i.unresolved=1)) ORDER BY t.id`)
}

func (e *Engine) list(ctx context.Context, condition string) iter.Seq2[TargetStatus, error] {
	return func(yield func(TargetStatus, error) bool) {
		for t, err := range e.targets(ctx, condition) {
			if !yield(t.TargetStatus, err) || err != nil {
				return
			}
		}
	}
}
