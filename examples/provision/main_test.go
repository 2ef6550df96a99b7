package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// asProgram makes the test binary run as the program itself, so that it can be killed.
const asProgram = "PROVISION_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	flag.Parse()
	_ = flag.Set("test.parallel", "16") // these tests wait for processes and panels, not for processors
	os.Exit(m.Run())
}

// outcome is what one run of the program left behind.
type outcome struct {
	code           int
	stdout, stderr string
}

// start runs the program with simulated panels. Inside a bubble of synctest it takes no time.
func start(ctx context.Context, args ...string) outcome {
	return startWith(ctx, func(string) string { return "" }, args...)
}

func startWith(ctx context.Context, getenv func(string) string, args ...string) outcome {
	var stdout, stderr bytes.Buffer
	code := run(ctx, args, getenv, &stdout, &stderr)
	return outcome{code, stdout.String(), stderr.String()}
}

var (
	times     = regexp.MustCompile(`\d+\.\d+s  `)
	uuids     = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	passwords = regexp.MustCompile(`(Root password +|"rootPassword": ")[A-Z0-9]{20}`)
)

// steady replaces what differs from run to run.
func steady(s string) string {
	s = times.ReplaceAllString(s, "0.0s  ")
	s = uuids.ReplaceAllString(s, "UUID")
	return passwords.ReplaceAllString(s, "${1}PASSWORD")
}

func TestWithoutSettingsTheBuiltInOrderBecomesARunningServerWithARecord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		got := start(t.Context())
		assert.Equal(t, exitDone, got.code)
		assert.Empty(t, got.stderr)
		assert.Less(t, time.Since(began), 5*time.Second)
		assert.Equal(t, `No panel is set, so this run uses simulated ones. Nothing leaves this process, and nothing is kept.
order-1    0.0s  order      VPS M with Debian 12 (Bookworm) Minimal in Amsterdam for customer 123
order-1    0.0s  planned    the customer has an account; the order is stored before it is sent
order-1    0.0s  created    server 101
order-1    0.0s  marked     the server carries the key of the order
order-1    0.0s  building   the panel has accepted the installation
order-1    0.0s  ospab      record 1 says creating
order-1    0.0s  building   the panel says: building
order-1    0.0s  ready      the installation is complete
order-1    0.0s  online     according to the hypervisor
order-1    0.0s  ospab      record 1 says running

order-1: server 101 on VirtFusion
  Hostname       web-1.example.com
  State          online
  Location       Amsterdam
  Primary IP     2001:db8:a:1::/64
  IPv4           198.18.0.2
  NAT IPv4       -
  IPv6           2001:db8:a:1::/64
  Traffic        2000 GB, 1999.7 GB left
  vCPUs          2
  Memory         2 GB
  Disk           40 GB
  System         Debian 12 (Bookworm) Minimal
  Hypervisor     ams-hv1
  Hypervisor IP  192.0.2.11
  UUID           UUID
  Root password  PASSWORD

order-1: record 1 on the OSPAB panel
  Name        order-1
  Panel user  5, who is customer 123 of this shop
  Status      running
  vCPUs       2
  Memory      2 GB, which the panel has as ram = 2048 (MB)
  Disk        40 GB, which the panel has as disk = 40 (GB)
  System      Debian 12 (Bookworm) Minimal
`, steady(got.stdout))
	})
}

func TestJSONHoldsTheResultAndNoPassword(t *testing.T) {
	t.Parallel()
	const golden = `{
  "panel": "https://virtfusion.test",
  "simulated": true,
  "ospab": "https://panel.ospab.test",
  "orders": [
    {
      "key": "order-1042",
      "server": {
        "id": "101",
        "uuid": "UUID",
        "hostname": "web-1.example.com",
        "state": "online",
        "location": "Amsterdam",
        "primaryAddress": "2001:db8:a:1::/64",
        "ipv4": [
          "198.18.0.2"
        ],
        "ipv6": [
          "2001:db8:a:1::/64"
        ],
        "traffic": {
          "allowance": "2000GiB",
          "used": "314MiB",
          "periodEnd": "2000-01-31T23:59:59Z"
        },
        "vcpus": 2,
        "memory": "4GiB",
        "disk": "40GiB",
        "image": "Debian 12 (Bookworm) Minimal",
        "hypervisor": "ams-hv1",
        "hypervisorAddress": "192.0.2.11",
        "created": "2000-01-01T00:00:00Z"PASSWORD
      },
      "ospabRecord": {
        "id": "1",
        "status": "running",
        "memory": "4GiB",
        "disk": "40GiB"
      }
    }
  ]
}
`
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"without -show-password": {nil, strings.ReplaceAll(golden, "PASSWORD", "")},
		"with -show-password":    {[]string{"-show-password"}, strings.ReplaceAll(golden, "PASSWORD", ",\n        \"rootPassword\": \"PASSWORD\"")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				got := start(t.Context(), append(c.args, "-json", "-order", "order.json")...)
				assert.Equal(t, exitDone, got.code)
				assert.Equal(t, c.want, steady(got.stdout))
				assert.True(t, json.Valid([]byte(got.stdout)))
				assert.Contains(t, got.stderr, "ospab      record 1 says running", "what happens goes to the error output")
			})
		})
	}
}

