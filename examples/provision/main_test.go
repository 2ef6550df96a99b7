package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/examples/internal/crashtest"
	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
	"github.com/hvpanels/hvpanels/solusvm2/solusvm2test"
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
	times      = regexp.MustCompile(`\d+\.\d+s  `)
	uuids      = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	progresses = regexp.MustCompile(`(?m)^.* building   the panel says: .*\n`)
	passwords  = regexp.MustCompile(`(Root password +|"rootPassword": ")[A-Za-z0-9]{15,20}`)
)

// steady replaces what differs from run to run.
func steady(s string) string {
	s = times.ReplaceAllString(s, "0.0s  ")
	s = uuids.ReplaceAllString(s, "UUID")
	return passwords.ReplaceAllString(s, "${1}PASSWORD")
}

// withoutProgress leaves out how far the panel says it is: pauses between two looks are random.
func withoutProgress(s string) string { return progresses.ReplaceAllString(s, "") }

func TestWithoutSettingsTheBuiltInOrderBecomesARunningServerWithARecord(t *testing.T) {
	t.Parallel()
	onEachPanel(t, func(t *testing.T, k testKind) {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			got := start(t.Context(), "-panel", k.flag)
			assert.Equal(t, exitDone, got.code)
			assert.Empty(t, got.stderr)
			assert.Equal(t, k.defaultRun, withoutProgress(steady(got.stdout)))
			assert.Contains(t, got.stdout, "  building   the panel says: ")
			assert.Less(t, time.Since(began), 5*time.Second)
		})
	})
}

// TestOneProgramOnBothPanels starts one and the same compiled program, the test binary, as a user does.
func TestOneProgramOnBothPanels(t *testing.T) {
	t.Parallel()
	kinds := testKinds()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"by default it drives VirtFusion": {nil, kinds[0].defaultRun},
		"-panel virtfusion":               {[]string{"-panel", "virtfusion"}, kinds[0].defaultRun},
		"-panel solusvm2":                 {[]string{"-panel", "solusvm2"}, kinds[1].defaultRun},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := program(t, c.args, nil)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			require.NoError(t, cmd.Run(), stderr.String())
			assert.Empty(t, stderr.String())
			assert.Equal(t, c.want, withoutProgress(steady(stdout.String())))
		})
	}
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

func TestJSONLeavesOutWhatThePanelDoesNotTell(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got := start(t.Context(), "-panel", "solusvm2", "-json", "-show-password", "-order", "order-solusvm2.json")
		assert.Equal(t, exitDone, got.code, got.stderr)
		var d struct {
			Orders []struct{ Server map[string]any }
		}
		require.NoError(t, json.Unmarshal([]byte(got.stdout), &d))
		require.Len(t, d.Orders, 1)
		server := d.Orders[0].Server
		assert.Equal(t, []any{"online", "4GiB", "40GiB", 2.0}, []any{server["state"], server["memory"], server["disk"], server["vcpus"]})
		assert.Equal(t, []any{"198.18.0.2"}, server["ipv4"])
		assert.Len(t, server["rootPassword"], 15)
		for _, unknown := range []string{"image", "hypervisor", "hypervisorAddress", "natIPv4"} {
			assert.NotContains(t, server, unknown)
		}
	})
}

func TestAnArrayOfOrdersRunsWithLinesPrefixedByKey(t *testing.T) {
	t.Parallel()
	onEachPanel(t, func(t *testing.T, k testKind) {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			got := start(t.Context(), "-panel", k.flag, "-order", k.orders)
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
	})
}

