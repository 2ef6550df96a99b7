package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/examples/internal/crashtest"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
	"github.com/hvpanels/hvpanels/solusvm2/solusvm2test"
)

// outside is a simulated panel and a simulated WHMCS behind HTTP, as the program meets real ones, and the program as a process of its own, which one of its
// requests kills.
type outside struct {
	t      *testing.T
	panel  *solusvm2test.Panel
	client *solusvm2.Client
	whmcs  *fakeWHMCS
	server solusvm2test.ServerState
	env    map[string]string
	state  string

	cmd    *exec.Cmd
	url    string // where the program receives
	output *output
	victim *crashtest.Victim
}

// newOutside lets request number killAt kill the program, or none with 0. after says that the request is carried out first.
func newOutside(t *testing.T, killAt int64, after bool) *outside {
	t.Helper()
	o := &outside{t: t, state: filepath.Join(t.TempDir(), "state"), output: &output{}, whmcs: newFakeWHMCS(credentials)}
	o.victim = crashtest.NewVictim(killAt, after, crashtest.EveryRequest)
	o.panel = solusvm2test.New(t, solusvm2test.WithToken(plantedToken), solusvm2test.WithTiming(solusvm2test.Timing{Queue: -1, Network: 20 * time.Millisecond}))
	var err error
	o.server, err = o.panel.AddServer(solusvm2test.Server{Name: "vps.example.com"})
	require.NoError(t, err)
	o.client, err = solusvm2.New(o.panel.URL(), o.panel.Token(), solusvm2.WithHTTPClient(&http.Client{Transport: o.panel.Transport()}))
	require.NoError(t, err)
	o.whmcs.add(testService, "Active", o.server.IPv4[0].String(), o.server.IPv4[0].String())
	panel, whmcs := httptest.NewServer(o.victim.Watch(o.panel)), httptest.NewServer(o.victim.Watch(o.whmcs))
	t.Cleanup(panel.Close)
	t.Cleanup(whmcs.Close)
	o.env = settingsEnv()
	o.env[envPanelURL], o.env[envWHMCSURL], o.env[envAllowFrom] = panel.URL, whmcs.URL, "127.0.0.1"
	require.NoError(t, os.MkdirAll(o.state, 0o700))
	m := links{solusvm2.ServerID(o.server.ID): {Service: testService, UUID: o.server.UUID}}
	require.NoError(t, writeFile(filepath.Join(o.state, "map.csv"), m.csv()))
	return o
}

func (o *outside) args() []string {
	return []string{"-listen", "127.0.0.1:0", "-state", o.state, "-resync", "0", "-v"}
}

// launch starts the process and returns when it receives.
func (o *outside) launch() {
	o.cmd = crashtest.Program(o.t.Context(), asProgram, o.env, o.args()...)
	o.cmd.Stderr = o.output
	stdout, err := o.cmd.StdoutPipe()
	require.NoError(o.t, err)
	require.NoError(o.t, o.cmd.Start())
	o.victim.Started(o.cmd)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(o.t, err, o.output.String())
	found := regexp.MustCompile(`^Receiving at (http://127\.0\.0\.1:\d+/solusvm2) for the panel at `).FindStringSubmatch(line)
	require.NotNil(o.t, found, line)
	o.url = found[1]
}

// address lets the panel give the server another address, upon which it calls the process, and returns when that was answered.
func (o *outside) address() {
	options := solusvm2.EventOptions{Secrets: []provisioning.Secret{plantedHook}}
	setup, err := solusvm2.NewEventSetup(options, solusvm2.EventSetupRequest{Name: "whmcs-ipsync", URL: o.url, Event: solusvm2.EventAdditionalIP, Tag: eventTag})
	require.NoError(o.t, err)
	_, err = o.panel.AddEventHandler(solusvm2test.EventHandler{
		Name: setup.Name, URL: setup.URL, Events: []string{setup.Event}, Parameters: setup.Parameters, Enabled: true,
	})
	require.NoError(o.t, err)
	_, err = o.client.Servers.AddIPs(o.t.Context(), solusvm2.ServerID(o.server.ID), solusvm2.AddIPsRequest{Count: 1})
	require.NoError(o.t, err)
	o.until("the panel has called", func() bool {
		calls := o.panel.Deliveries()
		return len(calls) == 1 && calls[0].Done
	})
}

func (o *outside) until(what string, done func() bool) {
	o.t.Helper()
	require.Eventually(o.t, done, 20*time.Second, 5*time.Millisecond, what)
}

// waiting is how many notifications are stored.
func (o *outside) waiting() int {
	files, err := filepath.Glob(filepath.Join(o.state, "inbox", "*.json"))
	require.NoError(o.t, err)
	return len(files)
}

func (o *outside) served() bool {
	return o.whmcs.field(testService, "assignedips") == "198.18.0.2\n198.18.0.3" && o.waiting() == 0
}

