package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
	"github.com/hvpanels/hvpanels/solusvm2/solusvm2test"
)

// asProgram makes the test binary run as the program itself, so that it can be killed.
const asProgram = "IPSYNC_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	flag.Parse()
	_ = flag.Set("test.parallel", "16") // these tests wait for processes and panels, not for processors
	os.Exit(m.Run())
}

// Planted secrets: no output, no file and no error may hold one of them.
const (
	plantedHook       = "planted-hook-secret-0001"
	plantedOldHook    = "planted-old-hook-secret-01"
	plantedIdentifier = "planted-whmcs-identifier"
	plantedSecret     = "planted-whmcs-secret"
	plantedAccessKey  = "planted-whmcs-access-key"
	plantedToken      = "planted-panel-token"
)

var planted = []string{plantedHook, plantedOldHook, plantedIdentifier, plantedSecret, plantedAccessKey, plantedToken, "the service's own password"}

var credentials = whmcsCredentials{Identifier: plantedIdentifier, Secret: plantedSecret, AccessKey: plantedAccessKey}

// node is where the simulated management node calls from.
const node = "192.0.2.10:40000"

const testService = serviceID(1001)

// output is a log that several goroutines write.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// rig is the receiver between a simulated panel, which calls it from node, and a simulated WHMCS, all in one bubble of synctest.
type rig struct {
	t      *testing.T
	config config
	panel  *solusvm2test.Panel
	client *solusvm2.Client
	whmcs  *fakeWHMCS
	events solusvm2.EventOptions
	server solusvm2test.ServerState
	log    *output
	*receiver
	stop func()
}

// inBubble runs f with a rig, and looks for planted secrets in what it left behind.
func inBubble(t *testing.T, f func(*testing.T, *rig)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		f(t, r)
		if r.stop != nil {
			r.stop()
		}
		noSecretIn(t, r.log.String())
		noSecretBelow(t, r.config.state)
	})
}

// newRig makes the panels and a map. Nothing receives yet.
func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, log: &output{}, config: config{state: t.TempDir(), separator: "\n", ipv6: true, path: "/solusvm2"}}
	r.panel = solusvm2test.New(t, solusvm2test.WithToken(plantedToken), solusvm2test.WithWebhooks(transport(func(w http.ResponseWriter, q *http.Request) {
		q.RemoteAddr = node
		r.handler.ServeHTTP(w, q)
	})))
	var err error
	r.server, err = r.panel.AddServer(solusvm2test.Server{Name: "vps.example.com", IPv6: true})
	require.NoError(t, err)
	r.client, err = solusvm2.New(r.panel.URL(), r.panel.Token(), solusvm2.WithHTTPClient(&http.Client{Transport: r.panel.Transport()}))
	require.NoError(t, err)
	r.whmcs = newFakeWHMCS(credentials)
	r.whmcs.add(testService, "Active", "203.0.113.99", "203.0.113.99")
	r.events = solusvm2.EventOptions{
		Secrets: []provisioning.Secret{plantedHook, plantedOldHook}, AllowFrom: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/28")},
	}
	r.link(links{r.id(): {Service: testService, UUID: r.server.UUID}})
	return r
}

func (r *rig) id() solusvm2.ServerID { return solusvm2.ServerID(r.server.ID) }

// link replaces the map.
func (r *rig) link(m links) {
	require.NoError(r.t, writeFile(filepath.Join(r.config.state, "map.csv"), m.csv()))
}

// begin starts the receiver and its worker, as the program does.
func (r *rig) begin() {
	r.t.Helper()
	log := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w, err := newWHMCS("https://billing.example.com/whmcs/", credentials, transport(r.whmcs.ServeHTTP))
	require.NoError(r.t, err)
	r.events.Logger = log
	r.receiver, err = r.config.open(r.t.Context(), settings{panel: r.client, whmcs: w, events: r.events}, log)
	require.NoError(r.t, err)
	ctx, cancel := context.WithCancel(r.t.Context())
	var running sync.WaitGroup
	running.Go(func() { r.worker.run(ctx) })
	running.Go(func() { r.compareAll(ctx, r.config.resync) })
	r.stop = func() {
		cancel()
		running.Wait()
		r.close()
		r.stop = nil
	}
}

