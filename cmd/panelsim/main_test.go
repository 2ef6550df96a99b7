package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/virtfusion"
)

// program is a running panelsim.
type program struct {
	output string // the introduction
	env    map[string]string
	stop   context.CancelFunc
	code   chan int
	stderr *bytes.Buffer // to be read after the end
}

// lines hands out what the program prints once its last line is there.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
	done chan struct{}
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.text.Write(b)
	if strings.HasSuffix(l.text.String(), "# Ctrl-C ends.\n") {
		close(l.done)
	}
	return n, err
}

var exportLine = regexp.MustCompile(`(?m)^export (\w+)=(\S+)$`)

// start runs the program on free ports, and ends it with the test.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out := &lines{done: make(chan struct{})}
	p := &program{env: map[string]string{}, stop: stop, code: make(chan int, 1), stderr: &bytes.Buffer{}}
	go func() {
		p.code <- run(ctx, append([]string{"-virtfusion", "127.0.0.1:0", "-solusvm2", "127.0.0.1:0", "-ospab", "127.0.0.1:0", "-speed", "100"}, args...), out, p.stderr)
	}()
	select {
	case <-out.done:
	case code := <-p.code:
		t.Fatalf("ended with %d: %s", code, p.stderr)
	}
	t.Cleanup(func() { stop() })
	p.output = out.text.String()
	for _, m := range exportLine.FindAllStringSubmatch(p.output, -1) {
		p.env[m[1]] = m[2]
	}
	return p
}

// end ends the program as Ctrl-C does.
func (p *program) end() int {
	p.stop()
	return <-p.code
}

// send makes a request as curl does. Header lines are "Name: value".
func send(t *testing.T, method, url, body string, headers ...string) (status int, answer map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	_ = json.Unmarshal(b, &answer)
	return resp.StatusCode, answer
}

func get[T any](t *testing.T, url string) (v T) {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&v))
	return v
}

func TestItPrintsWhatAPersonNeedsToStart(t *testing.T) {
	t.Parallel()
	p := start(t)
	vf, solus, ospab := p.env["VIRTFUSION_URL"], p.env["SOLUSVM2_URL"], p.env["OSPAB_PANEL_URL"]
	for _, url := range []string{vf, solus, ospab} {
		assert.Regexp(t, `^http://127\.0\.0\.1:[1-9]\d+$`, url)
	}
	assert.Equal(t, `# VirtFusion 7.1 panel at `+vf+`
# SolusVM 2 panel at `+solus+`
# OSPAB panel at `+ospab+`, panel users: 1 alice, 2 bob, 3 carol, 4 dave, 5 erin

# For programs that use them:
export VIRTFUSION_URL=`+vf+`
export VIRTFUSION_TOKEN=simulated-virtfusion-token
export SOLUSVM2_URL=`+solus+`
export SOLUSVM2_TOKEN=simulated-solusvm2-token
export OSPAB_PANEL_URL=`+ospab+`
export VPS_SYNC_API_KEY=simulated-panel-sync-key-0123456789

# To try them:
curl -H 'Authorization: Bearer simulated-virtfusion-token' `+vf+`/api/v1/packages
curl -H 'Authorization: Bearer simulated-solusvm2-token' `+solus+`/api/v1/plans
curl -H 'Content-Type: application/json' -H 'X-API-Key: simulated-panel-sync-key-0123456789' -d '{"action": "create", "vps": {"user_id": 5, "name": "web-server-01", "status": "creating", "cpu": 4, "ram": 8192, "disk": 100, "os": "Ubuntu 22.04 LTS", "hypervisor": "proxmox"}}' `+ospab+`/api/vps/sync

# What there is:
curl `+vf+`/_sim/servers
curl `+solus+`/_sim/servers
curl `+ospab+`/_sim/servers

# The next one happens, and its answer is lost:
curl -d '[{"op": "createServer", "do": "cut after"}]' `+vf+`/_sim/faults
curl -d '[{"op": "createServer", "do": "cut after"}]' `+solus+`/_sim/faults
curl -d '[{"op": "syncVPS", "do": "cut after"}]' `+ospab+`/_sim/faults

# A webhook, for a receiver of yours:
curl -d '{"name": "shop", "url": "http://127.0.0.1:9000/webhook", "events": ["Create a server"], "parameters": {"secret": "simulated-webhook-secret"}, "enabled": true}' `+solus+`/_sim/event-handlers

# Ctrl-C ends.
`, p.output)
	assert.Zero(t, p.end())
	assert.Empty(t, p.stderr.String())
}

