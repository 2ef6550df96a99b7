// Package crashtest kills programs in the middle of what they do, for tests.
package crashtest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync/atomic"
)

// Program is the test's own binary as a process of its own, which ends with ctx. The variable marker is set in its environment: TestMain runs the program then, and no tests.
func Program(ctx context.Context, marker string, env map[string]string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...) // #nosec G204 G702 -- this very binary
	cmd.Env = append(os.Environ(), marker+"=1")
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// Victim is a process that one of its own requests kills (SIGKILL).
type Victim struct {
	killAt  int64
	after   bool
	counts  func(*http.Request) bool
	counted atomic.Int64
	process chan *os.Process
	dead    atomic.Bool
}

// NewVictim is a victim that its request number killAt kills, counted from 1 among those for which counts is true; no request does with 0. after says that the
// other side carries that request out first.
func NewVictim(killAt int64, after bool, counts func(*http.Request) bool) *Victim {
	return &Victim{killAt: killAt, after: after, counts: counts, process: make(chan *os.Process, 1)}
}

// Started tells which process it is. It has to be called once.
func (v *Victim) Started(cmd *exec.Cmd) { v.process <- cmd.Process }

// Requests is how many requests were counted.
func (v *Victim) Requests() int64 { return v.counted.Load() }

// Dead reports whether it was killed.
func (v *Victim) Dead() bool { return v.dead.Load() }

// Watch is the middleware around each server that the victim calls. The answer to the request that killed it is dropped, and what another process sends later is
// not counted.
func (v *Victim) Watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v.dead.Load() || !v.counts(r) || v.counted.Add(1) != v.killAt {
			next.ServeHTTP(w, r)
			return
		}
		v.dead.Store(true)
		if v.after {
			next.ServeHTTP(httptest.NewRecorder(), r)
		}
		_ = (<-v.process).Kill()
		panic(http.ErrAbortHandler)
	})
}

// EveryRequest counts all of them.
func EveryRequest(*http.Request) bool { return true }

// Writes counts those that may change something.
func Writes(r *http.Request) bool { return r.Method != http.MethodGet }