// subscribe enters the receiver in the panel.
func (r *rig) subscribe() {
	setup, err := solusvm2.NewEventSetup(r.events, solusvm2.EventSetupRequest{
		Name: "whmcs-ipsync", URL: "https://hooks.example.com/solusvm2", Event: solusvm2.EventAdditionalIP, Tag: eventTag,
	})
	require.NoError(r.t, err)
	_, err = r.panel.AddEventHandler(solusvm2test.EventHandler{
		Name: setup.Name, URL: setup.URL, Events: []string{setup.Event}, Parameters: setup.Parameters, Enabled: true,
	})
	require.NoError(r.t, err)
}

// event is what the panel tells about the server.
func (r *rig) event() solusvm2.Event {
	return solusvm2.Event{ServerID: provisioning.Some(r.id()), ServerUUID: r.server.UUID, Extra: map[string][]string{solusvm2.EventParam: {eventTag}}}
}

// post sends a notification as the panel does, changed by some function, and returns the status of the answer.
func (r *rig) post(e solusvm2.Event, change ...func(*http.Request)) int {
	q, err := solusvm2.NewEventTestRequest(r.t.Context(), "https://hooks.example.com/solusvm2", solusvm2.EventOptions{Secrets: r.events.Secrets}, e)
	require.NoError(r.t, err)
	q.RemoteAddr = node
	for _, f := range change {
		f(q)
	}
	answer := httptest.NewRecorder()
	r.handler.ServeHTTP(answer, q)
	return answer.Code
}

// shows returns what WHMCS has.
func (r *rig) shows() (dedicated, assigned string) {
	return r.whmcs.field(testService, "dedicatedip"), r.whmcs.field(testService, "assignedips")
}

// truth is what WHMCS should have.
func (r *rig) truth() record {
	server, err := r.client.Servers.Get(r.t.Context(), r.id())
	require.NoError(r.t, err)
	return wanted(server, r.config.ipv6)
}

// inStep asserts that WHMCS shows what the panel shows, and that nothing waits.
func (r *rig) inStep(msg ...any) {
	r.t.Helper()
	dedicated, assigned := r.shows()
	assert.True(r.t, same(r.truth(), recordOf(service{DedicatedIP: text(dedicated), AssignedIPs: text(assigned)})), msg...)
	r.waiting(0, 0)
}

// waiting asserts how many servers wait to be looked at, and how many for a person.
func (r *rig) waiting(inbox, failed int) {
	r.t.Helper()
	counts, err := r.inbox.servers()
	require.NoError(r.t, err)
	assert.Len(r.t, counts, inbox, "servers in the inbox")
	failures, err := r.inbox.failures()
	require.NoError(r.t, err)
	assert.Len(r.t, failures, failed, "servers that wait for a person")
}

// reason is why the only failure waits for a person.
func (r *rig) reason() string {
	failures, err := r.inbox.failures()
	require.NoError(r.t, err)
	require.Len(r.t, failures, 1)
	return failures[0].Reason
}

// pass lets time pass, and then everything that runs come to rest.
func (r *rig) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// transport is a RoundTripper to a handler in the same process.
type transport http.HandlerFunc

func (h transport) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	broken := false
	func() {
		defer func() { broken = recover() != nil }()
		h(answer, r.Clone(r.Context()))
	}()
	if broken {
		return nil, errors.New("connection reset by peer")
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	resp := answer.Result()
	resp.Request = r
	return resp, nil
}

// formKeys is a transport to a simulated WHMCS that notes each action with the names of its parameters.
func formKeys(fake *fakeWHMCS, sent *[]string) http.RoundTripper {
	return transport(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(b))
		*sent = append(*sent, form.Get("action")+": "+strings.Join(slices.Sorted(maps.Keys(form)), " "))
		r.Body = io.NopCloser(bytes.NewReader(b))
		fake.ServeHTTP(w, r)
	})
}

// cut ends a call of WHMCS's API without an answer.
func cut(http.ResponseWriter, string) bool { panic(http.ErrAbortHandler) }

func noSecretIn(t *testing.T, text string) {
	t.Helper()
	for _, s := range planted {
		assert.NotContains(t, text, s)
	}
}

// noSecretBelow reads every file of a folder.
func noSecretBelow(t *testing.T, dir string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		noSecretIn(t, path+string(b))
		return err
	}))
}