func TestAtMostFourOrdersRunAtOnce(t *testing.T) {
	t.Parallel()
	var orders []string
	for _, n := range strings.Fields("1 2 3 4 5 6") {
		orders = append(orders, strings.NewReplacer("order-1", "order-"+n, `"123"`, `"12`+n+`"`, "ann@", "ann"+n+"@").Replace(builtInOrder(virtFusion().image)))
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
		"the other panel's settings without -panel": {
			map[string]string{"SOLUSVM2_URL": "https://solus.example.com", "SOLUSVM2_TOKEN": token}, []string{"-order", "order-solusvm2.json"},
			"SOLUSVM2_URL is set, but without -panel this run would simulate a VirtFusion panel: say -panel solusvm2, or -panel virtfusion",
		},
		"an address of the other panel without its token": {
			map[string]string{"SOLUSVM2_URL": "https://solus.example.com"}, []string{"-panel", "solusvm2"},
			"SOLUSVM2_TOKEN is not set, but SOLUSVM2_URL is: set both to drive your SolusVM 2 panel, or none to drive a simulated one",
		},
		"an address of the other panel that is none": {
			map[string]string{"SOLUSVM2_URL": "solus.example.com", "SOLUSVM2_TOKEN": token}, []string{"-panel", "solusvm2", "-order", "order-solusvm2.json"},
			"SOLUSVM2_URL must begin with https:// (or http://) and a host name",
		},
		"a project that is none": {
			map[string]string{"SOLUSVM2_URL": "https://solus.example.com", "SOLUSVM2_TOKEN": token, "SOLUSVM2_PROJECT": "shop"}, []string{"-panel", "solusvm2", "-order", "order-solusvm2.json"},
			"SOLUSVM2_PROJECT must be the number of a project",
		},
		"a project of a simulated panel": {
			map[string]string{"SOLUSVM2_PROJECT": "5"}, []string{"-panel", "solusvm2"},
			"SOLUSVM2_PROJECT is set, but the panel would be simulated: set SOLUSVM2_URL and SOLUSVM2_TOKEN as well",
		},
		"a real OSPAB panel and simulated servers of the other panel": {
			map[string]string{"OSPAB_PANEL_URL": "https://panel.example", "VPS_SYNC_API_KEY": key}, []string{"-panel", "solusvm2"},
			"OSPAB_PANEL_URL is set, but the panel with the servers would be simulated: set SOLUSVM2_URL and SOLUSVM2_TOKEN as well",
		},
		"a flag of the other panel": {nil, []string{"-panel", "solusvm2", "-fallback-location", "3"}, "-fallback-location is for VirtFusion"},
		"an unknown panel":          {nil, []string{"-panel", "vmware"}, `-panel "vmware" is not known: virtfusion or solusvm2`},
		"an argument":               {nil, []string{"order.json"}, `unexpected argument "order.json": an order file is given with -order`},
		"a file that is missing":    {nil, []string{"-order", "no-such.json"}, "no-such.json"},
		"a -record of no order":     {nil, []string{"-record", "other=5"}, "-record other: no order of this run has this key"},
		"a -record of nothing":      {nil, []string{"-record", "order-1=5"}, "-record order-1=5: no record of order-1 is uncertain"},
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

func TestCtrlCSaysWhatIsStoredAndTheSameCommandContinues(t *testing.T) {
	t.Parallel()
	onEachPanel(t, func(t *testing.T, k testKind) {
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
					stdout := &crashtest.Interrupter{Text: c.at, Cancel: cancel}
					var stderr bytes.Buffer
					assert.Equal(t, exitInterrupted, run(ctx, []string{"-panel", k.flag, "-state", dir}, func(string) string { return "" }, stdout, &stderr))
					assert.Contains(t, stderr.String(), "provision: order-1: interrupted: "+c.stored)
					assert.Contains(t, stderr.String(), "The same command continues.")

					got := start(t.Context(), "-panel", k.flag, "-state", dir)
					assert.Equal(t, exitDone, got.code, got.stderr)
					assert.Contains(t, got.stdout, c.continues)
					assert.Contains(t, got.stdout, "record 1 says running")
					servers, records := k.simulated(t, dir)
					assert.Len(t, servers, 1)
					assert.Len(t, records, 1)
				})
			})
		}
	})
	t.Run("without -state it says that nothing is kept", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var stderr bytes.Buffer
			run(ctx, nil, func(string) string { return "" }, &crashtest.Interrupter{Text: "created", Cancel: cancel}, &stderr)
			assert.Contains(t, stderr.String(), "It ends with its simulated panel; -state DIR would keep both.")
		})
	})
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

