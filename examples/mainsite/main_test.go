package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/examples/internal/crashtest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// outcome is what one run of the program left behind.
type outcome struct {
	code           int
	stdout, stderr string
}

func start(ctx context.Context, env map[string]string, args ...string) outcome {
	var stdout, stderr bytes.Buffer
	p := program{args: args, getenv: func(name string) string { return env[name] }, stdout: &stdout, stderr: &stderr}
	code := p.run(ctx)
	return outcome{code, stdout.String(), stderr.String()}
}

func TestWithoutSettingsItShowsItselfAndEnds(t *testing.T) {
	t.Parallel()
	got := start(t.Context(), nil)
	require.Equal(t, exitDone, got.code, got.stderr)
	assert.Empty(t, got.stderr)
	for _, line := range []string{
		`POST /vps +400  memory: must be a size with its unit such as "2GiB", and not the JSON number`,
		`POST /vps +202  order-1 is stored, after \d+ ms`,
		`GET /vps/order-3 +200  why: .*ospab.* connection refused`,
		`order-3 +server 103 online, record \d running: as desired`,
		`POST /vps/order-1/password +200  [A-Z0-9]{20}\n.*POST /vps/order-1/password +404  no password waits for order-1; reset it`,
		`order-2 +server gone, record \d gone: as desired`,
		`POST /reconcile\?apply=true +200  servers and records compared: \d, differences: 1, resynchronised: 0\n.*stray: server "by-hand"`,
	} {
		assert.Regexp(t, line, got.stdout)
	}
	table := regexp.MustCompile(`(?s)\nORDER.*`).FindString(got.stdout)
	assert.Equal(t, `
ORDER    DESIRED  SERVER      OSPAB RECORD  WHY IT IS NOT AS DESIRED
order-1  present  101 online  N running
order-2  absent   gone        N gone
order-3  present  103 online  N running

Three orders became 3 servers on VirtFusion, of which 1 was deleted again. The OSPAB panel has:
  record N  order-1 of user 5: running, cpu = 2, ram = 2048 (MB), disk = 40 (GB), os = "Debian 12"
  record N  order-3 of user 5: running, cpu = 2, ram = 2048 (MB), disk = 40 (GB), os = "Debian 12"
`, regexp.MustCompile(`(record|online |gone    ) +\d `).ReplaceAllStringFunc(table, func(s string) string { return s[:len(s)-2] + "N " }))
}

func TestMistakesAreOneLineAndSendNothing(t *testing.T) {
	t.Parallel()
	const token, key = "some-token", "0123456789abcdef0123456789abcdef"
	for name, c := range map[string]struct {
		env  map[string]string
		args []string
		want string
	}{
		"an address without its token": {
			map[string]string{"VIRTFUSION_URL": "https://cp.example.com"}, nil,
			"VIRTFUSION_TOKEN is not set, but VIRTFUSION_URL is: set both to drive your VirtFusion panel",
		},
		"a token without its address": {
			map[string]string{"VIRTFUSION_TOKEN": token}, nil, "VIRTFUSION_URL is not set, but VIRTFUSION_TOKEN is: set both to drive your VirtFusion panel",
		},
		"an address that is none": {
			map[string]string{"VIRTFUSION_URL": "cp.example.com", "VIRTFUSION_TOKEN": token}, nil, "VIRTFUSION_URL must begin with https:// (or http://) and a host name",
		},
		"a token in quotes": {
			map[string]string{"VIRTFUSION_URL": "https://cp.example.com", "VIRTFUSION_TOKEN": `"` + token + `"`}, nil, "VIRTFUSION_TOKEN",
		},
		"a real OSPAB panel and simulated servers": {
			map[string]string{"OSPAB_PANEL_URL": "https://panel.example", "VPS_SYNC_API_KEY": key}, nil,
			"the panel with the servers would be simulated: set VIRTFUSION_URL and VIRTFUSION_TOKEN as well",
		},
		"a database of another kind": {
			map[string]string{"DATABASE_URL": "mysql://" + token + "@host/db"}, nil, "DATABASE_URL must begin with postgres:// or sqlite:",
		},
		"a PostgreSQL address that is none": {
			map[string]string{"DATABASE_URL": "postgres://" + token + "@host:port/db"}, nil, "DATABASE_URL is not a valid postgres:// address",
		},
		"a folder that is missing":     {nil, []string{"-db", "no/such/folder/x.db"}, "no/such/folder/x.db"},
		"a short password key":         {map[string]string{"MAINSITE_PASSWORD_KEY": token}, nil, "MAINSITE_PASSWORD_KEY must have 16 characters or more"},
		"a short webhook token":        {map[string]string{"VIRTFUSION_WEBHOOK_TOKEN": token}, nil, "VIRTFUSION_WEBHOOK_TOKEN"},
		"an address that others reach": {nil, []string{"-listen", "0.0.0.0:8080"}, "-listen 0.0.0.0:8080 can be reached from other machines, and the routes ask for no password"},
		"an address without a port":    {nil, []string{"-listen", "127.0.0.1"}, "-listen 127.0.0.1: must be HOST:PORT"},
		"an argument":                  {nil, []string{"serve"}, `unexpected argument "serve"`},
		"an unknown flag":              {nil, []string{"-demo"}, "-demo"},
		"no time between checks":       {nil, []string{"-check", "0s"}, "-check must be above 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{"DATABASE_URL": "sqlite:" + filepath.Join(t.TempDir(), "x.db")}
			for k, v := range c.env {
				env[k] = v
			}
			got := start(t.Context(), env, c.args...)
			assert.Equal(t, exitUsage, got.code)
			assert.Empty(t, got.stdout)
			assert.True(t, strings.HasPrefix(got.stderr, "mainsite: "), got.stderr)
			assert.Contains(t, got.stderr, c.want)
			assert.Equal(t, 1, strings.Count(got.stderr, "\n"), got.stderr)
			assert.NotContains(t, got.stderr, token)
		})
	}
}

