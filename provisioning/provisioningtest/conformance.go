// Package provisioningtest holds what every provider and every simulated panel share in tests: the conformance suite (Run) and the fault rules (Fault). It uses the standard library only,
// because the simulated panels are also programs.
package provisioningtest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// Panel is a simulated panel with a provider for it. One is made for each case, inside a synctest bubble, so that minutes cost nothing.
type Panel interface {
	// Provider makes a provider with a client of its own, as another process would. wrap is put around the transport; nil means none.
	Provider(wrap func(http.RoundTripper) http.RoundTripper) provisioning.Provider
	// Inject adds a fault rule. The Op is one of Ops.
	Inject(f Fault)
	// Host is the panel's host, as links to it have it.
	Host() string
	// Count says how many requests of the operation were received.
	Count(op string) int
	// Order is a valid order with that key. All orders have the same owner, who exists.
	Order(key string) provisioning.CreateRequest
	// AddServer makes a ready server of another making, for the owner of Order, with that name.
	AddServer(name string) provisioning.ID
	// AddAllocated makes what a bare create of somebody else would make: no name, and never built where the panel knows such a thing.
	AddAllocated() provisioning.ID
	// SetRawState makes the panel report a state that nobody has seen.
	SetRawState(id provisioning.ID, state string)
	// Servers is the truth about the servers that exist.
	Servers() []Server
}

// Server is what a simulated panel says about one of its servers.
type Server struct {
	ID        provisioning.ID
	Key       string // the Key it carries, or its name
	Builds    int    // how many installations were started, counting one that create does by itself
	Running   bool
	Suspended bool
}

// Ops names the operations of a panel, as its fault rules do. Empty ones do not exist.
type Ops struct {
	List, OwnerList, Get, Create, Mark, Build, Start, Suspend, Delete, Rebuild, AddIPv4 string
}

// Harness describes one provider to the suite.
type Harness struct {
	// New makes a fresh panel inside the bubble of a case, and closes it with t.Cleanup.
	New func(t *testing.T) Panel
	Ops Ops
	// Capabilities are the names of the capability interfaces that the provider declares: exactly these must be implemented.
	Capabilities []string
	// Refused names the verbs that these credentials may not use ("Suspend", "FindOwner"), with the Kind that they get. As finds such capabilities all the same.
	Refused map[string]provisioning.Kind
	// UnknownID is an id that is well formed and does not exist.
	UnknownID provisioning.ID
	// PageSize is how many servers a page of the list holds.
	PageSize int
}

var capabilities = map[string]func(any) bool{
	"AddressManager":       has[provisioning.AddressManager],
	"BackupLister":         has[provisioning.BackupLister],
	"Builder":              has[provisioning.Builder],
	"Catalog":              has[provisioning.Catalog],
	"ConsoleOpener":        has[provisioning.ConsoleOpener],
	"Creator":              has[provisioning.Creator],
	"Deleter":              has[provisioning.Deleter],
	"OperationOpener":      has[provisioning.OperationOpener],
	"OwnerManager":         has[provisioning.OwnerManager],
	"PanelAccess":          has[provisioning.PanelAccess],
	"Peeker":               has[provisioning.Peeker],
	"Pinger":               has[provisioning.Pinger],
	"Power":                has[provisioning.Power],
	"Rebuilder":            has[provisioning.Rebuilder],
	"Renamer":              has[provisioning.Renamer],
	"RescueLeaver":         has[provisioning.RescueLeaver],
	"Rescuer":              has[provisioning.Rescuer],
	"Resizer":              has[provisioning.Resizer],
	"RootPasswordResetter": has[provisioning.RootPasswordResetter],
	"Snapshotter":          has[provisioning.Snapshotter],
	"Suspender":            has[provisioning.Suspender],
	"UsageReader":          has[provisioning.UsageReader],
	"Validator":            has[provisioning.Validator],
}

func has[C any](p any) bool {
	_, ok := provisioning.As[C](p)
	return ok
}

// Run runs the whole suite as subtests.
func Run(t *testing.T, h Harness) {
	h.run(t, "declared capabilities are the implemented ones", h.testCapabilities)
	h.runReading(t)
	h.runLifecycle(t)
	h.runManaging(t)
	h.runCreate(t)
	h.runCrashes(t)
}

// run gives a case a bubble and a panel of its own.
func (h Harness) run(t *testing.T, name string, test func(t *testing.T, p Panel)) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) { test(t, h.New(t)) })
	})
}

// refused checks a verb that these credentials may not use. It reports whether the verb is one.
func (h Harness) refused(t *testing.T, verb string, do func() error) bool {
	t.Helper()
	kind, ok := h.Refused[verb]
	if ok {
		if err := do(); !errors.Is(err, kind) || errors.Is(err, provisioning.ErrMaybeApplied) {
			t.Errorf("%s: got %v, want %s", verb, err, kind)
		}
	}
	return ok
}

func (h Harness) testCapabilities(t *testing.T, panel Panel) {
	p := panel.Provider(nil)
	for _, name := range h.Capabilities {
		if capabilities[name] == nil {
			t.Errorf("there is no capability called %s", name)
		}
	}
	for name, implemented := range capabilities {
		if declared := slices.Contains(h.Capabilities, name); declared != implemented(p) {
			t.Errorf("%s: declared %v, implemented %v", name, declared, implemented(p))
		}
	}
}

// background is a context that ends only after every fault has had its effect.
func background(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
	t.Cleanup(cancel)
	return ctx
}

func must[T any](t *testing.T) func(v T, err error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatalf("unexpected error: %v", err)
		}
		return v
	}
}

func wait(t *testing.T, op *provisioning.Operation) {
	t.Helper()
	if err := op.Wait(background(t), provisioning.WaitOptions{}); err != nil {
		t.Fatalf("wait: %v", err)
	}
}
