package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// asProgram makes the test binary run as the program itself, so that it can be killed.
const asProgram = "MAINSITE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		p := program{args: os.Args[1:], getenv: os.Getenv, stdout: os.Stdout, stderr: os.Stderr, timings: fast()}
		os.Exit(p.run(context.Background()))
	}
	flag.Parse()
	_ = flag.Set("test.parallel", "4") // these tests wait for panels more than for processors
	os.Exit(m.Run())
}

// fast are the timings of tests: simulated panels run 100 times as fast.
func fast() engine.Timings {
	return engine.Timings{
		Sweep: 100 * time.Millisecond, Lease: 4 * time.Second, Watchdog: 500 * time.Millisecond, StepTimeout: 20 * time.Second, Observe: time.Hour, FirstLook: 200 * time.Millisecond,
		Poll: 20 * time.Millisecond, Confirm: 50 * time.Millisecond, RetryFirst: 50 * time.Millisecond, RetryMax: 300 * time.Millisecond, Probe: 200 * time.Millisecond,
		RecordEvery: 20 * time.Millisecond, Watch: 100 * time.Millisecond,
	}
}

const patience = time.Minute // for machines that are busy

// rig is a pair of panels behind HTTP, as the program meets real ones, and a database.
type rig struct {
	t         *testing.T
	vf        *virtfusiontest.Panel
	ospab     *ospabpaneltest.Panel
	vfHTTP    *httptest.Server
	ospabHTTP *httptest.Server
	env       map[string]string
	db        string
	timings   engine.Timings
	base      string // of the site
	stop      func() // ends the site
}

// newRig makes panels. middleware is put around both of them; nil means none.
func newRig(t *testing.T, middleware func(http.Handler) http.Handler) *rig {
	t.Helper()
	r := &rig{
		t: t, vf: virtfusiontest.NewPanel(virtfusiontest.Options{Speed: 100}), ospab: ospabpaneltest.NewPanel(ospabpaneltest.Options{}),
		db: "sqlite:" + filepath.Join(t.TempDir(), "mainsite.db"), timings: fast(), stop: func() {},
	}
	for _, name := range simulatedUsers {
		r.ospab.AddUser(name)
	}
	if middleware == nil {
		middleware = func(h http.Handler) http.Handler { return h }
	}
	r.vfHTTP, r.ospabHTTP = httptest.NewServer(middleware(r.vf)), httptest.NewServer(middleware(r.ospab))
	t.Cleanup(func() {
		r.stop()
		r.vf.Close()
		r.ospab.Close()
		r.vfHTTP.Close()
		r.ospabHTTP.Close()
		assert.Empty(t, r.vf.Faults().Unused(), "a fault that does not happen proves nothing")
		assert.Empty(t, r.ospab.Faults().Unused())
	})
	r.env = map[string]string{
		"VIRTFUSION_URL": r.vfHTTP.URL, "VIRTFUSION_TOKEN": r.vf.Token().Reveal(), "OSPAB_PANEL_URL": r.ospabHTTP.URL, "VPS_SYNC_API_KEY": r.ospab.Key().Reveal(),
	}
	return r
}

// open opens the site as the program does.
func (r *rig) open(log *slog.Logger) *site {
	r.t.Helper()
	p := program{getenv: func(name string) string { return r.env[name] }, timings: r.timings}
	c := config{program: p, settle: 3 * time.Second}
	db, err := openDatabase(r.t.Context(), provisioning.Secret(r.db))
	require.NoError(r.t, err)
	panels, err := openPanels(r.t.Context(), c, false, db)
	require.NoError(r.t, err)
	s, err := openSite(r.t.Context(), c.engineConfig(provisioning.Secret(r.db), panels, log), db, provisioning.Secret(r.env[envWebhookToken]))
	require.NoError(r.t, err)
	server := httptest.NewServer(s.routes())
	server.Config.RegisterOnShutdown(s.end)
	r.base = server.URL
	ended := false
	r.stop = func() {
		if !ended {
			ended = true
			s.end()
			server.Close()
			s.close(context.Background())
			db.close()
		}
	}
	return s
}

