package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/solusvm2"
)

// result is what one run of the program left behind.
type result struct {
	code           int
	stdout, stderr string
}

func start(ctx context.Context, env map[string]string, args ...string) result {
	var stdout, stderr bytes.Buffer
	code := run(ctx, args, func(name string) string { return env[name] }, &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

var steady = regexp.MustCompile(`\d+\.\ds  |127\.0\.0\.1:\d+`)

func TestWithoutSettingsTheAddressesOfASimulatedServerReachASimulatedWHMCS(t *testing.T) {
	t.Parallel()
	began := time.Now()
	got := start(t.Context(), nil)
	assert.Equal(t, exitDone, got.code, got.stderr)
	assert.Empty(t, got.stderr)
	assert.Less(t, time.Since(began), 15*time.Second)
	assert.Equal(t, `No panel is set, so this run uses a simulated SolusVM 2 panel and a simulated WHMCS. Nothing leaves this machine, and nothing is kept.
   *receiver  at http://*/solusvm2; an event handler of the panel calls it on "Add or remove an additional IP"
   *panel     server 101 gets an additional address
   *panel     its call of the receiver was answered with 204
   *whmcs     service 1001 was updated
   *panel     server 101 moves to Frankfurt, where all its addresses are others
   *panel     its call of the receiver was answered with 204
   *whmcs     service 1001 was updated

service 1001 in WHMCS  dedicatedip  assignedips
at first               198.18.0.2   198.18.0.2, 2001:db8:a::1:1
an address was added   198.18.0.2   198.18.0.2, 198.18.0.3, 2001:db8:a::1:1
the server was moved   198.18.32.2  198.18.32.2, 198.18.32.3, 2001:db8:f::1:1
`, steady.ReplaceAllString(got.stdout, "*"))
}

func TestTheSimulationObeysFlagsAndCtrlC(t *testing.T) {
	t.Parallel()
	got := start(t.Context(), nil, "-ipv6=false", "-separator", "comma")
	assert.Equal(t, exitDone, got.code, got.stderr)
	assert.Contains(t, got.stdout, "the server was moved   198.18.32.2  198.18.32.2, 198.18.32.3\n")

	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	got = start(ctx, nil)
	assert.Equal(t, exitFailed, got.code)
	assert.Equal(t, 1, strings.Count(got.stderr, "\n"), got.stderr)
}

// settingsEnv are settings of which none is wrong.
func settingsEnv() map[string]string {
	return map[string]string{
		envPanelURL: "https://solus.example.com:4444", envPanelToken: plantedToken, envWHMCSURL: "https://billing.example.com", envWHMCSID: plantedIdentifier,
		envWHMCSSecret: plantedSecret, envWHMCSAccessKey: plantedAccessKey, envSecrets: plantedHook + "," + plantedOldHook, envAllowFrom: "192.0.2.10, 2001:db8::/64",
	}
}

func TestSettingsThatAreMissingOrWrongAreOneLineEach(t *testing.T) {
	t.Parallel()
	all := []string{
		"SOLUSVM2_URL is not set", "SOLUSVM2_TOKEN is not set", "WHMCS_URL is not set", "WHMCS_IDENTIFIER is not set", "WHMCS_SECRET is not set", "WEBHOOK_SECRETS is not set",
		"WEBHOOK_ALLOW_FROM is not set",
	}
	without := func(name string) map[string]string {
		env := settingsEnv()
		delete(env, name)
		return env
	}
	with := func(name, value string) map[string]string {
		env := settingsEnv()
		env[name] = value
		return env
	}
	noPEM := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(noPEM, []byte("none"), 0o600))
	for name, c := range map[string]struct {
		env  map[string]string
		args []string
		want []string
	}{
		"all":         {nil, []string{"-listen", "127.0.0.1:0"}, all},
		"all but one": {map[string]string{envPanelURL: "https://solus.example.com"}, nil, all[1:]},
		"several at once": {
			map[string]string{
				envPanelURL: "solus", envPanelToken: "x", envWHMCSURL: "whmcs", envWHMCSID: "x", envWHMCSSecret: "x", envSecrets: "x", envAllowFrom: "x",
			},
			nil, []string{"SOLUSVM2_URL: ", "WHMCS_URL: ", `WEBHOOK_ALLOW_FROM: "x"`},
		},
		"the secrets":            {without(envSecrets), nil, []string{"WEBHOOK_SECRETS is not set"}},
		"the allow list":         {without(envAllowFrom), nil, []string{"WEBHOOK_ALLOW_FROM is not set"}},
		"a secret that is short": {with(envSecrets, plantedHook+",short"), nil, []string{"WEBHOOK_SECRETS: number 2 must have 16 to 512 characters"}},
		"a source that is a name": {
			with(envAllowFrom, "192.0.2.1,solus.example.com"), nil,
			[]string{`WEBHOOK_ALLOW_FROM: "solus.example.com" is neither an address nor a network such as 192.0.2.0/24`},
		},
		"a proxy that is everybody": {
			with(envProxies, "0.0.0.0/0"), nil, []string{"WEBHOOK_TRUSTED_PROXIES: 0.0.0.0/0 would let every caller name its own source address"},
		},
		"a panel without https":       {with(envPanelURL, "http://solus.example.com"), nil, []string{"SOLUSVM2_URL: "}},
		"a token in quotes":           {with(envPanelToken, `"`+plantedToken+`"`), nil, []string{"SOLUSVM2_TOKEN: must be printable ASCII without"}},
		"a CA file that is missing":   {with(envPanelCA, "no-such.pem"), nil, []string{"SOLUSVM2_CA_FILE: open no-such.pem"}},
		"a CA file without a PEM":     {with(envPanelCA, noPEM), nil, []string{"SOLUSVM2_CA_FILE: holds no PEM certificate"}},
		"WHMCS without https":         {with(envWHMCSURL, "http://billing.example.com"), nil, []string{"WHMCS_URL: must be https, or the API secret would travel"}},
		"a map":                       {settingsEnv(), []string{"-state", t.TempDir()}, []string{"has no map of servers and services: run this program with -state "}},
		"an argument":                 {nil, []string{"map.csv"}, []string{`unexpected argument "map.csv"`}},
		"a separator":                 {nil, []string{"-separator", ";"}, []string{`-separator ";" is neither newline nor comma`}},
		"a path":                      {nil, []string{"-path", "hook"}, []string{`-path "hook" does not begin with /`}},
		"-resync":                     {nil, []string{"-resync", "-1s"}, []string{"-resync must not be negative"}},
		"-import of nothing":          {nil, []string{"-state", t.TempDir(), "-import", "no-such.csv"}, []string{"-import: open no-such.csv"}},
		"-import of another file":     {nil, []string{"-state", t.TempDir(), "-import", "README.md"}, []string{"-import: README.md: the first line must be"}},
		"-print-setup without a word": {nil, []string{"-print-setup"}, []string{"WEBHOOK_SECRETS is not set", "-url is not set"}},
		"-print-setup of a short secret": {
			map[string]string{envSecrets: "short"}, []string{"-print-setup", "-url", "https://h.example"}, []string{"WEBHOOK_SECRETS: number 1 must have 16"},
		},
		"-print-setup with a query": {
			settingsEnv(), []string{"-print-setup", "-url", "https://h.example/?a=b"}, []string{"-url: must be an absolute http or https address without user, query"},
		},
		"-print-setup without a name": {
			settingsEnv(), []string{"-print-setup", "-url", "https://h.example", "-name", " "}, []string{"-name: must be one line and not empty"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := start(t.Context(), c.env, c.args...)
			assert.Equal(t, exitUsage, got.code)
			assert.Empty(t, got.stdout)
			lines := strings.Split(strings.TrimSuffix(got.stderr, "\n"), "\n")
			if assert.Len(t, lines, len(c.want), got.stderr) {
				for i, want := range c.want {
					assert.True(t, strings.HasPrefix(lines[i], "whmcs-ipsync: "), lines[i])
					assert.Contains(t, lines[i], want)
				}
			}
			noSecretIn(t, got.stderr)
		})
	}
}

func TestPrintSetupIsReadyToPaste(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"https://hooks.example.com", "https://hooks.example.com/", "https://hooks.example.com/solusvm2"} {
		got := start(t.Context(), map[string]string{envSecrets: plantedHook + "," + plantedOldHook}, "-print-setup", "-url", address)
		assert.Equal(t, exitDone, got.code, got.stderr)
		assert.Contains(t, got.stdout, `In SolusVM 2 open Settings > Event Handlers > Add Webhook and enter:
  Name:                   whmcs-ipsync
  URL:                    https://hooks.example.com/solusvm2
  Events:                 Add or remove an additional IP
  Additional parameters:  {"event":"ip_changed","secret":"planted-hook-secret-0001"}
  Enabled:                yes
`)
		for _, step := range []string{"change", "switch off", "delete", "WEBHOOK_ALLOW_FROM", "Try it"} {
			assert.Contains(t, got.stdout, step)
		}
		assert.NotContains(t, got.stdout, plantedOldHook)
	}
}

