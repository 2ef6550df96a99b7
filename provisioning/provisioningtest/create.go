package provisioningtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// writeFaults are all the ways in which the answer to a write goes wrong. committed says whether the panel carried it out at once.
var writeFaults = []struct {
	name string
	Fault
}{
	{"the connection is refused", Fault{Do: Refuse}},
	{"the connection is cut before the commit", Fault{Do: CutBefore}},
	{"the connection is cut after the commit", Fault{Do: CutAfter}},
	{"the commit comes 5 s after the cut", Fault{Do: CommitLate, Late: 5 * time.Second}},
	{"the commit comes 40 s after the cut", Fault{Do: CommitLate, Late: 40 * time.Second}},
	{"the commit comes 90 s after the cut", Fault{Do: CommitLate, Late: 90 * time.Second}},
	{"a proxy answers 502 and nothing was committed", Fault{Do: HTML, Status: http.StatusBadGateway}},
	{"a proxy answers 504 after the commit", Fault{Do: AnswerLate, Status: http.StatusGatewayTimeout, Body: "<html>504</html>"}},
	{"the panel fails with 500 after the commit", Fault{Do: AnswerLate, Status: http.StatusInternalServerError, Body: `{"message":"Server Error"}`}},
	{"an empty 200 comes after the commit", Fault{Do: AnswerLate, Status: http.StatusOK}},
	{"a page of HTML with 200 comes after the commit", Fault{Do: AnswerLate, Status: http.StatusOK, Body: "<html>hello</html>"}},
	{"the answer is cut in half", Fault{Do: CutBody}},
	{"the panel hangs and commits nothing", Fault{Do: Hang}},
	{"the panel commits and hangs", Fault{Do: HangAfter}},
	{"the panel asks for a pause", Fault{Do: Answer, Status: http.StatusTooManyRequests, RetryAfter: "3"}},
	{"the answer takes 20 s", Fault{Do: Slow, Delay: 20 * time.Second}},
}

func (h Harness) runCreate(t *testing.T) {
	var tally tally
	t.Cleanup(func() { t.Log(tally.String()) })
	for _, op := range h.createOps() {
		for _, f := range writeFaults {
			fault := f.Fault
			fault.Op = op
			h.run(t, fmt.Sprintf("one order, one server: %s at %s", f.name, op), func(t *testing.T, p Panel) { h.testOneOrder(t, p, fault, &tally) })
			h.run(t, fmt.Sprintf("two orders of one owner at once, two servers: %s at %s", f.name, op), func(t *testing.T, p Panel) { h.testTwoOrders(t, p, fault, &tally) })
			h.run(t, fmt.Sprintf("the caller gives up and calls again: %s at %s", f.name, op), func(t *testing.T, p Panel) { h.testImpatient(t, p, fault, &tally) })
		}
	}
	h.run(t, "a refused order makes no server and may be tried again", h.testRefused)
	h.run(t, "the same order from ten callers at once is one server", h.testTenCallers)
	h.run(t, "without its stored intent an order is found by its Key", h.testStateLost)
	h.run(t, "a retired Key is refused, also while its server waits for deletion", h.testRetired)
	h.run(t, "an unnamed server that was there before is left alone", h.testForeignBefore)
	h.run(t, "a foreign unnamed server made in the same minute is a conflict, or left alone", h.testForeignMeanwhile)
	h.run(t, "two servers with the Key are a conflict", h.testTwoCarry)
	h.run(t, "servers deleted between two pages of the walk that looks for a lost create", h.testDeletedBetweenPages)
	h.run(t, "an order whose server is gone is not made again", h.testGone)
	h.run(t, "a caller without patience is told that the order may have been applied", h.testMaybeApplied)
	h.run(t, "a create is not sent after its window", h.testWindow)
	h.run(t, "a check of an order creates nothing", h.testValidate)
}

func (h Harness) createOps() []string {
	ops := []string{h.Ops.Create}
	for _, op := range []string{h.Ops.Mark, h.Ops.Build} {
		if op != "" {
			ops = append(ops, op)
		}
	}
	return ops
}

// tally counts over cases that run in parallel.
type tally struct {
	mu                     sync.Mutex
	cases, orders, servers int
}

