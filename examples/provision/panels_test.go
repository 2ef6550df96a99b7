package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
	"github.com/hvpanels/hvpanels/solusvm2/solusvm2test"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// testPanel is a simulated panel with servers, with the same words for what its kinds do differently.
type testPanel interface {
	simulatedPanel
	http.Handler
	Inject(f provisioningtest.Fault)
	Forbid(operations ...string)
	Count(operation string) int

	servers() []truth
	failBuild(reason string)
	hidePower() // nobody tells any more whether a server runs
}

// truth is what a simulated panel has of a server.
type truth struct {
	Key      string
	Builds   int
	Running  bool
	MemoryMB int64
	SSHKeys  int
	Password provisioning.Secret
}

type virtFusionPanel struct{ *virtfusiontest.Panel }

func (p virtFusionPanel) servers() (all []truth) {
	for _, s := range p.Servers() {
		all = append(all, truth{s.Name, s.Builds, s.Running, s.MemoryMB, len(s.SSHKeyIDs), s.RootPassword})
	}
	return all
}

func (p virtFusionPanel) failBuild(reason string) { p.FailNextBuild(reason) }

func (p virtFusionPanel) hidePower() { p.SetHypervisorReachable(false) }

type solusVM2Panel struct{ *solusvm2test.Panel }

func (p solusVM2Panel) servers() (all []truth) {
	for _, s := range p.Servers() {
		all = append(all, truth{s.Description, s.Builds, s.Running, s.MemoryMiB, len(s.SSHKeyIDs), s.Password})
	}
	return all
}

func (p solusVM2Panel) failBuild(reason string) {
	p.FailNext(solusvm2test.TaskCreate, solusvm2test.TaskFailed, reason)
}

func (p solusVM2Panel) hidePower() {
	for _, s := range p.Servers() {
		p.SetState(s.ID, "paused")
	}
}

// testKind is a kind of panel and what the tests know about it.
type testKind struct {
	kind
	make          func() testPanel
	order, orders string    // files
	catalog       []string  // operations that read it
	ids           [3]string // of plan, image and location of the built-in order
	noPower       string
	defaultRun    string // what it prints
}

func testKinds() []testKind {
	text := func(n int64) string { return strconv.FormatInt(n, 10) }
	return []testKind{
		{
			kind: virtFusion(), make: func() testPanel { return virtFusionPanel{virtfusiontest.NewPanel(virtfusiontest.Options{Speed: 100})} },
			order: "order.json", orders: "orders.json", catalog: []string{"listPackages", "listPackageTemplates", "listHypervisorGroups"},
			ids:     [3]string{text(virtfusiontest.PackageMedium), text(virtfusiontest.TemplateDebian), text(virtfusiontest.GroupAmsterdam)},
			noPower: "the hypervisor does not answer", defaultRun: virtFusionDefaultRun,
		},
		{
			kind: solusVM2(), make: func() testPanel { return solusVM2Panel{solusvm2test.NewPanel(solusvm2test.Options{Speed: 100})} },
			order: "order-solusvm2.json", orders: "orders-solusvm2.json", catalog: []string{"listPlans", "listOsImages", "listLocations"},
			ids:     [3]string{text(solusvm2test.PlanMedium), text(solusvm2test.VersionDebian12), text(solusvm2test.LocationAmsterdam)},
			noPower: "the panel does not tell whether it runs", defaultRun: solusVM2DefaultRun,
		},
	}
}

// onEachPanel runs a test once for each kind of panel.
func onEachPanel(t *testing.T, test func(t *testing.T, k testKind)) {
	t.Helper()
	for _, k := range testKinds() {
		t.Run(k.flag, func(t *testing.T) {
			t.Parallel()
			test(t, k)
		})
	}
}

func (k testKind) stateFile(dir string) string {
	return filepath.Join(dir, "simulated-"+k.flag+".json")
}

// restored is the simulated panel of a state folder.
func (k testKind) restored(t *testing.T, dir string) testPanel {
	t.Helper()
	b, err := os.ReadFile(k.stateFile(dir))
	p := k.make()
	if errors.Is(err, os.ErrNotExist) {
		return p // no run has changed it
	}
	require.NoError(t, err)
	require.NoError(t, p.Restore(b))
	return p
}