func TestImportFailedAndRetry(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	state := filepath.Join(dir, "state")
	file := filepath.Join(dir, "map.csv")
	command := func(args ...string) string {
		got := start(t.Context(), nil, append([]string{"-state", state}, args...)...)
		assert.Equal(t, exitDone, got.code, got.stderr)
		return got.stdout
	}
	write := func(rows string) {
		require.NoError(t, os.WriteFile(file, []byte("server_id,service_id\n"+rows), 0o600))
	}
	write("101,1001\n102,1002\n")
	assert.Equal(t, "The map in "+state+" has 2 servers now: 2 added, 0 changed, 0 removed.\n", command("-import", file))
	assert.Equal(t, "Nothing waits for a person.\n", command("-failed"))

	in, err := openInbox(state)
	require.NoError(t, err)
	for _, id := range []solusvm2.ServerID{103, 7, 104} {
		require.NoError(t, in.fail(id, nil, lasting("server %d is not in the map", id)))
	}
	listed := command("-failed")
	assert.Regexp(t, `(?s)^SERVER +SINCE +REASON\n7 +\S+ \S+ +server 7 is not in the map\n103 .*\n104 .*\n$`, listed)

	write("101,1009\n103,1003\n")
	assert.Equal(t, "The map in "+state+" has 2 servers now: 1 added, 1 changed, 1 removed.\n1 that waited for a person will be tried again.\n",
		command("-import", file))
	counts, err := in.servers()
	require.NoError(t, err)
	assert.Equal(t, map[solusvm2.ServerID]int{103: 1}, counts)
	assert.Equal(t, "2 that waited for a person will be tried again by the receiver.\n", command("-retry"))
	assert.Equal(t, "Nothing waits for a person.\n", command("-failed"))
	b, err := os.ReadFile(filepath.Join(state, "map.csv"))
	require.NoError(t, err)
	assert.Equal(t, "server_id,service_id,server_uuid\n101,1009,\n103,1003,\n", string(b))
}

