package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Finding says in what way a panel and the engine differ.
type Finding string

// The findings. Those that Resync can mend are Drift and Gone.
const (
	// FoundDrift means that the panel has another state than is desired. The desired one wins.
	FoundDrift Finding = "drift"
	// FoundMissing means that the panel itself says that the server or record does not exist. Resync makes the engine ask again; nothing is made again.
	FoundMissing Finding = "missing"
	// FoundForeign means that the id belongs to another server or record now. Nothing is ever sent to it.
	FoundForeign Finding = "foreign"
	// FoundHeld means that somebody else has suspended it.
	FoundHeld Finding = "held"
	// FoundStray means that the panel has something that belongs to no service. It is never deleted. While Plan.Incomplete names an order that is not resolved,
	// it may be that order's.
	FoundStray Finding = "stray"
)

// Difference is one thing in which a panel differs.
type Difference struct {
	Panel string
	Key   string // "" for strays
	ID    string // of the server or record
	What  Finding
	Want  string
	Have  string
	// Mend says that Resync of the service is the way to mend it.
	Mend bool
}

// Plan is what Reconcile found.
type Plan struct {
	Differences []Difference
	// Incomplete says what could not be looked at, or not be judged, and why. Nothing is concluded from what was not seen. Strays are safe to delete by hand
	// only on a panel for which it is empty.
	Incomplete []string
	Checked    int      // servers and records that were compared
	Resynced   []string // keys, with Apply
}

// ReconcileOptions tunes Reconcile. The zero value looks at every panel and changes nothing.
type ReconcileOptions struct {
	Panel string // "" for all
	// Apply resynchronises the services whose difference can be mended. Strays, and what belongs to somebody else, are never touched.
	Apply bool
	// MaxChanges is how many services may be resynchronised at once, 100 when zero. If there are more, none is: that is no drift, but a mistake.
	MaxChanges int
}

// Reconcile compares the panels with what is stored, by reading only, and returns what differs. It is a report: servers and records that are missing,
// foreign, changed by somebody, or belong to no service. It deletes nothing, with Apply neither; a list that cannot be read makes its panel incomplete and
// nothing else.
//
// Records are compared where their registrar can search, which costs a request each, those of services that went within the last 30 days included: a panel
// that was restored from a backup has them again. After such a restore, Pause the registrar, Reconcile with Apply, call SettleRecord with "" for each record
// that is missing, delete strays on the panel, and Resume.
func (e *Engine) Reconcile(ctx context.Context, o ReconcileOptions) (Plan, error) {
	var plan Plan
	if o.Panel != "" && e.panels[o.Panel] == nil {
		return plan, provisioning.InvalidField("panel", "%.40q is not configured", o.Panel)
	}
	for _, name := range sortedNames(e.panels) {
		if o.Panel != "" && o.Panel != name {
			continue
		}
		var err error
		if e.panels[name].provider != nil {
			err = e.reconcileProvider(ctx, name, &plan)
		} else {
			err = e.reconcileRegistrar(ctx, name, &plan)
		}
		if err != nil {
			return plan, err
		}
	}
	if !o.Apply {
		return plan, nil
	}
	return plan, e.applyPlan(ctx, &plan, o.MaxChanges)
}

func (e *Engine) applyPlan(ctx context.Context, plan *Plan, limit int) error {
	if limit == 0 {
		limit = 100
	}
	done := map[string]bool{}
	for _, d := range plan.Differences {
		if d.Mend {
			done[d.Key] = true
		}
	}
	if len(done) > limit {
		return &provisioning.Error{Op: "Reconcile", Kind: provisioning.Conflict,
			Message: fmt.Sprintf("%d services differ, which is more than MaxChanges (%d); nothing was changed", len(done), limit)}
	}
	for _, key := range sortedNames(done) {
		if err := e.Resync(ctx, key); err != nil && !errors.Is(err, provisioning.ErrMaybeApplied) {
			return err
		}
		plan.Resynced = append(plan.Resynced, key)
	}
	return nil
}

