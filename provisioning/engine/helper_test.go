package engine_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
	"github.com/hvpanels/hvpanels/virtfusion"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

const envPostgres = "HVPANELS_TEST_POSTGRES"

// onEach runs the test on SQLite, and on PostgreSQL when HVPANELS_TEST_POSTGRES names one.
func onEach(t *testing.T, test func(t *testing.T, db provisioning.Secret)) {
	t.Parallel()
	if !raceDetector || os.Getenv(envPostgres) == "" { // SQLite is Go code, too, and ten times as slow with the race detector
		t.Run("sqlite", func(t *testing.T) {
			t.Parallel()
			test(t, sqliteURL(t))
		})
	}
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, postgresURL(t))
	})
}

// sqliteURL names a file that is a copy of an empty database, which saves most of the time of Open.
func sqliteURL(t *testing.T) provisioning.Secret {
	t.Helper()
	b, err := emptySQLite()
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "engine.db")
	require.NoError(t, os.WriteFile(file, b, 0o600))
	return provisioning.Secret("sqlite:" + file)
}

var emptySQLite = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "hvpanels-engine")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "engine.db")
	if err := migrated(provisioning.Secret("sqlite:" + file)); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

// migrated lets an engine make its tables.
func migrated(db provisioning.Secret) error {
	e, err := engine.Open(context.Background(), engine.Config{DatabaseURL: db, Providers: map[string]provisioning.Provider{"nobody": nobody{}}})
	if err != nil {
		return err
	}
	return e.Close(context.Background())
}

type nobody struct{ provisioning.Provider }

// postgresURL makes a database that ends with the test.
func postgresURL(t *testing.T) provisioning.Secret {
	base := os.Getenv(envPostgres)
	if base == "" {
		t.Skip("set " + envPostgres + " to the postgres:// URL of a server on which databases may be made")
	}
	template, err := emptyPostgres()
	require.NoError(t, err)
	name := "hvpanels_test_" + strings.ToLower(rand.Text())
	require.NoError(t, runSQL(base, "CREATE DATABASE "+name+" TEMPLATE "+template))
	t.Cleanup(func() { assert.NoError(t, runSQL(base, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")) })
	return databaseURL(base, name)
}

// emptyPostgres is the name of a database with all tables, which TestMain drops.
var emptyPostgres = sync.OnceValues(func() (string, error) {
	base := os.Getenv(envPostgres)
	if err := runSQL(base, "CREATE DATABASE "+templateName); err != nil {
		return "", err
	}
	return templateName, migrated(databaseURL(base, templateName))
})

var templateName = "hvpanels_template_" + strings.ToLower(rand.Text())

func databaseURL(base, name string) provisioning.Secret {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	u.Path = "/" + name
	return provisioning.Secret(u.String())
}

func runSQL(url, statement string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, statement)
	return err
}

// fast are the timings of tests: simulated panels run 200 times as fast.
func fast() engine.Timings {
	return engine.Timings{
		Sweep: 50 * time.Millisecond, Lease: 3 * time.Second, Watchdog: 500 * time.Millisecond, StepTimeout: 20 * time.Second, Observe: time.Hour, FirstLook: time.Hour,
		Poll: 20 * time.Millisecond, Confirm: 50 * time.Millisecond, RetryFirst: 20 * time.Millisecond, RetryMax: 200 * time.Millisecond, Probe: 200 * time.Millisecond,
		RecordEvery: 20 * time.Millisecond, Watch: 20 * time.Millisecond,
	}
}

const testSpeed = 200

func newPanel(t *testing.T, opts ...virtfusiontest.Option) *virtfusiontest.Panel {
	return virtfusiontest.New(t, append([]virtfusiontest.Option{virtfusiontest.WithSpeed(testSpeed)}, opts...)...)
}

// newProvider makes a provider for the panel, as another process would.
func newProvider(t *testing.T, p *virtfusiontest.Panel) *virtfusion.Provider {
	return newProviderOver(t, p, p.Transport())
}

func newProviderOver(t *testing.T, p *virtfusiontest.Panel, rt http.RoundTripper) *virtfusion.Provider {
	t.Helper()
	c, err := virtfusion.New(p.URL(), p.Token(), virtfusion.WithHTTPClient(&http.Client{Transport: rt}))
	require.NoError(t, err)
	return virtfusion.NewProvider(c, virtfusion.ProviderOptions{})
}

type option func(*engine.Config)

func config(db provisioning.Secret, provider provisioning.Provider, opts ...option) engine.Config {
	c := engine.Config{
		DatabaseURL: db, Providers: map[string]provisioning.Provider{"alpha": provider}, Timings: fast(),
		Create: provisioning.CreateOptions{SendWindow: 2 * time.Second, Settle: time.Second},
	}
	if testing.Verbose() {
		c.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	for _, o := range opts {
		o(&c)
	}
	return c
}

// open opens an engine that ends with the test.
func open(t *testing.T, c engine.Config) *engine.Engine {
	t.Helper()
	e, err := engine.Open(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, e.Close(context.WithoutCancel(t.Context()))) })
	return e
}

// start opens an engine and lets it work.
func start(t *testing.T, c engine.Config) *engine.Engine {
	t.Helper()
	e := open(t, c)
	require.NoError(t, e.Start(t.Context()))
	return e
}

func order(key string) engine.Service {
	return engine.Service{Key: key, Provider: "alpha", Spec: provisioning.CreateRequest{
		Hostname: key + ".example.com", Plan: strconv.FormatInt(virtfusiontest.PackageSmall, 10), Image: strconv.FormatInt(virtfusiontest.TemplateDebian, 10), IPv4: 1,
		Owner: provisioning.Owner{Ref: "1001", Name: "Ada", Email: "ada@example.com"},
	}}
}

// ready waits until the service is as desired.
func ready(t *testing.T, e *engine.Engine, key string) engine.Status {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s, err := e.WaitReady(ctx, key)
	require.NoError(t, err, "%s: %s: %s", key, s.State, s.Message)
	return s
}

// until waits for a state of the server.
func until(t *testing.T, e *engine.Engine, key string, state engine.State) engine.Status {
	t.Helper()
	return untilStatus(t, e, key, func(s engine.Status) bool { return s.State == state })
}

func untilStatus(t *testing.T, e *engine.Engine, key string, want func(engine.Status) bool) (s engine.Status) {
	t.Helper()
	eventually(t, func() bool {
		var err error
		s, err = e.Status(t.Context(), key)
		return err == nil && want(s)
	}, func() string { return string(s.State) + ": " + s.Message })
	return s
}

func eventually(t *testing.T, done func() bool, last func() string) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			require.Fail(t, "it did not happen", "%s", last())
		}
	}
}