// newSite is a rig with an open site and two customers.
func newSite(t *testing.T) *rig {
	t.Helper()
	r := newRig(t, nil)
	r.begin()
	return r
}

// onEach runs the test on SQLite, and on PostgreSQL when HVPANELS_TEST_POSTGRES names one. The site is not open yet.
func onEach(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, newRig(t, nil))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		db := postgresURL(t)
		r := newRig(t, nil)
		r.db = db
		test(t, r)
	})
}

// begin opens the site with two customers.
func (r *rig) begin() {
	r.t.Helper()
	r.open(slog.New(slog.DiscardHandler))
	r.customers()
}

func (r *rig) customers() {
	r.t.Helper()
	r.want(http.StatusOK, "PUT", "/customers/123", `{"name": "Ann", "email": "ann@example.com", "ospabUserId": 5}`)
	r.want(http.StatusOK, "PUT", "/customers/124", `{"name": "Bea", "email": "bea@example.com", "ospabUserId": 2}`)
}

// orderOf is the body of an order.
func orderOf(key, customer string) string { return demoOrder(key, customer) }

// answer is what a route answered.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send makes a request.
func (r *rig) send(method, path, body string) answer {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.base+path, strings.NewReader(body))
	require.NoError(r.t, err)
	return r.sendRequest(req)
}

func (r *rig) sendRequest(req *http.Request) answer {
	r.t.Helper()
	resp, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	defer func() { _ = resp.Body.Close() }()
	var b bytes.Buffer
	_, err = b.ReadFrom(resp.Body)
	require.NoError(r.t, err)
	return answer{resp.StatusCode, resp.Header, b.Bytes()}
}

// want makes a request that must have that status.
func (r *rig) want(status int, method, path, body string) answer {
	r.t.Helper()
	a := r.send(method, path, body)
	require.Equal(r.t, status, a.status, "%s %s: %s", method, path, a.body)
	return a
}

func decode[T any](t *testing.T, a answer) (v T) {
	t.Helper()
	require.NoError(t, json.Unmarshal(a.body, &v), string(a.body))
	return v
}

// refused makes a request that must be refused, and returns why.
func (r *rig) refused(status int, method, path, body string) errorDocument {
	r.t.Helper()
	return decode[errorDocument](r.t, r.want(status, method, path, body))
}

// until asks for a service until it is as wanted.
func (r *rig) until(key string, want func(serviceDocument) bool) (d serviceDocument) {
	r.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		a := r.want(http.StatusOK, "GET", "/vps/"+key, "")
		if d = decode[serviceDocument](r.t, a); want(d) {
			return d
		}
		if time.Now().After(end) {
			require.Fail(r.t, "it did not happen", "%s", a.body)
		}
	}
}

func asDesired(d serviceDocument) bool { return d.AsDesired }

func online(d serviceDocument) bool {
	return d.Server != nil && d.Server.State == provisioning.StateOnline
}

// eventually waits for what only the panels know.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			require.Fail(t, "it did not happen", what)
		}
	}
}

const envPostgres = "HVPANELS_TEST_POSTGRES"

// postgresURL makes a database that ends with the test, or skips it when HVPANELS_TEST_POSTGRES names no server on which databases may be made.
func postgresURL(t *testing.T) string {
	t.Helper()
	base := os.Getenv(envPostgres)
	if base == "" {
		t.Skip("set " + envPostgres + " to the postgres:// URL of a server on which databases may be made")
	}
	name := "hvpanels_" + strings.ToLower(rand.Text())
	conn, err := pgx.Connect(t.Context(), base)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	_, err = conn.Exec(t.Context(), "CREATE DATABASE "+name)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx := context.Background()
		conn, err := pgx.Connect(ctx, base)
		if err == nil {
			_, err = conn.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
			_ = conn.Close(ctx)
		}
		assert.NoError(t, err)
	})
	u, err := url.Parse(base)
	require.NoError(t, err)
	u.Path = "/" + name
	return u.String()
}