func TestRealPanelsAreDrivenWhenTheyAreSet(t *testing.T) {
	t.Parallel()
	onEachPanel(t, func(t *testing.T, k testKind) {
		r := newRig(t, k, nil)
		got := r.run()
		assert.Equal(t, exitDone, got.code, got.stderr)
		assert.Contains(t, got.stdout, k.name+" panel at "+r.serversHTTP.URL+", OSPAB panel at "+r.ospabHTTP.URL+". Orders are remembered in "+r.state+".")
		assert.Contains(t, got.stdout, "Memory      4 GB\n", "what a real panel has stored cannot be read with the sync key")
		servers, records := r.panel.servers(), r.ospab.Records()
		require.Len(t, servers, 1)
		require.Len(t, records, 1)
		password := servers[0].Password.Reveal()
		servers[0].Password = ""
		assert.Equal(t, truth{Key: "order-1042", Builds: 1, Running: true, MemoryMB: 4096, SSHKeys: 1}, servers[0])
		assert.Equal(t, "order-1042", records[0].Name)
		assert.Equal(t, "running", records[0].Status)
		assert.Equal(t, []int64{5, 4096, 40, 2}, []int64{records[0].UserID, records[0].MemoryMB, records[0].DiskGB, records[0].CPUCores})
		assert.Contains(t, got.stdout, password, "the operator needs the password")
		for _, name := range []string{"order-1042.intent.json", "order-1042.record.json"} {
			b, err := os.ReadFile(filepath.Join(r.state, name))
			require.NoError(t, err)
			assert.NotContains(t, string(b), password)
		}
	})
}

func TestWithoutAnOSPABPanelOnlyTheServerIsMade(t *testing.T) {
	t.Parallel()
	onEachPanel(t, func(t *testing.T, k testKind) {
		r := newRig(t, k, nil)
		delete(r.env, "OSPAB_PANEL_URL")
		delete(r.env, "VPS_SYNC_API_KEY")
		got := r.run()
		assert.Equal(t, exitDone, got.code, got.stderr)
		assert.Contains(t, got.stdout, "no OSPAB panel, because OSPAB_PANEL_URL and VPS_SYNC_API_KEY are not set")
		assert.NotContains(t, got.stdout, "record")
		assert.Len(t, r.panel.servers(), 1)

		r.env["OSPAB_PANEL_URL"], r.env["VPS_SYNC_API_KEY"] = r.ospabHTTP.URL, r.ospab.Key().Reveal()
		got = r.run()
		assert.Equal(t, exitDone, got.code, got.stderr)
		assert.Contains(t, got.stdout, "record 1 says running", "the record of an order that was made without it follows later")
		assert.Len(t, r.panel.servers(), 1)
	})
}

func TestTheSameOrderTwiceIsOneServer(t *testing.T) {
	t.Parallel()
	onEachPanel(t, func(t *testing.T, k testKind) {
		t.Run("with its state", func(t *testing.T) {
			t.Parallel()
			r := newRig(t, k, nil)
			require.Equal(t, exitDone, r.run().code)
			got := r.run()
			assert.Equal(t, exitDone, got.code, got.stderr)
			assert.Contains(t, got.stdout, "continues  server 101 is online")
			assert.Contains(t, got.stdout, "Root password  not known to this run; reset it if nobody has it")
			servers := r.panel.servers()
			require.Len(t, servers, 1)
			assert.Equal(t, 1, servers[0].Builds)
			assert.Len(t, r.ospab.Records(), 1)
		})
		t.Run("without its state the server is found by its key, and a record is not guessed", func(t *testing.T) {
			t.Parallel()
			r := newRig(t, k, nil)
			require.Equal(t, exitDone, r.run().code)
			require.NoError(t, os.RemoveAll(r.state))
			got := r.run()
			assert.Equal(t, exitOSPAB, got.code, got.stderr)
			assert.Contains(t, got.stdout, "created    server 101")
			assert.Contains(t, got.stderr, "uncertain: a record may exist")
			assert.Len(t, r.panel.servers(), 1)
			assert.Len(t, r.ospab.Records(), 1)
			assert.Equal(t, 1, r.panel.Count("createServer"))

			got = r.run("-record", "order-1042=1")
			assert.Equal(t, exitDone, got.code, got.stderr)
			assert.Contains(t, got.stdout, "record 1 says running")
			assert.Len(t, r.ospab.Records(), 1)
		})
	})
}