func TestEveryFlagAndSettingIsInTheREADME(t *testing.T) {
	t.Parallel()
	got := start(t.Context(), nil, "-help")
	assert.Equal(t, exitDone, got.code)
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	flags := regexp.MustCompile(`(?m)^  -(\S+)`).FindAllStringSubmatch(got.stderr, -1)
	assert.Greater(t, len(flags), 10)
	for _, f := range flags {
		assert.Contains(t, string(readme), "`-"+f[1], "README.md tells every flag")
	}
	for _, name := range []string{
		envPanelURL, envPanelToken, envPanelCA, envWHMCSURL, envWHMCSID, envWHMCSSecret, envWHMCSAccessKey, envSecrets, envAllowFrom, envProxies,
	} {
		assert.Contains(t, string(readme), "`"+name+"`")
	}
}

func TestStoredNotificationsHoldNoSecret(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.begin()
		r.whmcs.interrupt = cut
		assert.Equal(t, 204, r.post(r.event()))
		notices, err := r.inbox.load(r.id())
		require.NoError(t, err)
		require.Len(t, notices, 1)
		b, err := json.Marshal(notices[0])
		require.NoError(t, err)
		assert.Contains(t, string(b), r.server.UUID)
		assert.Contains(t, string(b), "secret=redacted")
		noSecretIn(t, string(b))
	})
}