func (c *tally) add(orders, servers int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cases++
	c.orders += orders
	c.servers += servers
}

func (c *tally) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("never twice: %d cases, %d orders, %d servers", c.cases, c.orders, c.servers)
}

// exactly fails unless the panel holds one server for each key, each with its own, and each was installed builds times at most.
func exactly(t *testing.T, panel Panel, keys ...string) {
	t.Helper()
	var have []string
	for _, s := range panel.Servers() {
		have = append(have, s.Key)
		if s.Builds > 1 {
			t.Errorf("server %s (%s) was installed %d times", s.ID, s.Key, s.Builds)
		}
	}
	slices.Sort(have)
	slices.Sort(keys)
	if !slices.Equal(have, keys) {
		t.Errorf("the panel has servers %q, want %q", have, keys)
	}
}

func (h Harness) testOneOrder(t *testing.T, panel Panel, fault Fault, tally *tally) {
	panel.Inject(fault)
	p := panel.Provider(nil)
	store := &provisioning.MemIntents{}
	c, err := provisioning.CreateOnce(background(t), p, store, panel.Order("order-1"), provisioning.CreateOptions{})
	if err != nil {
		// A mark or a build may be refused after the server is known; the next call goes on.
		if c.ID == "" {
			t.Fatalf("no server is known: %v", err)
		}
		c, err = provisioning.CreateOnce(background(t), p, store, panel.Order("order-1"), provisioning.CreateOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	wait(t, c.Operation)
	pass(t, 5*time.Minute) // whatever is still late
	exactly(t, panel, "order-1")
	again := must[provisioning.Created](t)(provisioning.CreateOnce(background(t), p, store, panel.Order("order-1"), provisioning.CreateOptions{}))
	if again.ID != c.ID {
		t.Errorf("the second call gives %s, the first gave %s", again.ID, c.ID)
	}
	exactly(t, panel, "order-1")
	tally.add(1, len(panel.Servers()))
}

func (h Harness) testTwoOrders(t *testing.T, panel Panel, fault Fault, tally *tally) {
	panel.Inject(fault)
	store := &provisioning.MemIntents{}
	keys := []string{"order-1", "order-2"}
	var ids [2]provisioning.ID
	var wg sync.WaitGroup
	for i, key := range keys {
		wg.Go(func() {
			p := panel.Provider(nil)
			for range 3 {
				c, err := provisioning.CreateOnce(background(t), p, store, panel.Order(key), provisioning.CreateOptions{})
				if err != nil {
					continue
				}
				ids[i] = c.ID
				wait(t, c.Operation)
				return
			}
			t.Errorf("%s did not come through", key)
		})
	}
	wg.Wait()
	pass(t, 5*time.Minute)
	exactly(t, panel, keys...)
	for i, key := range keys {
		if got := h.find(t, panel, ids[i]).Key; got != key {
			t.Errorf("%s got the server of %q", key, got)
		}
	}
	tally.add(2, len(panel.Servers()))
}

// testImpatient calls again and again with a context of 3 s, as a web request would.
func (h Harness) testImpatient(t *testing.T, panel Panel, fault Fault, tally *tally) {
	panel.Inject(fault)
	store := &provisioning.MemIntents{}
	var c provisioning.Created
	var err error
	for range 100 {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		c, err = provisioning.CreateOnce(ctx, panel.Provider(nil), store, panel.Order("order-1"), provisioning.CreateOptions{})
		cancel()
		if err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	wait(t, c.Operation)
	pass(t, 5*time.Minute)
	exactly(t, panel, "order-1")
	tally.add(1, len(panel.Servers()))
}

func (h Harness) testRefused(t *testing.T, panel Panel) {
	panel.Inject(Fault{Op: h.Ops.Create, Do: Answer, Status: http.StatusUnprocessableEntity, Body: `{"errors":["no"],"message":"no"}`})
	store, p := &provisioning.MemIntents{}, panel.Provider(nil)
	c, err := provisioning.CreateOnce(background(t), p, store, panel.Order("order-1"), provisioning.CreateOptions{})
	if err == nil || errors.Is(err, provisioning.ErrMaybeApplied) || c.ID != "" {
		t.Errorf("got %s, %v", c.ID, err)
	}
	exactly(t, panel)
	start := time.Now()
	c = must[provisioning.Created](t)(provisioning.CreateOnce(background(t), p, store, panel.Order("order-1"), provisioning.CreateOptions{}))
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("a refusal made the next call wait %v", took)
	}
	wait(t, c.Operation)
	exactly(t, panel, "order-1")
}

func (h Harness) testTenCallers(t *testing.T, panel Panel) {
	store := &provisioning.MemIntents{}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			c, err := provisioning.CreateOnce(background(t), panel.Provider(nil), store, panel.Order("order-1"), provisioning.CreateOptions{})
			if err != nil {
				t.Error(err)
				return
			}
			wait(t, c.Operation)
		})
	}
	wg.Wait()
	exactly(t, panel, "order-1")
}