func TestAKeyThatWasOrderedFromOnePanelIsNotOrderedFromTheOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		require.Equal(t, exitDone, start(t.Context(), "-panel", "virtfusion", "-state", dir).code)
		got := start(t.Context(), "-panel", "solusvm2", "-state", dir)
		assert.Equal(t, exitFailed, got.code)
		assert.Contains(t, got.stderr, "provision: order-1: CreateOnce: mismatch")
		assert.Contains(t, got.stderr, "key order-1 belongs to an order of https://virtfusion.test")
		for _, k := range testKinds() {
			servers, records := k.simulated(t, dir)
			assert.Len(t, servers, map[string]int{"virtfusion": 1, "solusvm2": 0}[k.flag], k.flag)
			assert.Len(t, records, 1)
		}
	})
}

func TestACustomersTokenOrdersInsideAProject(t *testing.T) {
	t.Parallel()
	panel := solusvm2test.NewPanel(solusvm2test.Options{Speed: 100})
	customer := panel.AddUser(solusvm2test.User{Email: "otto@example.com"})
	project := panel.AddProject(customer, "shop")
	k := testKinds()[1]
	k.make = func() testPanel { return solusVM2Panel{panel} }
	r := newRig(t, k, nil)
	r.env["SOLUSVM2_TOKEN"], r.env["SOLUSVM2_PROJECT"] = panel.TokenFor(customer).Reveal(), strconv.FormatInt(project, 10)
	r.writeOrder(builtInOrder(k.image))
	for range 2 {
		got := r.run()
		assert.Equal(t, exitDone, got.code, got.stderr)
		assert.Contains(t, got.stdout, "record 1 says running")
		assert.NotContains(t, got.stdout, "the customer has an account", "whose project it is, whose server")
	}
	servers := panel.Servers()
	require.Len(t, servers, 1)
	assert.Equal(t, "order-1", servers[0].Name, "inside a project the name holds the key")
	assert.Equal(t, []int64{customer, project}, []int64{servers[0].UserID, servers[0].ProjectID})
	assert.Equal(t, 1, panel.Count("createProjectServer"))

	r.env["SOLUSVM2_PROJECT"] = strconv.FormatInt(project+1, 10)
	r.state = filepath.Join(t.TempDir(), "state")
	got := r.run()
	assert.Equal(t, exitFailed, got.code, "no such project")
	assert.Len(t, panel.Servers(), 1)
}

// nowhere is an address at which nobody listens. The port of a server that was closed may be that of another test's in the next moment.
const nowhere = "http://127.0.0.1:1"

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
			func(r *rig) { r.env["OSPAB_PANEL_URL"] = nowhere }, nil, nil, "unavailable", 0,
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
			r := newRig(t, testKinds()[0], nil)
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
			assert.Len(t, r.panel.servers(), 1)
		})
	}
}