func TestAnArrayOfOrdersRunsWithLinesPrefixedByKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		got := start(t.Context(), "-order", "orders.json")
		assert.Equal(t, exitDone, got.code, got.stderr)
		assert.Less(t, time.Since(began), 6*time.Second, "they run side by side")
		for _, key := range []string{"order-1042", "order-1043", "order-1044"} {
			assert.Regexp(t, `(?m)^`+key+` +\d+\.\ds  online `, got.stdout)
			assert.Contains(t, got.stdout, "\n"+key+": server ")
			assert.Contains(t, got.stdout, "\n"+key+": record ")
		}
		assert.Contains(t, got.stdout, "Memory      8 GB, which the panel has as ram = 8192 (MB)")
		assert.Contains(t, got.stdout, "Traffic        unlimited")
	})
}

func TestAtMostFourOrdersRunAtOnce(t *testing.T) {
	t.Parallel()
	var orders []string
	for _, n := range strings.Fields("1 2 3 4 5 6") {
		orders = append(orders, strings.NewReplacer("order-1", "order-"+n, `"123"`, `"12`+n+`"`, "ann@", "ann"+n+"@").Replace(builtInOrder))
	}
	file := filepath.Join(t.TempDir(), "orders.json")
	require.NoError(t, os.WriteFile(file, []byte("["+strings.Join(orders, ",")+"]"), 0o600))
	synctest.Test(t, func(t *testing.T) {
		got := start(t.Context(), "-order", file)
		assert.Equal(t, exitDone, got.code, got.stderr)
		running, most := 0, 0
		for line := range strings.Lines(got.stdout) {
			switch {
			case strings.Contains(line, "s  order  "):
				running++
			case strings.Contains(line, "says running"):
				running--
			}
			most = max(most, running)
		}
		assert.Equal(t, 4, most)
		assert.Zero(t, running)
	})
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
			"VIRTFUSION_TOKEN is not set, but VIRTFUSION_URL is: set both to drive your VirtFusion panel, or none to drive a simulated one",
		},
		"a token without its address": {
			map[string]string{"VIRTFUSION_TOKEN": token}, nil,
			"VIRTFUSION_URL is not set, but VIRTFUSION_TOKEN is: set both to drive your VirtFusion panel, or none to drive a simulated one",
		},
		"an address that is none": {
			map[string]string{"VIRTFUSION_URL": "cp.example.com", "VIRTFUSION_TOKEN": token}, []string{"-order", "order.json"},
			"VIRTFUSION_URL must begin with https:// (or http://) and a host name",
		},
		"a token in quotes": {
			map[string]string{"VIRTFUSION_URL": "https://cp.example.com", "VIRTFUSION_TOKEN": `"` + token + `"`}, []string{"-order", "order.json"},
			"VIRTFUSION_TOKEN",
		},
		"an OSPAB panel without its key": {
			map[string]string{"VIRTFUSION_URL": "https://cp.example.com", "VIRTFUSION_TOKEN": token, "OSPAB_PANEL_URL": "https://panel.example"}, nil,
			"VPS_SYNC_API_KEY is not set, but OSPAB_PANEL_URL is",
		},
		"a short OSPAB key": {
			map[string]string{"VIRTFUSION_URL": "https://cp.example.com", "VIRTFUSION_TOKEN": token, "OSPAB_PANEL_URL": "https://panel.example", "VPS_SYNC_API_KEY": "short"},
			[]string{"-order", "order.json"}, "VPS_SYNC_API_KEY has 5 characters, at least 32 are needed",
		},
		"a real OSPAB panel and simulated servers": {
			map[string]string{"OSPAB_PANEL_URL": "https://panel.example", "VPS_SYNC_API_KEY": key}, nil,
			"OSPAB_PANEL_URL is set, but the panel with the servers would be simulated: set VIRTFUSION_URL and VIRTFUSION_TOKEN as well",
		},
		"the built-in order on a real panel": {
			map[string]string{"VIRTFUSION_URL": "https://cp.example.com", "VIRTFUSION_TOKEN": token}, nil,
			"name the order with -order FILE: the built-in one is for simulated panels",
		},
		"an unknown panel":       {nil, []string{"-panel", "vmware"}, `-panel "vmware" is not known: virtfusion`},
		"an argument":            {nil, []string{"order.json"}, `unexpected argument "order.json": an order file is given with -order`},
		"a file that is missing": {nil, []string{"-order", "no-such.json"}, "no-such.json"},
		"a -record of no order":  {nil, []string{"-record", "other=5"}, "-record other: no order of this run has this key"},
		"a -record of nothing":   {nil, []string{"-record", "order-1=5"}, "-record order-1=5: no record of order-1 is uncertain"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := startWith(t.Context(), func(name string) string { return c.env[name] }, c.args...)
			assert.Equal(t, exitUsage, got.code)
			assert.Empty(t, got.stdout)
			assert.True(t, strings.HasPrefix(got.stderr, "provision: "), got.stderr)
			assert.Contains(t, got.stderr, c.want)
			assert.Equal(t, 1, strings.Count(got.stderr, "\n"), got.stderr)
			assert.NotContains(t, got.stderr, token)
		})
	}
}

