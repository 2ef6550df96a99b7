package provisioningtest

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

func (h Harness) runCrashes(t *testing.T) {
	h.run(t, "a process killed before or after any step: its successor finishes with one server", func(t *testing.T, _ Panel) { h.eachStep(t, h.testKilled) })
	h.run(t, "a process stopped for an hour at any step, while another goes on: one server", func(t *testing.T, _ Panel) { h.eachStep(t, h.testStopped) })
}

// eachStep runs the test on a fresh panel for step 1, 2, 3, ... until a run does not get that far.
func (h Harness) eachStep(t *testing.T, test func(t *testing.T, panel Panel, step int) (reached bool)) {
	steps := 0
	for test(t, h.New(t), steps+1) {
		steps++
	}
	if steps < 6 {
		t.Errorf("only %d steps were interrupted", steps)
	}
	t.Logf("never twice: interrupted at each of %d steps, %d orders, %d servers", steps, steps, steps)
}

func (h Harness) testKilled(t *testing.T, panel Panel, step int) bool {
	store := &provisioning.MemIntents{}
	ctx, kill := context.WithCancelCause(background(t))
	victim := &process{step: step, act: func() { kill(errKilled) }}
	_, err := provisioning.CreateOnce(ctx, panel.Provider(victim.wrap), &watchedIntents{store, victim, true}, panel.Order("order-1"), provisioning.CreateOptions{})
	if !victim.reached() {
		if err != nil {
			t.Errorf("a run without interruption: %v", err)
		}
		return false
	}
	c, err := provisioning.CreateOnce(background(t), panel.Provider(nil), store, panel.Order("order-1"), provisioning.CreateOptions{})
	if err != nil {
		t.Errorf("killed at step %d: %v", step, err)
		return true
	}
	wait(t, c.Operation)
	pass(t, 5*time.Minute)
	exactly(t, panel, "order-1")
	return true
}

func (h Harness) testStopped(t *testing.T, panel Panel, step int) bool {
	store := &provisioning.MemIntents{}
	stopped := make(chan struct{})
	victim := &process{step: step, act: func() { close(stopped); pass(t, time.Hour) }}
	done := make(chan error, 1)
	go func() {
		_, err := provisioning.CreateOnce(background(t), panel.Provider(victim.wrap), &watchedIntents{store, victim, false}, panel.Order("order-1"), provisioning.CreateOptions{})
		if err != nil { // a request whose window has passed is refused; the caller calls again
			_, err = provisioning.CreateOnce(background(t), panel.Provider(nil), store, panel.Order("order-1"), provisioning.CreateOptions{})
		}
		done <- err
	}()
	select {
	case <-stopped:
	case err := <-done:
		if err != nil {
			t.Errorf("a run without interruption: %v", err)
		}
		return false
	}
	for _, key := range []string{"order-1", "order-2"} {
		c, err := provisioning.CreateOnce(background(t), panel.Provider(nil), store, panel.Order(key), provisioning.CreateOptions{})
		if err != nil {
			t.Errorf("stopped at step %d, %s: %v", step, key, err)
			continue
		}
		wait(t, c.Operation)
	}
	if err := <-done; err != nil {
		t.Errorf("stopped at step %d, after waking: %v", step, err)
	}
	pass(t, 5*time.Minute)
	exactly(t, panel, "order-1", "order-2")
	return true
}

// pass lets the faked time of a case pass, or ends with the case.
func pass(t *testing.T, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}

var errKilled = errors.New("killed")

// process counts the steps of one process, which are its requests (before and after each) and its saves, and interrupts it at one of them.
type process struct {
	mu   sync.Mutex
	step int
	seen int
	act  func()
}

func (p *process) point() {
	p.mu.Lock()
	p.seen++
	hit := p.seen == p.step
	p.mu.Unlock()
	if hit {
		p.act()
	}
}

func (p *process) reached() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen >= p.step
}

func (p *process) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		p.point()
		if err := context.Cause(r.Context()); errors.Is(err, errKilled) {
			return nil, err
		}
		resp, err := next.RoundTrip(r)
		p.point()
		if errors.Is(context.Cause(r.Context()), errKilled) && resp != nil {
			_ = resp.Body.Close()
			return nil, errKilled
		}
		return resp, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// watchedIntents is the store as a process that may be interrupted sees it: what a killed process saves is lost.
type watchedIntents struct {
	provisioning.Intents
	process *process
	killed  bool
}

func (w *watchedIntents) Save(ctx context.Context, i provisioning.Intent) error {
	w.process.point()
	if w.killed && w.process.reached() {
		return errKilled
	}
	err := w.Intents.Save(ctx, i)
	w.process.point()
	return err
}