func TestFailuresOfTheOrderAreTold(t *testing.T) {
	t.Parallel()
	onEachPanel(t, func(t *testing.T, k testKind) {
		for name, c := range map[string]struct {
			spoil func(r *rig)
			want  string
		}{
			"the build fails":      {func(r *rig) { r.panel.failBuild("no space left on device") }, "task failed"},
			"the token is refused": {func(r *rig) { r.env[k.keyVar] = "wrong" }, "unauthorized"},
			"the panel is down":    {func(r *rig) { r.env[k.urlVar] = nowhere }, "unavailable"},
			"the order is another one under an old key": {func(r *rig) {
				require.Equal(r.t, exitDone, r.run().code)
				b, err := os.ReadFile(k.order)
				require.NoError(r.t, err)
				r.writeOrder(strings.Replace(string(b), `"123"`, `"321"`, 1))
			}, "key order-1042 belongs to an order of"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, k, nil)
				c.spoil(r)
				got := r.run()
				assert.Equal(t, exitFailed, got.code, got.stderr)
				assert.Contains(t, got.stderr, "provision: order-1042: ")
				assert.Contains(t, got.stderr, c.want)
				assert.LessOrEqual(t, len(r.panel.servers()), 1)
			})
		}
	})
}

func TestThePasswordIsShownAlsoWhenSomethingFailsLater(t *testing.T) {
	t.Parallel()
	r := newRig(t, testKinds()[0], nil)
	r.panel.Inject(provisioningtest.Fault{Op: "getServer", Do: provisioningtest.Answer, Status: http.StatusForbidden, Body: `{"msg":"no"}`, Skip: 1})
	got := r.run()
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.stderr, "provision: order-1042: virtfusion: getServer: forbidden")
	assert.Regexp(t, `Root password  [A-Z0-9]{20}`, got.stdout)
}

func TestNothingIsReportedThatNobodyHasSeen(t *testing.T) {
	t.Parallel()
	onEachPanel(t, func(t *testing.T, k testKind) {
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			require.Equal(t, exitDone, start(t.Context(), "-panel", k.flag, "-state", dir).code)
			panel := k.restored(t, dir)
			panel.hidePower()
			b, err := panel.Snapshot()
			panel.Close()
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(k.stateFile(dir), b, 0o600))

			got := start(t.Context(), "-panel", k.flag, "-state", dir)
			assert.Equal(t, exitOSPAB, got.code)
			assert.Contains(t, got.stdout, "unknown    "+k.noPower)
			assert.Contains(t, got.stderr, "nothing was reported: it is not known whether the server runs")
			_, records := k.simulated(t, dir)
			require.Len(t, records, 1)
			assert.Equal(t, "running", records[0].Status, "as it was")
		})
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
		servers, _ := testKinds()[0].simulated(t, dir)
		assert.Len(t, servers, 1)
	})
}

func TestWhatTheCatalogDoesNotHaveIsRefusedByName(t *testing.T) {
	t.Parallel()
	onEachPanel(t, func(t *testing.T, k testKind) {
		for field, old := range map[string]string{"plan": simulatedPlan, "image": k.image, "location": simulatedLocation} {
			t.Run(field, func(t *testing.T) {
				t.Parallel()
				file := filepath.Join(t.TempDir(), "order.json")
				require.NoError(t, os.WriteFile(file, []byte(strings.Replace(builtInOrder(k.image), old, "Nonsense", 1)), 0o600))
				synctest.Test(t, func(t *testing.T) {
					got := start(t.Context(), "-panel", k.flag, "-order", file)
					assert.Equal(t, exitFailed, got.code)
					assert.Equal(t, "provision: order-1: not found; "+field+": there is none called Nonsense\n", got.stderr)
				})
			})
		}
	})
}

func TestIDsWorkWhereTheCatalogCannotBeRead(t *testing.T) {
	t.Parallel()
	onEachPanel(t, func(t *testing.T, k testKind) {
		r := newRig(t, k, nil)
		r.panel.Forbid(k.catalog...)
		ids := []string{simulatedPlan, k.ids[0], k.image, k.ids[1], simulatedLocation, k.ids[2]}
		r.writeOrder(strings.NewReplacer(ids...).Replace(builtInOrder(k.image)))
		got := r.run()
		assert.Equal(t, exitDone, got.code, got.stderr)
		assert.Len(t, r.panel.servers(), 1)
	})
}