// cancelOn ends the context of a run when the run has printed some text.
type cancelOn struct {
	bytes.Buffer
	text   string
	cancel context.CancelFunc
}

func (w *cancelOn) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(w.text)) {
		w.cancel()
	}
	return w.Buffer.Write(b)
}

func TestCtrlCSaysWhatIsStoredAndTheSameCommandContinues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		at, stored, continues string
	}{
		"before anything is sent":  {"VPS M with", "nothing was ordered from the panel", ""},
		"while the create is sent": {"planned", "", ""},
		"while it is built":        {"record 1 says creating", "its server is 101", "continues  server 101 is being provisioned"},
		"when it is ready":         {"ready ", "its server is 101", "continues  server 101 is online"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				stdout := &cancelOn{text: c.at, cancel: cancel}
				var stderr bytes.Buffer
				assert.Equal(t, exitInterrupted, run(ctx, []string{"-state", dir}, func(string) string { return "" }, stdout, &stderr))
				assert.Contains(t, stderr.String(), "provision: order-1: interrupted: "+c.stored)
				assert.Contains(t, stderr.String(), "The same command continues.")

				got := start(t.Context(), "-state", dir)
				assert.Equal(t, exitDone, got.code, got.stderr)
				assert.Contains(t, got.stdout, c.continues)
				assert.Contains(t, got.stdout, "record 1 says running")
				servers, records := simulated(t, dir)
				assert.Len(t, servers, 1)
				assert.Len(t, records, 1)
			})
		})
	}
	t.Run("without -state it says that nothing is kept", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var stderr bytes.Buffer
			run(ctx, nil, func(string) string { return "" }, &cancelOn{text: "created", cancel: cancel}, &stderr)
			assert.Contains(t, stderr.String(), "It ends with its simulated panel; -state DIR would keep both.")
		})
	})
}

// simulated reads the truth about simulated panels from a state folder.
func simulated(t *testing.T, dir string) ([]virtfusiontest.ServerState, []ospabpaneltest.Record) {
	t.Helper()
	vf, ospab := virtfusiontest.NewPanel(virtfusiontest.Options{}), ospabpaneltest.NewPanel(ospabpaneltest.Options{})
	defer vf.Close()
	defer ospab.Close()
	for name, restore := range map[string]func([]byte) error{"simulated-virtfusion.json": vf.Restore, "simulated-ospab.json": ospab.Restore} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.NoError(t, restore(b))
	}
	return vf.Servers(), ospab.Records()
}

