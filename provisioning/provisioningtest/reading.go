package provisioningtest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

func (h Harness) runReading(t *testing.T) {
	h.run(t, "a server that does not exist is NotFound", h.testNotFound)
	h.run(t, "an address without the route is NoRoute and never NotFound", h.testNoRoute)
	h.run(t, "an ended context ends a call at once", h.testCancelled)
	h.run(t, "a list walks all pages, again and again, and stops when told", h.testPaging)
	h.run(t, "a list that fails yields its error once and last", h.testListError)
	h.run(t, "an unknown state is unknown and no error", h.testUnknownState)
	h.run(t, "passing failures of a read are retried", h.testReadRetry)
}

func (h Harness) testNotFound(t *testing.T, panel Panel) {
	_, err := panel.Provider(nil).Instance(background(t), h.UnknownID)
	if !errors.Is(err, provisioning.NotFound) || errors.Is(err, provisioning.NoRoute) {
		t.Errorf("got %v", err)
	}
	_, err = panel.Provider(nil).Instance(background(t), "no such id/../x")
	if err == nil || errors.Is(err, provisioning.ErrMaybeApplied) {
		t.Errorf("a malformed id: got %v", err)
	}
}

func (h Harness) testNoRoute(t *testing.T, panel Panel) {
	id := panel.AddServer("web-1")
	panel.Inject(Fault{Op: h.Ops.Get, Do: Answer, Status: http.StatusNotFound, Body: "404 page not found\n"})
	_, err := panel.Provider(nil).Instance(background(t), id)
	if !errors.Is(err, provisioning.NoRoute) || errors.Is(err, provisioning.NotFound) {
		t.Errorf("got %v", err)
	}
}

func (h Harness) testCancelled(t *testing.T, panel Panel) {
	id := panel.AddServer("web-1")
	p := panel.Provider(nil)
	panel.Inject(Fault{Op: h.Ops.Get, Do: Hang, Times: -1})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := p.Instance(ctx, id)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > 100*time.Millisecond {
		t.Errorf("took %v", took)
	}
	for _, err := range p.Instances(ctx) {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("list: got %v", err)
		}
	}
}

func (h Harness) testPaging(t *testing.T, panel Panel) {
	want := map[provisioning.ID]bool{}
	for range 2*h.PageSize + 5 {
		want[panel.AddServer("")] = true
	}
	list := panel.Provider(nil).Instances(background(t))
	var runs [2][]provisioning.Summary
	for i := range runs {
		for s, err := range list {
			if err != nil {
				t.Fatal(err)
			}
			runs[i] = append(runs[i], s)
		}
	}
	if !slices.Equal(runs[0], runs[1]) {
		t.Error("ranging twice gives different rows")
	}
	if pages := panel.Count(h.Ops.List); pages != 6 {
		t.Errorf("two walks over three pages asked %d times", pages)
	}
	for _, s := range runs[0] {
		if !want[s.ID] {
			t.Errorf("row %s is unknown or came twice", s.ID)
		}
		delete(want, s.ID)
	}
	if len(want) > 0 {
		t.Errorf("%d servers are missing", len(want))
	}
	for _, err := range list {
		if err != nil {
			t.Errorf("the first row of a walk that stops there: %v", err)
		}
		break
	}
	if pages := panel.Count(h.Ops.List); pages != 7 {
		t.Errorf("a walk that stops at its first row asked %d times", pages-6)
	}
}

func (h Harness) testListError(t *testing.T, panel Panel) {
	for range h.PageSize + 1 {
		panel.AddServer("")
	}
	panel.Inject(Fault{Op: h.Ops.List, Do: Answer, Status: http.StatusForbidden, Body: `{"message":"no"}`, Skip: 1})
	rows, errs := 0, 0
	for _, err := range panel.Provider(nil).Instances(background(t)) {
		if errs > 0 {
			t.Error("the list went on after its error")
		}
		if err != nil {
			errs++
			if !errors.Is(err, provisioning.Forbidden) {
				t.Errorf("got %v", err)
			}
			continue
		}
		rows++
	}
	if rows != h.PageSize || errs != 1 {
		t.Errorf("%d rows and %d errors", rows, errs)
	}
}

func (h Harness) testUnknownState(t *testing.T, panel Panel) {
	id := panel.AddServer("web-1")
	panel.SetRawState(id, "hibernating")
	i, err := panel.Provider(nil).Instance(background(t), id)
	if err != nil {
		t.Fatal(err)
	}
	if i.RawState != "hibernating" {
		t.Errorf("raw state %q", i.RawState)
	}
	if i.Phase != provisioning.PhaseUnknown && i.Power != provisioning.PowerUnknown {
		t.Errorf("an unknown state became phase %s, power %s", i.Phase, i.Power)
	}
}

func (h Harness) testReadRetry(t *testing.T, panel Panel) {
	id := panel.AddServer("web-1")
	for _, f := range []Fault{{Do: Refuse}, {Do: CutAfter}, {Do: HTML, Status: http.StatusBadGateway}, {Do: CutBody}, {Do: Answer, Status: http.StatusTooManyRequests, RetryAfter: "2"}} {
		f.Op = h.Ops.Get
		panel.Inject(f)
		i, err := panel.Provider(nil).Instance(background(t), id)
		if err != nil || i.ID != id {
			t.Errorf("%s: got %s, %v", f.Do, i.ID, err)
		}
	}
}
