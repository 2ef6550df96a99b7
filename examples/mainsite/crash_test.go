package main

import (
	"bufio"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/examples/internal/crashtest"
	"github.com/hvpanels/hvpanels/provisioning/engine"
)

var address = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// launch starts the program as a process of its own, which serves with the rig's panels and database.
func (r *rig) launch(args ...string) *exec.Cmd {
	r.t.Helper()
	env := map[string]string{"DATABASE_URL": r.db}
	maps.Copy(env, r.env)
	cmd := crashtest.Program(r.t.Context(), asProgram, env, append([]string{"-listen", ":0", "-settle", "3s"}, args...)...)
	cmd.Stderr = os.Stderr
	if !testing.Verbose() {
		cmd.Stderr = nil
	}
	stdout, err := cmd.StdoutPipe()
	require.NoError(r.t, err)
	require.NoError(r.t, cmd.Start())
	r.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(r.t, err)
	r.base = address.FindString(line)
	require.NotEmpty(r.t, r.base, line)
	return cmd
}

func kill(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// once holds what is there after a crash and a second start: what was accepted is carried out, one time.
func (r *rig) once(t *testing.T, name string) {
	t.Helper()
	servers, records := r.vf.Servers(), r.ospab.Records()
	if assert.Len(t, servers, 1, name) {
		assert.Equal(t, 1, servers[0].Builds, name)
		assert.True(t, servers[0].Running, name)
	}
	if assert.Len(t, records, 1, name) {
		assert.Equal(t, "running", records[0].Status, name)
	}
}

func TestKilledRightAfterItHasAcceptedAnOrderItCarriesItOutOnce(t *testing.T) {
	t.Parallel()
	for _, ms := range []int{0, 20, 60, 150, 400, 1000} {
		t.Run(fmt.Sprintf("%d ms after the answer", ms), func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, r *rig) {
				victim := r.launch()
				r.customers()
				r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
				time.Sleep(time.Duration(ms) * time.Millisecond)
				kill(victim)
				t.Logf("when it was killed, the panels had %d servers and %d records", len(r.vf.Servers()), len(r.ospab.Records()))

				r.launch()
				d := r.until("order-1", func(d serviceDocument) bool { return d.AsDesired || d.Person })
				if d.Record.State == engine.Uncertain { // it died between sending the record and reading the answer: nobody can look with the sync key
					r.settle(t, "order-1")
				}
				r.once(t, "")
			})
		})
	}
}

// settle does what a person does who looks at the panel.
func (r *rig) settle(t *testing.T, key string) {
	t.Helper()
	id := "none"
	for _, rec := range r.ospab.Records() {
		id = fmt.Sprint(rec.ID)
	}
	assert.Equal(t, http.StatusAccepted, r.send("POST", "/vps/"+key+"/record", `{"id": "`+id+`"}`).status)
	r.until(key, asDesired)
}

func TestKilledRightAfterItHasAcceptedADeletionItCarriesItOutOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	victim := r.launch()
	r.customers()
	r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
	r.until("order-1", asDesired)
	r.want(http.StatusAccepted, "DELETE", "/vps/order-1", "")
	kill(victim)

	r.launch()
	r.until("order-1", asDesired)
	assert.Empty(t, r.ospab.Records())
	assert.False(t, r.vf.Servers()[0].DeletedAt.IsZero())
	assert.Len(t, r.vf.Servers(), 1)
}

// order starts the victim and orders a server.
func (r *rig) order(v *crashtest.Victim) *exec.Cmd {
	cmd := r.launch()
	v.Started(cmd)
	r.customers()
	r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
	return cmd
}

func TestKilledAtAnyWriteTheNextStartFinishesWithOneServer(t *testing.T) {
	t.Parallel()
	calm := crashtest.NewVictim(0, false, crashtest.Writes)
	r := newRig(t, calm.Watch)
	cmd := r.order(calm)
	r.until("order-1", asDesired)
	kill(cmd)
	writes := calm.Requests()
	require.GreaterOrEqual(t, writes, int64(5), "account, create, name, build, record, status")

	var uncertain atomic.Int64
	var running sync.WaitGroup
	turns := make(chan struct{}, 4)
	for n := range writes {
		for _, after := range []bool{false, true} {
			running.Go(func() {
				turns <- struct{}{}
				defer func() { <-turns }()
				name := fmt.Sprintf("killed at write %d, which was carried out: %v", n+1, after)
				v := crashtest.NewVictim(n+1, after, crashtest.Writes)
				r := newRig(t, v.Watch)
				cmd := r.order(v)
				eventually(t, name, v.Dead)
				_ = cmd.Wait()
				r.launch()
				d := r.until("order-1", func(d serviceDocument) bool { return d.AsDesired || d.Person })
				if !d.AsDesired {
					uncertain.Add(1)
					assert.Equal(t, engine.Uncertain, d.Record.State, "%s: %s", name, d.Why)
					r.settle(t, "order-1")
				}
				r.once(t, name)
			})
		}
	}
	running.Wait()
	assert.LessOrEqual(t, uncertain.Load(), int64(4), "only around the record itself")
	t.Logf("killed before and after each of %d writes: one server and one record each time, %d records after a person had looked", writes, uncertain.Load())
}

func TestSimulatedPanelsAreKeptInTheDatabase(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.env = nil
	r.db = "sqlite:" + filepath.Join(t.TempDir(), "mainsite.db")
	victim := r.launch()
	r.customers()
	r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
	d := r.until("order-1", func(d serviceDocument) bool { return d.Server != nil })
	kill(victim)
	r.launch()
	after := r.until("order-1", asDesired)
	assert.Equal(t, d.Server.ID, after.Server.ID)
	assert.JSONEq(t, `{"checked": 2, "differences": []}`, string(r.want(http.StatusOK, "POST", "/reconcile", "").body), "one server, one record")
}

func TestTheDatabaseOfOtherPanelsIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	first := r.launch()
	r.customers()
	r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
	r.until("order-1", asDesired)
	kill(first)
	moved := httptest.NewServer(r.vf)
	t.Cleanup(moved.Close)
	r.env["VIRTFUSION_URL"] = moved.URL
	r.env["DATABASE_URL"] = r.db
	got := start(t.Context(), r.env, "-listen", ":0")
	assert.Equal(t, exitUsage, got.code)
	assert.Contains(t, got.stderr, "the stored ids of panel virtfusion belong to "+r.vfHTTP.URL+", not to "+moved.URL)
	assert.Contains(t, got.stderr, "(-moved)")

	r.launch("-moved", "virtfusion")
	r.want(http.StatusAccepted, "DELETE", "/vps/order-1", "")
	r.until("order-1", asDesired)
}