// TestThePrintedCommandsWork makes the requests that curl would make of the printed lines.
func TestThePrintedCommandsWork(t *testing.T) {
	t.Parallel()
	p := start(t)
	parts := regexp.MustCompile(`'([^']*)'|(-\w)|(http\S+)`)
	commands := 0
	for line := range strings.Lines(p.output) {
		args, isCurl := strings.CutPrefix(line, "curl ")
		if !isCurl {
			continue
		}
		commands++
		var url, body, flag string
		var headers []string
		for _, m := range parts.FindAllStringSubmatch(args, -1) {
			switch {
			case m[3] != "":
				url = m[3]
			case m[2] != "":
				flag = m[2]
			case flag == "-H":
				headers = append(headers, m[1])
			case flag == "-d":
				body = m[1]
			}
		}
		method := http.MethodGet
		if body != "" {
			method = http.MethodPost
		}
		status, _ := send(t, method, url, body, headers...)
		want := http.StatusOK
		if strings.HasSuffix(url, "/event-handlers") {
			want = http.StatusCreated
		}
		assert.Equal(t, want, status, line)
	}
	assert.Equal(t, 10, commands)
}

// TestTheManualsRequestsGetTheManualsAnswers follows the examples of the panel's manual: create, update and delete with the key in a header.
func TestTheManualsRequestsGetTheManualsAnswers(t *testing.T) {
	t.Parallel()
	p := start(t)
	url, key := p.env["OSPAB_PANEL_URL"]+"/api/vps/sync", "X-API-Key: "+p.env["VPS_SYNC_API_KEY"]
	const create = `{"action": "create", "vps": {"user_id": 5, "name": "web-server-01", "status": "creating", "cpu": 4, "ram": 8192, "disk": 100, "os": "Ubuntu 22.04 LTS", "hypervisor": "proxmox"}}`

	status, answer := send(t, "POST", url, create, key, "Content-Type: application/json")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "success", answer["status"])
	assert.Equal(t, "VPS synced successfully", answer["message"])
	vps, _ := answer["vps"].(map[string]any)
	assert.Equal(t, 1.0, vps["id"])
	assert.Equal(t, "web-server-01", vps["name"])
	assert.Equal(t, "creating", vps["status"])
	created, err := time.Parse(time.RFC3339, vps["created_at"].(string))
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now(), created, time.Minute)

	status, answer = send(t, "POST", url, `{"action": "update", "vps": {"id": 1, "status": "running"}}`, key, "Content-Type: application/json")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "success", answer["status"])
	records := get[[]map[string]any](t, p.env["OSPAB_PANEL_URL"]+"/_sim/servers")
	require.Len(t, records, 1)
	assert.Equal(t, "running", records[0]["status"])
	assert.Equal(t, 8192.0, records[0]["ram"])

	for name, c := range map[string]struct {
		body, key string
		status    int
		message   string
	}{
		"a wrong key":          {create, "X-API-Key: wrong", http.StatusUnauthorized, "Invalid or missing API key"},
		"a missing field":      {`{"action": "create", "vps": {"user_id": 5, "name": "x"}}`, key, http.StatusBadRequest, "Missing required fields"},
		"an update without id": {`{"action": "update", "vps": {"status": "running"}}`, key, http.StatusBadRequest, "Missing required fields"},
	} {
		status, answer := send(t, "POST", url, c.body, c.key)
		assert.Equal(t, c.status, status, name)
		assert.Equal(t, c.message, answer["message"], name)
	}

	status, _ = send(t, "POST", url, `{"action": "delete", "vps": {"id": 1}}`, key)
	assert.Equal(t, http.StatusOK, status)
	assert.Empty(t, get[[]map[string]any](t, p.env["OSPAB_PANEL_URL"]+"/_sim/servers"))
}

func order(key string) provisioning.CreateRequest {
	return provisioning.CreateRequest{Key: key, Hostname: key + ".example.com", Plan: "2", Image: "23", Owner: provisioning.Owner{Ref: "123", Name: "Ann Example", Email: "ann@example.com"}, IPv4: 1}
}

func provider(t *testing.T, p *program) provisioning.Provider {
	t.Helper()
	c, err := virtfusion.New(p.env["VIRTFUSION_URL"], provisioning.Secret(p.env["VIRTFUSION_TOKEN"]))
	require.NoError(t, err)
	return virtfusion.NewProvider(c, virtfusion.ProviderOptions{})
}