func (h Harness) testStateLost(t *testing.T, panel Panel) {
	p := panel.Provider(nil)
	first := must[provisioning.Created](t)(provisioning.CreateOnce(background(t), p, &provisioning.MemIntents{}, panel.Order("order-1"), provisioning.CreateOptions{}))
	wait(t, first.Operation)
	second := must[provisioning.Created](t)(provisioning.CreateOnce(background(t), p, &provisioning.MemIntents{}, panel.Order("order-1"), provisioning.CreateOptions{}))
	if second.ID != first.ID {
		t.Errorf("found %s instead of %s", second.ID, first.ID)
	}
	exactly(t, panel, "order-1")
}

func (h Harness) testRetired(t *testing.T, panel Panel) {
	ctx, p, store := background(t), panel.Provider(nil), &provisioning.MemIntents{}
	order := panel.Order("order-1")
	c := must[provisioning.Created](t)(provisioning.CreateOnce(ctx, p, store, order, provisioning.CreateOptions{}))
	wait(t, c.Operation)
	if err := provisioning.Retire(ctx, store, order.Key); err != nil {
		t.Fatal(err)
	}
	_, err := provisioning.Delete(ctx, p, c.ID, provisioning.DeleteOptions{In: 10 * time.Minute})
	if err != nil {
		if _, err = provisioning.Delete(ctx, p, c.ID, provisioning.DeleteOptions{}); err != nil { // a panel without a grace period
			t.Fatal(err)
		}
	}
	for _, pause := range []time.Duration{0, 30 * time.Minute} {
		pass(t, pause)
		_, err = provisioning.CreateOnce(ctx, p, store, order, provisioning.CreateOptions{})
		if !errors.Is(err, provisioning.Conflict) {
			t.Errorf("after %v: %v", pause, err)
		}
	}
	exactly(t, panel)
	if n := panel.Count(h.Ops.Create); n != 1 {
		t.Errorf("%d creates were sent", n)
	}
}

func (h Harness) testForeignBefore(t *testing.T, panel Panel) {
	foreign := panel.AddAllocated()
	panel.Inject(Fault{Op: h.Ops.Create, Do: CutAfter})
	c := must[provisioning.Created](t)(provisioning.CreateOnce(background(t), panel.Provider(nil), &provisioning.MemIntents{}, panel.Order("order-1"), provisioning.CreateOptions{}))
	wait(t, c.Operation)
	if c.ID == foreign || h.find(t, panel, foreign).Key == "order-1" {
		t.Error("somebody else's server was taken")
	}
	exactly(t, panel, h.find(t, panel, foreign).Key, "order-1")
}

func (h Harness) testForeignMeanwhile(t *testing.T, panel Panel) {
	var foreign provisioning.ID
	panel.Inject(Fault{Op: h.Ops.Create, Do: CutAfter})
	o := provisioning.CreateOptions{OnStage: func(s provisioning.CreateStage, _ provisioning.ID) {
		if s == provisioning.StagePlanned {
			foreign = panel.AddAllocated()
		}
	}}
	c, err := provisioning.CreateOnce(background(t), panel.Provider(nil), &provisioning.MemIntents{}, panel.Order("order-1"), o)
	var conflict *provisioning.ConflictError
	switch {
	case errors.As(err, &conflict):
		if len(conflict.Candidates) != 2 || !slices.Contains(conflict.Candidates, foreign) {
			t.Errorf("candidates %v", conflict.Candidates)
		}
	case err != nil:
		t.Error(err)
	case c.ID == foreign:
		t.Error("somebody else's server was taken")
	}
	if n := len(panel.Servers()); n != 2 {
		t.Errorf("%d servers", n)
	}
}