// simulated reads the truth about simulated panels from a state folder.
func (k testKind) simulated(t *testing.T, dir string) ([]truth, []ospabpaneltest.Record) {
	t.Helper()
	panel, ospab := k.restored(t, dir), ospabpaneltest.NewPanel(ospabpaneltest.Options{})
	defer panel.Close()
	defer ospab.Close()
	b, err := os.ReadFile(filepath.Join(dir, "simulated-ospab.json"))
	require.NoError(t, err)
	require.NoError(t, ospab.Restore(b))
	return panel.servers(), ospab.Records()
}

// rig is a pair of panels behind HTTP, as the program meets real ones.
type rig struct {
	t           *testing.T
	kind        testKind
	panel       testPanel
	ospab       *ospabpaneltest.Panel
	env         map[string]string
	state       string
	orderFile   string
	serversHTTP *httptest.Server
	ospabHTTP   *httptest.Server
}

func newRig(t *testing.T, k testKind, middleware func(http.Handler) http.Handler) *rig {
	t.Helper()
	r := &rig{
		t: t, kind: k, panel: k.make(), ospab: ospabpaneltest.NewPanel(ospabpaneltest.Options{}), state: filepath.Join(t.TempDir(), "state"), orderFile: k.order,
	}
	for _, name := range simulatedUsers {
		r.ospab.AddUser(name)
	}
	if middleware == nil {
		middleware = func(h http.Handler) http.Handler { return h }
	}
	r.serversHTTP, r.ospabHTTP = httptest.NewServer(middleware(r.panel)), httptest.NewServer(middleware(r.ospab))
	t.Cleanup(func() {
		r.serversHTTP.Close()
		r.ospabHTTP.Close()
		r.panel.Close()
		r.ospab.Close()
	})
	r.env = map[string]string{
		k.urlVar: r.serversHTTP.URL, k.keyVar: r.panel.Token().Reveal(), "OSPAB_PANEL_URL": r.ospabHTTP.URL, "VPS_SYNC_API_KEY": r.ospab.Key().Reveal(),
	}
	return r
}

func (r *rig) args(more ...string) []string {
	return append([]string{"-panel", r.kind.flag, "-order", r.orderFile, "-state", r.state, "-settle", "3s"}, more...)
}

func (r *rig) run(more ...string) outcome {
	return startWith(r.t.Context(), func(name string) string { return r.env[name] }, r.args(more...)...)
}

// writeOrder replaces the order file.
func (r *rig) writeOrder(order string) {
	r.t.Helper()
	r.orderFile = filepath.Join(r.t.TempDir(), "order.json")
	require.NoError(r.t, os.WriteFile(r.orderFile, []byte(order), 0o600))
}

// What the program prints for its built-in order, without what differs from run to run.
const (
	virtFusionDefaultRun = `No panel is set, so this run uses simulated ones. Nothing leaves this process, and nothing is kept.
order-1    0.0s  order      VPS M with Debian 12 (Bookworm) Minimal in Amsterdam for customer 123
order-1    0.0s  planned    the customer has an account; the order is stored before it is sent
order-1    0.0s  created    server 101
order-1    0.0s  marked     the server carries the key of the order
order-1    0.0s  building   the panel has accepted the installation
order-1    0.0s  ospab      record 1 says creating
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
`
	solusVM2DefaultRun = `No panel is set, so this run uses simulated ones. Nothing leaves this process, and nothing is kept.
order-1    0.0s  order      VPS M with Debian 12 in Amsterdam for customer 123
order-1    0.0s  planned    the customer has an account; the order is stored before it is sent
order-1    0.0s  created    server 101
order-1    0.0s  marked     the server carries the key of the order
order-1    0.0s  building   the panel has accepted the installation
order-1    0.0s  ospab      record 1 says creating
order-1    0.0s  ready      the installation is complete
order-1    0.0s  online     according to the panel
order-1    0.0s  ospab      record 1 says running

order-1: server 101 on SolusVM 2
  Hostname       web-1.example.com
  State          online
  Location       Amsterdam
  Primary IP     2001:db8:a::1:1/112
  IPv4           198.18.0.2
  NAT IPv4       -
  IPv6           2001:db8:a::1:1/112
  Traffic        2000 GB, 1999.7 GB left
  vCPUs          2
  Memory         2 GB
  Disk           40 GB
  System         Debian 12, as ordered
  Hypervisor     -
  Hypervisor IP  -
  UUID           UUID
  Root password  PASSWORD

order-1: record 1 on the OSPAB panel
  Name        order-1
  Panel user  5, who is customer 123 of this shop
  Status      running
  vCPUs       2
  Memory      2 GB, which the panel has as ram = 2048 (MB)
  Disk        40 GB, which the panel has as disk = 40 (GB)
  System      Debian 12
`
)