func TestClientsUseItLikeRealPanels(t *testing.T) {
	t.Parallel()
	p := start(t, "-virtfusion-token", "another-token", "-ospab-key", "another-key-of-thirty-two-letters", "-virtfusion-version", "7.0")
	assert.Contains(t, p.output, "# VirtFusion 7.0 panel at ")
	vf := provider(t, p)
	c, err := provisioning.CreateOnce(t.Context(), vf, &provisioning.MemIntents{}, order("order-1"), provisioning.CreateOptions{})
	require.NoError(t, err)
	require.NoError(t, c.Wait(t.Context(), provisioning.WaitOptions{}))
	i, err := vf.Instance(t.Context(), c.ID)
	require.NoError(t, err)
	assert.Equal(t, provisioning.StateOnline, i.State())
	servers := get[[]virtFusionServer](t, p.env["VIRTFUSION_URL"]+"/_sim/servers")
	require.Len(t, servers, 1)
	assert.Equal(t, "order-1", servers[0].Name)
	assert.Equal(t, "complete", servers[0].State)

	sync, err := ospabpanel.NewFromEnv(func(name string) string { return p.env[name] })
	require.NoError(t, err)
	v, err := sync.Create(t.Context(), ospabpanel.CreateRequest{
		UserID: 5, Name: "order-1", CPUCores: 2, Memory: 2 * provisioning.GiB, Disk: 40 * provisioning.GiB, OS: "Debian 12",
	})
	require.NoError(t, err)
	assert.Equal(t, ospabpanel.VPSID(1), v.ID)
}

func TestInjectedFaultsHappenAndCanBeRemoved(t *testing.T) {
	t.Parallel()
	p := start(t)
	url, faults := p.env["OSPAB_PANEL_URL"], p.env["OSPAB_PANEL_URL"]+"/_sim/faults"
	sync, err := ospabpanel.NewFromEnv(func(name string) string { return p.env[name] })
	require.NoError(t, err)
	r := ospabpanel.CreateRequest{UserID: 5, Name: "order-1", CPUCores: 2, Memory: 2 * provisioning.GiB, Disk: 40 * provisioning.GiB, OS: "Debian 12"}

	status, answer := send(t, "POST", faults, `[{"op": "syncVPS", "do": "cut after", "delay": "10ms"}, {"op": "syncVPS", "do": "answer", "status": 503, "times": -1}]`)
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, 2.0, answer["added"])
	_, err = sync.Create(t.Context(), r)
	require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
	assert.Len(t, get[[]map[string]any](t, url+"/_sim/servers"), 1, "it was carried out before the cut")
	_, err = sync.Create(t.Context(), r)
	require.ErrorIs(t, err, provisioning.Unavailable)

	status, _ = send(t, "DELETE", faults, "")
	assert.Equal(t, http.StatusNoContent, status)
	_, err = sync.Create(t.Context(), r)
	require.NoError(t, err)
}

func TestAFaultThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	p := start(t)
	for body, want := range map[string]string{
		``:                              "wanted a JSON array of fault rules: EOF",
		`{"do": "hang"}`:                "wanted a JSON array of fault rules",
		`[{"do": "hang"}] x`:            "something follows after the array",
		`[{"op": "syncVPS"}]`:           `rule 1: "do" is "", not one of ["refuse" "cut before" "cut after"`,
		`[{"do": "explode"}]`:           `rule 1: "do" is "explode"`,
		`[{"do": "hang", "when": 1}]`:   `unknown field "when"`,
		`[{"do": "slow", "delay": 5}]`:  "cannot unmarshal number",
		`[{"do": "slow", "delay":"5"}]`: `"5" is not a time such as "5s"`,
		`[{"do": "hang"}, {"do": "answer", "status": 7}]`: "rule 2: skip must not be negative, and status must be 200 to 599",
	} {
		status, answer := send(t, "POST", p.env["VIRTFUSION_URL"]+"/_sim/faults", body)
		assert.Equal(t, http.StatusBadRequest, status, body)
		assert.Contains(t, answer["error"], want, body)
	}
	status, answer := send(t, "PUT", p.env["VIRTFUSION_URL"]+"/_sim/faults", "[]")
	assert.Equal(t, http.StatusNotFound, status)
	assert.Equal(t, "there are GET /_sim/servers, POST /_sim/faults and DELETE /_sim/faults", answer["error"])
}