// finish runs the program again, in this process, until everything is served, and ends it as Ctrl-C does.
func (o *outside) finish() {
	ctx, cancel := context.WithCancel(o.t.Context())
	defer cancel()
	ended := make(chan result)
	go func() { ended <- start(ctx, o.env, o.args()...) }()
	o.until("the next run serves what was stored", o.served)
	cancel()
	got := <-ended
	assert.Equal(o.t, exitDone, got.code, got.stderr)
	noSecretIn(o.t, got.stdout+got.stderr)
}

func TestKilledAtAnyRequestTheNextRunFinishes(t *testing.T) {
	t.Parallel()
	calm := newOutside(t, 0, false)
	calm.launch()
	calm.address()
	calm.until("the notification is served", calm.served)
	requests := calm.victim.Requests()
	require.NoError(t, calm.cmd.Process.Kill())
	_ = calm.cmd.Wait()
	require.EqualValues(t, 4, requests, "server, service, update, service")
	noSecretIn(t, calm.output.String())

	for n := range requests {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("request %d, carried out: %v", n+1, after), func(t *testing.T) {
				t.Parallel()
				o := newOutside(t, n+1, after)
				o.launch()
				o.address()
				_ = o.cmd.Wait()
				assert.True(t, o.victim.Dead())
				assert.Equal(t, http.StatusNoContent, o.panel.Deliveries()[0].Status, "the panel was told that it is stored")
				assert.Equal(t, 1, o.waiting(), "and so it is, until WHMCS was seen to show the addresses")
				noSecretIn(t, o.output.String())
				noSecretBelow(t, o.state)
				o.finish()
				assert.Equal(t, 1, o.whmcs.count(actionSetService), "what had been written before is not written again")
			})
		}
	}
}

func TestWhatWasAnsweredWith204SurvivesAKillAtAnyMoment(t *testing.T) {
	t.Parallel()
	for _, ms := range []int{5, 50, 200, 600} {
		t.Run(fmt.Sprintf("%d ms", ms), func(t *testing.T) {
			t.Parallel()
			o := newOutside(t, 0, false)
			o.env[envWHMCSURL] = "http://127.0.0.1:1" // nobody there
			o.env[envPanelURL] = "http://127.0.0.1:1"
			o.launch()
			var accepted sync.Map
			var posting sync.WaitGroup
			kill := time.AfterFunc(time.Duration(ms)*time.Millisecond, func() { _ = o.cmd.Process.Kill() })
			defer kill.Stop()
			for n := range 8 {
				posting.Go(func() {
					for i := range 500 {
						id := solusvm2.ServerID(1000*(n+1) + i)
						if !o.notify(id) {
							return
						}
						accepted.Store(id, true)
					}
				})
			}
			posting.Wait()
			_ = o.cmd.Process.Kill()
			_ = o.cmd.Wait()
			in, err := openInbox(o.state)
			require.NoError(t, err)
			stored, err := in.servers()
			require.NoError(t, err)
			failures, err := in.failures() // the map does not know these servers
			require.NoError(t, err)
			for _, n := range failures {
				stored[n.server()]++
			}
			count := 0
			accepted.Range(func(id, _ any) bool {
				count++
				return assert.Positive(t, stored[id.(solusvm2.ServerID)], "server %v", id)
			})
			t.Logf("%d accepted, %d stored", count, len(stored))
		})
	}
}

// notify posts a notification and reports whether it was accepted.
func (o *outside) notify(id solusvm2.ServerID) bool {
	options := solusvm2.EventOptions{Secrets: []provisioning.Secret{plantedHook}}
	r, err := solusvm2.NewEventTestRequest(o.t.Context(), o.url, options, solusvm2.Event{ServerID: provisioning.Some(id)})
	if !assert.NoError(o.t, err) {
		return false
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return assert.Equal(o.t, http.StatusNoContent, resp.StatusCode)
}

func TestOtherPathsAreNotFoundAndNeverRedirected(t *testing.T) {
	t.Parallel()
	o := newOutside(t, 0, false)
	o.launch()
	defer func() { _ = o.cmd.Process.Kill(); _ = o.cmd.Wait() }()
	for _, path := range []string{"/", "/solusvm2/", "//solusvm2", "/solusvm2/../solusvm2"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, strings.TrimSuffix(o.url, "/solusvm2")+path+"?secret="+plantedHook, http.NoBody)
		require.NoError(t, err)
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		_ = resp.Body.Close()
		assert.Equal(t, http.StatusNotFound, resp.StatusCode, path)
	}
	noSecretIn(t, o.output.String())
}

func TestAnAddressThatIsTakenIsOneLine(t *testing.T) {
	t.Parallel()
	o := newOutside(t, 0, false)
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	got := start(t.Context(), o.env, "-state", o.state, "-listen", strings.TrimPrefix(taken.URL, "http://"))
	assert.Equal(t, exitUsage, got.code)
	assert.Contains(t, got.stderr, "whmcs-ipsync: -listen: ")
	assert.Equal(t, 1, strings.Count(got.stderr, "\n"), got.stderr)
}