func TestSimulatedPanelsAreNotSharedByTwoRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		var wg sync.WaitGroup
		results := make([]outcome, 2)
		for i := range results {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				results[i] = start(t.Context(), "-state", dir)
			})
		}
		wg.Wait()
		assert.Equal(t, exitDone, results[0].code)
		assert.Equal(t, exitUsage, results[1].code)
		assert.Contains(t, results[1].stderr, "in use by another run")
	})
}

// rig is a pair of panels behind HTTP, as the program meets real ones.
type rig struct {
	t         *testing.T
	vf        *virtfusiontest.Panel
	ospab     *ospabpaneltest.Panel
	env       map[string]string
	state     string
	orderFile string
	vfHTTP    *httptest.Server
	ospabHTTP *httptest.Server
}

func newRig(t *testing.T, middleware func(http.Handler) http.Handler) *rig {
	t.Helper()
	r := &rig{
		t: t, vf: virtfusiontest.NewPanel(virtfusiontest.Options{Speed: 100}), ospab: ospabpaneltest.NewPanel(ospabpaneltest.Options{}),
		state: filepath.Join(t.TempDir(), "state"), orderFile: "order.json",
	}
	for _, name := range simulatedUsers {
		r.ospab.AddUser(name)
	}
	if middleware == nil {
		middleware = func(h http.Handler) http.Handler { return h }
	}
	r.vfHTTP, r.ospabHTTP = httptest.NewServer(middleware(r.vf)), httptest.NewServer(middleware(r.ospab))
	t.Cleanup(func() {
		r.vfHTTP.Close()
		r.ospabHTTP.Close()
		r.vf.Close()
		r.ospab.Close()
	})
	r.env = map[string]string{
		"VIRTFUSION_URL": r.vfHTTP.URL, "VIRTFUSION_TOKEN": r.vf.Token().Reveal(), "OSPAB_PANEL_URL": r.ospabHTTP.URL, "VPS_SYNC_API_KEY": r.ospab.Key().Reveal(),
	}
	return r
}

func (r *rig) args(more ...string) []string {
	return append([]string{"-order", r.orderFile, "-state", r.state, "-settle", "1s"}, more...)
}

func (r *rig) run(more ...string) outcome {
	return startWith(r.t.Context(), func(name string) string { return r.env[name] }, r.args(more...)...)
}

func TestRealPanelsAreDrivenWhenTheyAreSet(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	got := r.run()
	assert.Equal(t, exitDone, got.code, got.stderr)
	assert.Contains(t, got.stdout, "VirtFusion panel at "+r.vfHTTP.URL+", OSPAB panel at "+r.ospabHTTP.URL+". Orders are remembered in "+r.state+".")
	assert.Contains(t, got.stdout, "Memory      4 GB\n", "what a real panel has stored cannot be read with the sync key")
	servers, records := r.vf.Servers(), r.ospab.Records()
	require.Len(t, servers, 1)
	require.Len(t, records, 1)
	assert.Equal(t, "order-1042", servers[0].Name)
	assert.Equal(t, int64(4096), servers[0].MemoryMB)
	assert.Len(t, servers[0].SSHKeyIDs, 1)
	assert.True(t, servers[0].Running)
	assert.Equal(t, "order-1042", records[0].Name)
	assert.Equal(t, "running", records[0].Status)
	assert.Equal(t, []int64{5, 4096, 40, 2}, []int64{records[0].UserID, records[0].MemoryMB, records[0].DiskGB, records[0].CPUCores})
	assert.Contains(t, got.stdout, servers[0].RootPassword.Reveal(), "the operator needs the password")
	for _, name := range []string{"order-1042.intent.json", "order-1042.record.json"} {
		b, err := os.ReadFile(filepath.Join(r.state, name))
		require.NoError(t, err)
		assert.NotContains(t, string(b), servers[0].RootPassword.Reveal())
	}
}

func TestWithoutAnOSPABPanelOnlyTheServerIsMade(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	delete(r.env, "OSPAB_PANEL_URL")
	delete(r.env, "VPS_SYNC_API_KEY")
	got := r.run()
	assert.Equal(t, exitDone, got.code, got.stderr)
	assert.Contains(t, got.stdout, "no OSPAB panel, because OSPAB_PANEL_URL and VPS_SYNC_API_KEY are not set")
	assert.NotContains(t, got.stdout, "record")
	assert.Len(t, r.vf.Servers(), 1)

	r.env["OSPAB_PANEL_URL"], r.env["VPS_SYNC_API_KEY"] = r.ospabHTTP.URL, r.ospab.Key().Reveal()
	got = r.run()
	assert.Equal(t, exitDone, got.code, got.stderr)
	assert.Contains(t, got.stdout, "record 1 says running", "the record of an order that was made without it follows later")
	assert.Len(t, r.vf.Servers(), 1)
}