func TestTheStateFileKeepsThePanels(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "state.json")
	p := start(t, "-state", file, "-virtfusion-token", "kept-token")
	c, err := provisioning.CreateOnce(t.Context(), provider(t, p), &provisioning.MemIntents{}, order("order-1"), provisioning.CreateOptions{})
	require.NoError(t, err)
	require.NoError(t, c.Wait(t.Context(), provisioning.WaitOptions{}))
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(b), "order-1", "it is written while the program runs")
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Zero(t, info.Mode().Perm()&0o077, "it holds credentials")
	assert.Zero(t, p.end())

	p = start(t, "-state", file)
	assert.Equal(t, "kept-token", p.env["VIRTFUSION_TOKEN"])
	i, err := provider(t, p).Instance(t.Context(), c.ID)
	require.NoError(t, err)
	assert.Equal(t, c.UUID, i.UUID)
	assert.Zero(t, p.end())

	for _, c := range []struct{ content, flag, want string }{
		{string(b), "-virtfusion-token=other", "its virtfusion panel has another credential than the flag asks for"},
		{`{"virtfusion": {}}`, "-speed=1", "not the snapshot of a panel"},
		{`{`, "-speed=1", "does not hold the state of panelsim"},
		{`null`, "-speed=1", "does not hold the state of panelsim"},
	} {
		require.NoError(t, os.WriteFile(file, []byte(c.content), 0o600))
		var stderr bytes.Buffer
		assert.Equal(t, 2, run(t.Context(), []string{"-virtfusion", "127.0.0.1:0", "-solusvm2", "", "-ospab", "", "-state", file, c.flag}, io.Discard, &stderr))
		assert.Contains(t, stderr.String(), c.want)
	}
}

func TestMistakesInFlagsAreOneLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"every address":            {[]string{"-virtfusion", ":8801"}, "-virtfusion :8801 can be reached from other machines: use 127.0.0.1, or allow it with -allow-remote"},
		"every IPv4 address":       {[]string{"-ospab", "0.0.0.0:0"}, "-ospab 0.0.0.0:0 can be reached from other machines"},
		"every IPv6 address":       {[]string{"-ospab", "[::]:0"}, "-ospab [::]:0 can be reached from other machines"},
		"every address, SolusVM 2": {[]string{"-solusvm2", ":8802"}, "-solusvm2 :8802 can be reached from other machines"},
		"an address of a network":  {[]string{"-virtfusion", "192.0.2.1:80"}, "can be reached from other machines"},
		"a name":                   {[]string{"-virtfusion", "panel.example:80"}, "can be reached from other machines"},
		"no address":               {[]string{"-virtfusion", "", "-solusvm2", "", "-ospab", ""}, "there is nothing to serve: -virtfusion, -solusvm2 and -ospab are all empty"},
		"no port":                  {[]string{"-virtfusion", "127.0.0.1"}, "missing port in address"},
		"a short key":              {[]string{"-ospab-key", "short"}, "-ospab-key must have at least 32 characters, as on a real panel"},
		"an unknown version":       {[]string{"-virtfusion-version", "8.0"}, `-virtfusion-version "8.0" is not 6.2, 7.0 or 7.1`},
		"no speed":                 {[]string{"-speed", "0"}, "-speed must be above 0"},
		"an argument":              {[]string{"start"}, `unexpected argument "start"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			assert.Equal(t, 2, run(t.Context(), c.args, &stdout, &stderr))
			assert.Contains(t, stderr.String(), "panelsim: ")
			assert.Contains(t, stderr.String(), c.want)
			assert.Equal(t, 1, strings.Count(stderr.String(), "\n"))
			assert.Empty(t, stdout.String())
		})
	}
	for _, address := range []string{"127.0.0.1:0", "127.9.9.9:1", "[::1]:0", "localhost:80", "[::ffff:127.0.0.1]:5"} {
		assert.True(t, loopback(address), address)
	}
}

func TestARequestThatHangsDoesNotKeepTheProgram(t *testing.T) {
	t.Parallel()
	p := start(t)
	send(t, "POST", p.env["VIRTFUSION_URL"]+"/_sim/faults", `[{"do": "hang"}]`)
	sent, hanging := make(chan struct{}), make(chan error, 1)
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { close(sent) }})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.env["VIRTFUSION_URL"]+"/api/v1/servers", nil)
	require.NoError(t, err)
	go func() {
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		hanging <- err
	}()
	<-sent
	began := time.Now()
	assert.Zero(t, p.end())
	assert.Less(t, time.Since(began), 5*time.Second)
	assert.Error(t, <-hanging)
}

func TestVersionAndHelp(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	assert.Zero(t, run(t.Context(), []string{"-version"}, &stdout, &stderr))
	assert.Regexp(t, `^panelsim \S+\n$`, stdout.String())
	assert.Zero(t, run(t.Context(), []string{"-help"}, &stdout, &stderr))
	for _, flag := range []string{"-virtfusion ADDRESS", "-solusvm2 ADDRESS", "-solusvm2-token TOKEN", "-ospab ADDRESS", "-state FILE", "-allow-remote"} {
		assert.Contains(t, stderr.String(), flag)
	}
}

func TestWordsAreQuotedForAShell(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{"plain-1.2:3/4_5": "plain-1.2:3/4_5", "two words": "'two words'", "it's": `'it'\''s'`, "$HOME": "'$HOME'"} {
		assert.Equal(t, want, quote(word))
	}
}