func TestHelpIsNoMistake(t *testing.T) {
	t.Parallel()
	got := start(t.Context(), nil, "-help")
	assert.Equal(t, exitDone, got.code)
	for _, flag := range []string{"-listen ADDRESS", "-serve", "-db PATH", "-allow-remote", "-settle", "-check", "-fallback-location ID"} {
		assert.Contains(t, got.stderr, flag)
	}
}

func TestAnAddressWithoutAHostIsThisMachine(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]string{":0": "127.0.0.1:0", "localhost:0": "localhost:0", "[::1]:80": "[::1]:80", "127.0.0.2:80": "127.0.0.2:80"} {
		c := config{listen: listen}
		require.NoError(t, c.checkAddress())
		assert.Equal(t, want, c.listen)
	}
	c := config{listen: "0.0.0.0:80", allowRemote: true}
	assert.NoError(t, c.checkAddress())
}

// startUntil presses Ctrl-C when the program has printed the text.
func startUntil(t *testing.T, text string, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stdout := &crashtest.Interrupter{Text: text, Cancel: cancel}
	var stderr bytes.Buffer
	code := program{args: args, getenv: func(string) string { return "" }, stdout: stdout, stderr: &stderr}.run(ctx)
	return outcome{code, stdout.String(), stderr.String()}
}

func TestCtrlCEndsServingInOrder(t *testing.T) {
	t.Parallel()
	got := startUntil(t, "The main site", "-serve", "-listen", ":0")
	assert.Equal(t, exitDone, got.code, got.stderr)
	assert.Regexp(t, `^The main site is at http://127\.0\.0\.1:\d+\. It asks for no password\. No panel is set, so it uses simulated ones\.\n$`, got.stdout)
}

func TestCtrlCEndsTheShowWith130(t *testing.T) {
	t.Parallel()
	got := startUntil(t, "order-1 is stored")
	assert.Equal(t, exitInterrupted, got.code, got.stderr)
	assert.NotContains(t, got.stdout, "order-3")
}

func TestATemporaryDatabaseIsRemoved(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	require.Equal(t, exitDone, startUntil(t, "The main site", "-serve", "-listen", ":0").code)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestManySitesMayStartAtOnceOnAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, r *rig) {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				db, err := openDatabase(t.Context(), provisioning.Secret(r.db))
				if assert.NoError(t, err) {
					db.close()
				}
			})
		}
		all.Wait()
	})
}