func TestTheSameOrderTwiceIsOneServer(t *testing.T) {
	t.Parallel()
	t.Run("with its state", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, nil)
		require.Equal(t, exitDone, r.run().code)
		got := r.run()
		assert.Equal(t, exitDone, got.code, got.stderr)
		assert.Contains(t, got.stdout, "continues  server 101 is online")
		assert.Contains(t, got.stdout, "Root password  told once, to an earlier run; reset it if it was lost")
		assert.Len(t, r.vf.Servers(), 1)
		assert.Len(t, r.ospab.Records(), 1)
		assert.Equal(t, 1, r.vf.Count("buildServer"))
	})
	t.Run("without its state the server is found by its key, and a record is not guessed", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, nil)
		require.Equal(t, exitDone, r.run().code)
		require.NoError(t, os.RemoveAll(r.state))
		got := r.run()
		assert.Equal(t, exitOSPAB, got.code, got.stderr)
		assert.Contains(t, got.stdout, "created    server 101")
		assert.Contains(t, got.stderr, "uncertain: a record may exist")
		assert.Len(t, r.vf.Servers(), 1)
		assert.Len(t, r.ospab.Records(), 1)
		assert.Equal(t, 1, r.vf.Count("createServer"))

		got = r.run("-record", "order-1042=1")
		assert.Equal(t, exitDone, got.code, got.stderr)
		assert.Contains(t, got.stdout, "record 1 says running")
		assert.Len(t, r.ospab.Records(), 1)
	})
}

func TestFailuresOfTheOSPABPanelNeverFailAnOrder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil   func(r *rig)
		repair  func(r *rig)
		again   []string // flags of the second run
		want    string
		records int // after the first run
	}{
		"it is down": {
			func(r *rig) { r.ospabHTTP.Close() }, nil, nil, "unavailable", 0,
		},
		"it refuses the key": {
			func(r *rig) { r.ospab.SetKey("another key of thirty-two letters!") }, func(r *rig) { r.ospab.SetKey(ospabpaneltest.DefaultKey) }, nil,
			"unauthorized (HTTP 401): Unauthorized: Invalid or missing API key", 0,
		},
		"it has no sync API": {
			func(r *rig) {
				r.ospab.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Answer, Status: 404, Body: "404 page not found\n"})
			}, func(*rig) {}, nil, "no route", 0,
		},
		"the record is made and its answer is lost": {
			func(r *rig) { r.ospab.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.CutAfter}) }, func(*rig) {}, []string{"-record", "order-1042=1"},
			`Look at the VPS of panel user 5 on`, 1,
		},
		"the request is lost": {
			func(r *rig) { r.ospab.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.CutBefore}) }, func(*rig) {}, []string{"-record", "order-1042=none"},
			`run the same command with -record order-1042=ID, or with -record order-1042=none if there is none`, 0,
		},
		"the status is refused": {
			func(r *rig) {
				r.ospab.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Answer, Status: 400, Body: `{"error":"Bad Request","message":"Invalid status"}`, Skip: 1})
			}, func(*rig) {}, nil, "Invalid status", 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			c.spoil(r)
			got := r.run()
			assert.Equal(t, exitOSPAB, got.code)
			assert.Contains(t, got.stdout, "State          online")
			assert.Contains(t, got.stderr, "provision: order-1042: the server is there, the OSPAB panel does not know it all: ")
			assert.Contains(t, got.stderr, c.want)
			assert.Len(t, r.ospab.Records(), c.records)
			if c.repair == nil {
				return
			}
			c.repair(r)
			got = r.run(c.again...)
			assert.Equal(t, exitDone, got.code, got.stderr)
			require.Len(t, r.ospab.Records(), 1)
			assert.Equal(t, "running", r.ospab.Records()[0].Status)
			assert.Len(t, r.vf.Servers(), 1)
		})
	}
}

func TestFailuresOfTheOrderAreTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(r *rig)
		want  string
	}{
		"the build fails":      {func(r *rig) { r.vf.FailNextBuild("no space left on device") }, "task failed"},
		"the token is refused": {func(r *rig) { r.env["VIRTFUSION_TOKEN"] = "wrong" }, "unauthorized"},
		"the panel is down":    {func(r *rig) { r.vfHTTP.Close() }, "unavailable"},
		"the order is another one under an old key": {func(r *rig) {
			require.Equal(r.t, exitDone, r.run().code)
			b, err := os.ReadFile("order.json")
			require.NoError(r.t, err)
			r.orderFile = filepath.Join(r.t.TempDir(), "order.json")
			require.NoError(r.t, os.WriteFile(r.orderFile, bytes.Replace(b, []byte(`"123"`), []byte(`"321"`), 1), 0o600))
		}, "key order-1042 belongs to an order of"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			c.spoil(r)
			got := r.run()
			assert.Equal(t, exitFailed, got.code, got.stderr)
			assert.Contains(t, got.stderr, "provision: order-1042: ")
			assert.Contains(t, got.stderr, c.want)
			assert.LessOrEqual(t, len(r.vf.Servers()), 1)
		})
	}
}

func TestThePasswordIsShownAlsoWhenSomethingFailsLater(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.vf.Inject(provisioningtest.Fault{Op: "getServer", Do: provisioningtest.Answer, Status: http.StatusForbidden, Body: `{"msg":"no"}`, Skip: 1})
	got := r.run()
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.stderr, "provision: order-1042: virtfusion: getServer: forbidden")
	assert.Regexp(t, `Root password  [A-Z0-9]{20}`, got.stdout)
}

func TestNothingIsReportedThatNobodyHasSeen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		require.Equal(t, exitDone, start(t.Context(), "-state", dir).code)
		file := filepath.Join(dir, "simulated-virtfusion.json")
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		panel := virtfusiontest.NewPanel(virtfusiontest.Options{})
		require.NoError(t, panel.Restore(b))
		panel.SetHypervisorReachable(false)
		b, err = panel.Snapshot()
		panel.Close()
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, b, 0o600))

		got := start(t.Context(), "-state", dir)
		assert.Equal(t, exitOSPAB, got.code)
		assert.Contains(t, got.stdout, "unknown    the hypervisor does not answer")
		assert.Contains(t, got.stderr, "nothing was reported: the hypervisor did not tell whether the server runs")
		_, records := simulated(t, dir)
		require.Len(t, records, 1)
		assert.Equal(t, "running", records[0].Status, "as it was")
	})
}

func TestWhenTheTimeIsUpTheOrderIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		got := start(t.Context(), "-timeout", "2s", "-state", dir)
		assert.Equal(t, exitFailed, got.code)
		assert.Contains(t, got.stderr, "provision: order-1: not finished as of the last look (building, ")
		assert.Contains(t, got.stderr, "provision: order-1: its server is 101. The same command continues.")
		got = start(t.Context(), "-state", dir)
		assert.Equal(t, exitDone, got.code, got.stderr)
		servers, _ := simulated(t, dir)
		assert.Len(t, servers, 1)
	})
}

func TestWhatTheCatalogDoesNotHaveIsRefusedByName(t *testing.T) {
	t.Parallel()
	for field, old := range map[string]string{"plan": simulatedPlan, "image": simulatedImage, "location": simulatedLocation} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "order.json")
			require.NoError(t, os.WriteFile(file, []byte(strings.Replace(builtInOrder, old, "Nonsense", 1)), 0o600))
			synctest.Test(t, func(t *testing.T) {
				got := start(t.Context(), "-order", file)
				assert.Equal(t, exitFailed, got.code)
				assert.Equal(t, "provision: order-1: not found; "+field+": there is none called Nonsense\n", got.stderr)
			})
		})
	}
}

func TestIDsWorkWhereTheCatalogCannotBeRead(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.vf.Forbid("listPackages", "listPackageTemplates", "listHypervisorGroups")
	r.orderFile = filepath.Join(t.TempDir(), "order.json")
	order := strings.NewReplacer(
		simulatedPlan, fmt.Sprint(virtfusiontest.PackageMedium), simulatedImage, fmt.Sprint(virtfusiontest.TemplateDebian), simulatedLocation, fmt.Sprint(virtfusiontest.GroupAmsterdam),
	).Replace(builtInOrder)
	require.NoError(t, os.WriteFile(r.orderFile, []byte(order), 0o600))
	got := r.run()
	assert.Equal(t, exitDone, got.code, got.stderr)
	assert.Len(t, r.vf.Servers(), 1)
}