// reconcileProvider collects the panel's list first, because pages shift while a list is read, and takes nothing that is not in it for deleted without asking.
func (e *Engine) reconcileProvider(ctx context.Context, name string, plan *Plan) error {
	p := e.panels[name].provider
	listed := map[string]provisioning.Summary{}
	for s, err := range p.Instances(ctx) {
		if err != nil {
			plan.Incomplete = append(plan.Incomplete, fmt.Sprintf("%s: the list of servers: %v", name, err))
			return ctx.Err()
		}
		listed[string(s.ID)] = s
	}
	if err := e.reconcileOrders(ctx, name, listed, plan); err != nil {
		return err
	}
	for t, err := range e.targets(ctx, `t.panel=$1 AND t.instance<>'' AND t.state NOT IN ('gone', 'forgotten') ORDER BY t.id`, name) {
		if err != nil {
			return err
		}
		svc, ok, err := loadService(ctx, e.db.pool(), t.Key, false)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		s, seen := listed[t.instance]
		delete(listed, t.instance)
		plan.Checked++
		if !seen {
			e.reconcileUnlisted(ctx, p, t, svc, plan)
			continue
		}
		if d, differs := compareServer(t, svc, s); differs {
			plan.Differences = append(plan.Differences, d)
		}
	}
	for _, id := range sortedNames(listed) {
		s := listed[id]
		plan.Differences = append(plan.Differences, Difference{Panel: name, ID: id, What: FoundStray, Want: "no service knows it",
			Have: fmt.Sprintf("server %q of owner %s", s.Name, s.Owner)})
	}
	return nil
}

// reconcileOrders leaves out the servers of orders that are just being created: their rows do not name them yet.
func (e *Engine) reconcileOrders(ctx context.Context, name string, listed map[string]provisioning.Summary, plan *Plan) error {
	return e.db.pool().each(ctx, `SELECT i.body FROM hvpanels_target t JOIN hvpanels_intent i ON i.key=t.key WHERE t.panel=$1 AND t.instance='' ORDER BY t.key`,
		[]any{name}, func(scan func(...any) error) error {
			in, err := scanIntent(scan)
			if err == nil && unresolved(in) {
				plan.Incomplete = append(plan.Incomplete, fmt.Sprintf("%s: the create of %s is not resolved; a stray may be its server", name, in.Key))
			}
			delete(listed, string(in.ID))
			return err
		})
}

// reconcileUnlisted asks for a server that the list lacks.
func (e *Engine) reconcileUnlisted(ctx context.Context, p provisioning.Provider, t targetRow, svc stored, plan *Plan) {
	i, err := p.Instance(ctx, provisioning.ID(t.instance))
	switch {
	case errors.Is(err, provisioning.NotFound):
		if svc.Desired != Absent {
			plan.Differences = append(plan.Differences, Difference{Panel: t.Panel, Key: t.Key, ID: t.instance, What: FoundMissing, Want: string(svc.Desired),
				Have: "the panel says that it does not exist", Mend: t.State != Lost})
		}
	case err != nil:
		plan.Incomplete = append(plan.Incomplete, fmt.Sprintf("%s: server %s of %s: %v", t.Panel, t.instance, t.Key, err))
	default:
		if d, differs := compareServer(t, svc, provisioning.Summary{ID: i.ID, UUID: i.UUID, Name: i.Name, Suspended: i.Suspended}); differs {
			plan.Differences = append(plan.Differences, d)
		}
	}
}

func compareServer(t targetRow, svc stored, s provisioning.Summary) (d Difference, differs bool) {
	d = Difference{Panel: t.Panel, Key: t.Key, ID: t.instance, Want: string(svc.Desired)}
	switch {
	case s.UUID != "" && t.provider.UUID != "" && s.UUID != t.provider.UUID:
		d.What, d.Want, d.Have = FoundForeign, "uuid "+t.provider.UUID, "uuid "+s.UUID
	case svc.Desired == Absent:
		if t.State == Deleting { // its time has not come, or the panel is at it
			return d, false
		}
		d.What, d.Have, d.Mend = FoundDrift, "it exists", t.State.NeedsPerson()
	case svc.Desired == Suspended && !s.Suspended:
		d.What, d.Have, d.Mend = FoundDrift, "not suspended", true
	case svc.Desired == Present && s.Suspended && t.provider.Placed:
		d.What, d.Have, d.Mend = FoundDrift, "suspended", true
	case svc.Desired == Present && s.Suspended:
		d.What, d.Have = FoundHeld, "suspended, and not by the engine"
	default:
		return d, false
	}
	return d, true
}