func (h Harness) testTwoCarry(t *testing.T, panel Panel) {
	a, b := panel.AddServer("order-1"), panel.AddServer("order-1")
	_, err := provisioning.CreateOnce(background(t), panel.Provider(nil), &provisioning.MemIntents{}, panel.Order("order-1"), provisioning.CreateOptions{})
	var conflict *provisioning.ConflictError
	if !errors.As(err, &conflict) || !errors.Is(err, provisioning.Conflict) || !slices.Contains(conflict.Candidates, a) || !slices.Contains(conflict.Candidates, b) {
		t.Errorf("got %v", err)
	}
	if n := panel.Count(h.Ops.Create); n != 0 {
		t.Errorf("%d creates were sent", n)
	}
}

func (h Harness) testGone(t *testing.T, panel Panel) {
	ctx, p, store := background(t), panel.Provider(nil), &provisioning.MemIntents{}
	c := must[provisioning.Created](t)(provisioning.CreateOnce(ctx, p, store, panel.Order("order-1"), provisioning.CreateOptions{}))
	wait(t, c.Operation)
	wait(t, must[*provisioning.Operation](t)(provisioning.Delete(ctx, p, c.ID, provisioning.DeleteOptions{})))
	if err := provisioning.WaitGone(ctx, p, c.ID, provisioning.WaitOptions{}); err != nil {
		t.Fatal(err)
	}
	gone, err := provisioning.CreateOnce(ctx, p, store, panel.Order("order-1"), provisioning.CreateOptions{})
	if !errors.Is(err, provisioning.NotFound) || gone.ID != c.ID {
		t.Errorf("got %s, %v", gone.ID, err)
	}
	exactly(t, panel)
}

func (h Harness) testMaybeApplied(t *testing.T, panel Panel) {
	panel.Inject(Fault{Op: h.Ops.Create, Do: CommitLate, Late: 40 * time.Second})
	store := &provisioning.MemIntents{}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := provisioning.CreateOnce(ctx, panel.Provider(nil), store, panel.Order("order-1"), provisioning.CreateOptions{})
	if !errors.Is(err, provisioning.ErrMaybeApplied) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	c := must[provisioning.Created](t)(provisioning.CreateOnce(background(t), panel.Provider(nil), store, panel.Order("order-1"), provisioning.CreateOptions{}))
	wait(t, c.Operation)
	exactly(t, panel, "order-1")
}

// testWindow pauses a process between storing its intent and sending its create, for longer than the window.
func (h Harness) testWindow(t *testing.T, panel Panel) {
	paused := false
	o := provisioning.CreateOptions{OnStage: func(s provisioning.CreateStage, _ provisioning.ID) {
		if s == provisioning.StagePlanned && !paused {
			paused = true
			pass(t, time.Hour)
		}
	}}
	store := &provisioning.MemIntents{}
	_, err := provisioning.CreateOnce(background(t), panel.Provider(nil), store, panel.Order("order-1"), o)
	if err == nil || errors.Is(err, provisioning.ErrMaybeApplied) {
		t.Errorf("got %v", err)
	}
	if n := panel.Count(h.Ops.Create); n != 0 {
		t.Errorf("%d creates were sent", n)
	}
	c := must[provisioning.Created](t)(provisioning.CreateOnce(background(t), panel.Provider(nil), store, panel.Order("order-1"), o))
	wait(t, c.Operation)
	exactly(t, panel, "order-1")
}

func (h Harness) testValidate(t *testing.T, panel Panel) {
	v, ok := provisioning.As[provisioning.Validator](panel.Provider(nil))
	if !ok {
		t.Skip("the panel cannot check an order")
	}
	if err := v.ValidateCreate(background(t), panel.Order("order-1")); err != nil {
		t.Error(err)
	}
	order := panel.Order("order-1")
	order.Plan = "987654"
	if err := v.ValidateCreate(background(t), order); err == nil {
		t.Error("an unknown plan passed")
	}
	exactly(t, panel)
}
