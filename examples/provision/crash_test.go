package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// victim is the program as a process of its own, which one of its requests kills.
type victim struct {
	cmd      *exec.Cmd
	started  chan struct{} // closed when cmd.Process is set
	killAt   int64         // number of the request, 0 for none
	after    bool          // the panel carries that request out first
	requests atomic.Int64
	dead     atomic.Bool
}

func program(args []string, env map[string]string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// watch is the middleware around both panels. What the dead process had sent afterwards is dropped, as is the answer.
func (v *victim) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v.dead.Load() || v.requests.Add(1) != v.killAt {
			next.ServeHTTP(w, r)
			return
		}
		v.dead.Store(true)
		<-v.started
		if v.after {
			next.ServeHTTP(httptest.NewRecorder(), r)
		}
		_ = v.cmd.Process.Kill()
		panic(http.ErrAbortHandler)
	})
}

func (v *victim) run(t *testing.T, r *rig) {
	t.Helper()
	v.cmd = program(r.args(), r.env)
	require.NoError(t, v.cmd.Start())
	close(v.started)
	_ = v.cmd.Wait()
}

func TestKilledAtAnyRequestTheSameCommandFinishesWithOneServer(t *testing.T) {
	t.Parallel()
	turns := make(chan struct{}, 8)
	onEachPanel(t, func(t *testing.T, k testKind) {
		calm := &victim{started: make(chan struct{})}
		calm.run(t, newRig(t, k, calm.watch))
		require.Equal(t, exitDone, calm.cmd.ProcessState.ExitCode())
		requests := calm.requests.Load()

		var tally tally
		var running sync.WaitGroup
		for n := range requests {
			for _, after := range []bool{false, true} {
				running.Go(func() {
					turns <- struct{}{}
					defer func() { <-turns }()
					v := &victim{started: make(chan struct{}), killAt: n + 1, after: after}
					r := newRig(t, k, v.watch)
					v.run(t, r)
					if v.dead.Load() { // not when this run needed fewer looks than the calm one
						tally.check(t, r, r.run(), fmt.Sprintf("killed at request %d, which was carried out: %v", n+1, after))
					}
				})
			}
		}
		running.Wait()
		assert.Greater(t, tally.orders, 20)
		assert.LessOrEqual(t, tally.uncertain, 3, "only at the record itself")
		t.Logf("%s, killed before and after each of %d requests: %d orders, %d servers, %d records, %d of them left to a person",
			k.name, requests, tally.orders, tally.servers, tally.records, tally.uncertain)
	})
}

// tally counts over runs that go on side by side.
type tally struct {
	mu                                  sync.Mutex
	orders, servers, records, uncertain int
}

// check holds what is there after the second run.
func (c *tally) check(t *testing.T, r *rig, second outcome, name string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	servers, records := r.panel.servers(), r.ospab.Records()
	c.orders++
	c.servers += len(servers)
	c.records += len(records)
	if assert.Len(t, servers, 1, name) {
		assert.Equal(t, 1, servers[0].Builds, name)
		assert.True(t, servers[0].Running, name)
	}
	if second.code == exitOSPAB {
		c.uncertain++
		assert.Contains(t, second.stderr, "uncertain: a record may exist", name)
		assert.LessOrEqual(t, len(records), 1, name)
		return
	}
	assert.Equal(t, exitDone, second.code, "%s: %s", name, second.stderr)
	if assert.Len(t, records, 1, name) {
		assert.Equal(t, "running", records[0].Status, name)
	}
}

func TestKilledAtAnyMomentSimulatedPanelsGoOn(t *testing.T) {
	t.Parallel()
	onEachPanel(t, func(t *testing.T, k testKind) {
		var running sync.WaitGroup
		for _, ms := range []int{30, 60, 90, 130, 180, 300, 900, 2500} {
			running.Go(func() {
				dir := t.TempDir()
				cmd := program([]string{"-panel", k.flag, "-state", dir}, nil)
				if !assert.NoError(t, cmd.Start()) {
					return
				}
				timer := time.AfterFunc(time.Duration(ms)*time.Millisecond, func() { _ = cmd.Process.Kill() })
				defer timer.Stop()
				_ = cmd.Wait()
				got := start(t.Context(), "-panel", k.flag, "-state", dir)
				assert.Equal(t, exitDone, got.code, "%d ms: %s", ms, got.stderr)
				servers, records := k.simulated(t, dir)
				assert.Len(t, servers, 1, "%d ms", ms)
				assert.Len(t, records, 1, "%d ms", ms)
			})
		}
		running.Wait()
	})
}

func TestCtrlCEndsTheProgramWith130(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a test cannot press Ctrl-C on Windows")
	}
	dir := t.TempDir()
	cmd := program([]string{"-state", dir}, nil)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	seen := make([]byte, 0, 4096)
	for !strings.Contains(string(seen), "created") {
		b := make([]byte, 256)
		n, err := stdout.Read(b)
		seen = append(seen, b[:n]...)
		require.NoError(t, err, string(seen))
	}
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	rest := new(bytes.Buffer)
	_, _ = rest.ReadFrom(stdout)
	_ = cmd.Wait()
	assert.Equal(t, exitInterrupted, cmd.ProcessState.ExitCode())
	assert.Contains(t, stderr.String(), "provision: order-1: interrupted: its server is 101. The same command continues.")
}
