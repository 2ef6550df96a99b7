package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/examples/internal/crashtest"
)

func program(t *testing.T, args []string, env map[string]string) *exec.Cmd {
	t.Helper()
	return crashtest.Program(t.Context(), asProgram, env, args...)
}

func runVictim(t *testing.T, v *crashtest.Victim, r *rig) *exec.Cmd {
	t.Helper()
	cmd := program(t, r.args(), r.env)
	require.NoError(t, cmd.Start())
	v.Started(cmd)
	_ = cmd.Wait()
	return cmd
}

func TestKilledAtAnyRequestTheSameCommandFinishesWithOneServer(t *testing.T) {
	t.Parallel()
	turns := make(chan struct{}, 8)
	onEachPanel(t, func(t *testing.T, k testKind) {
		calm := crashtest.NewVictim(0, false, crashtest.EveryRequest)
		require.Equal(t, exitDone, runVictim(t, calm, newRig(t, k, calm.Watch)).ProcessState.ExitCode())
		requests := calm.Requests()

		var tally tally
		var running sync.WaitGroup
		for n := range requests {
			for _, after := range []bool{false, true} {
				running.Go(func() {
					turns <- struct{}{}
					defer func() { <-turns }()
					v := crashtest.NewVictim(n+1, after, crashtest.EveryRequest)
					r := newRig(t, k, v.Watch)
					runVictim(t, v, r)
					if v.Dead() { // not when this run needed fewer looks than the calm one
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
				cmd := program(t, []string{"-panel", k.flag, "-state", dir}, nil)
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
	cmd := program(t, []string{"-state", dir}, nil)
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
