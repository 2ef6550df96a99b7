//go:build unix

package main

import (
	"context"
	"crypto/rand"
	"flag"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning/engine"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// TestMain is a worker in a child process. Otherwise it runs more tests at once than there are processors: most of the time they wait.
func TestMain(m *testing.M) {
	if os.Getenv(envWorker) != "" {
		os.Exit(worker(os.Stdin, os.Stdout, os.Stderr))
	}
	flag.Parse()
	if flag.Lookup("test.parallel").Value.String() == flag.Lookup("test.parallel").DefValue {
		_ = flag.Set("test.parallel", "6")
	}
	os.Exit(m.Run())
}

func small() options {
	if raceDetector {
		return options{services: 8, seed: 1, duration: 4 * time.Second, settle: 2 * time.Minute, workers: 1, faults: 10, tokenSource: true}
	}
	return options{services: 40, seed: 1, duration: 4 * time.Second, settle: 30 * time.Second, workers: 2, faults: 25, tokenSource: true}
}

// simulatedRun runs a small chaos and wants it to end well.
func simulatedRun(t *testing.T, change func(*options)) *report {
	t.Helper()
	o := small()
	change(&o)
	var log strings.Builder
	r, err := simulate(t.Context(), o, &log)
	require.NoError(t, err, log.String())
	var text strings.Builder
	r.print(&text)
	t.Log("\n" + text.String())
	assert.Empty(t, r.violations, log.String())
	assert.Equal(t, o.services, r.wants["present"]+r.wants["suspended"]+r.wants["absent"])
	assert.Equal(t, r.wants["present"]+r.wants["suspended"], r.servers)
	assert.Positive(t, r.kills+r.stops, "nothing happened to the processes")
	if raceDetector {
		return r
	}
	assert.Greater(t, len(r.faults), 5, "hardly any fault happened")
	return r
}

func TestOneProcessIsAsDesiredAfterTheChaos(t *testing.T) {
	t.Parallel()
	r := simulatedRun(t, func(o *options) { o.workers = 1 })
	assert.Equal(t, r.servers, r.records)
	assert.Zero(t, r.uncertain)
}

func TestTheChecksSeeWhatIsWrong(t *testing.T) {
	t.Parallel()
	o := small()
	p, err := newPanels(o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, p.close()) })
	for range 2 {
		_, err := p.alpha.AddServer(testServer("order-0"))
		require.NoError(t, err)
		p.records.AddRecord(testRecord("order-0"))
	}
	_, err = p.alpha.AddServer(testServer("order-1"))
	require.NoError(t, err)
	_, err = p.alpha.AddServer(testServer(""))
	require.NoError(t, err)
	p.records.AddRecord(testRecord("order-1"))
	r := &chaos{options: o, panels: p, report: &report{}}
	wants := wanted("order-0", "present", "order-1", "absent", "order-2", "present")
	r.compareRecords(wants, map[string]bool{}, r.compareServers(wants))
	text := strings.Join(r.report.violations, "\n")
	for _, want := range []string{
		`has the key ""`, "order-0 has had 2 servers", "order-1 is absent, and its server", "order-2 is present, and has no server",
		"order-0 has 2 records", "order-1 is absent, and its record", "order-2 is present, and has no record",
	} {
		assert.Contains(t, text, want)
	}
}

func TestFlagsAreChecked(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-services", "0"}, {"-workers", "0"}, {"-faults", "51"}, {"-duration", "1ms"}, {"-restore", "-token-source=false"}, {"x"}, {"-unknown"}} {
		var out, log strings.Builder
		assert.Equal(t, 2, run(t.Context(), args, &out, &log), args)
		assert.NotEmpty(t, log.String())
	}
	var out, log strings.Builder
	assert.Equal(t, 0, run(t.Context(), []string{"-h"}, &out, &log))
}

const envPostgres = "HVPANELS_TEST_POSTGRES"

// postgres makes a database that ends with the test; "" without a server.
func postgres(t *testing.T) string {
	t.Helper()
	base := os.Getenv(envPostgres)
	if base == "" {
		return ""
	}
	name := "hvpanels_chaos_" + strings.ToLower(rand.Text())
	statement := func(ctx context.Context, text string) error {
		c, err := pgx.Connect(ctx, base)
		if err != nil {
			return err
		}
		_, err = c.Exec(ctx, text)
		_ = c.Close(ctx)
		return err
	}
	require.NoError(t, statement(t.Context(), "CREATE DATABASE "+name))
	t.Cleanup(func() {
		assert.NoError(t, statement(context.Background(), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"))
	})
	u, err := url.Parse(base)
	require.NoError(t, err)
	u.Path = "/" + name
	return u.String()
}

func testServer(name string) virtfusiontest.Server {
	return virtfusiontest.Server{Name: name, Built: true}
}

func testRecord(name string) ospabpaneltest.Record {
	return ospabpaneltest.Record{UserID: 1, Name: name, Status: "running", CPUCores: 1, MemoryMB: 1024, DiskGB: 20, OS: "Debian 12", Hypervisor: "proxmox"}
}

func wanted(pairs ...string) map[string]engine.Desired {
	all := map[string]engine.Desired{}
	for i := 0; i < len(pairs); i += 2 {
		all[pairs[i]] = engine.Desired(pairs[i+1])
	}
	return all
}
