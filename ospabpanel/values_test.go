package ospabpanel_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel"
	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning"
)

// refused checks that a changed order is refused for a field, and that nothing is sent.
func refused(t *testing.T, field string, change func(*ospabpanel.CreateRequest)) {
	t.Helper()
	panel := panelWithUsers(t, 5)
	r := order()
	change(&r)
	_, err := newSync(t, panel).Create(t.Context(), r)
	requireField(t, err, field)
	assert.Empty(t, panel.Requests())
}

// stored returns the row of a changed order.
func stored(t *testing.T, change func(*ospabpanel.CreateRequest)) ospabpaneltest.Record {
	t.Helper()
	panel := panelWithUsers(t, 5)
	r := order()
	change(&r)
	_, err := newSync(t, panel).Create(t.Context(), r)
	require.NoError(t, err)
	return panel.Records()[0]
}

func TestH24APlainIntIsNoPanelUserID(t *testing.T) {
	t.Parallel()
	complaints := compile(t, `package ospabpanel
		func withMainSiteID(mainSiteID int)     { _ = CreateRequest{UserID: mainSiteID} }
		func withMainSiteID64(mainSiteID int64) { _ = CreateRequest{UserID: mainSiteID} }
		func withVPSID(id VPSID)                { _ = CreateRequest{UserID: id} }
		func withPanelID(id PanelUserID)        { _ = CreateRequest{UserID: id} }`)
	require.Len(t, complaints, 3, "%v", complaints)
	for i, kind := range []string{"type int)", "type int64)", "type VPSID)"} {
		assert.Contains(t, complaints[i], kind)
		assert.Contains(t, complaints[i], "PanelUserID")
	}
}

// compile type-checks a snippet together with this package and returns what the compiler says about the snippet. Imports are not loaded: nothing here depends
// on them.
func compile(t *testing.T, snippet string) []string {
	t.Helper()
	fset := token.NewFileSet()
	var files []*ast.File
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".go") && !strings.HasSuffix(e.Name(), "_test.go") {
			f, err := parser.ParseFile(fset, e.Name(), nil, 0)
			require.NoError(t, err)
			files = append(files, f)
		}
	}
	f, err := parser.ParseFile(fset, "snippet.go", snippet, 0)
	require.NoError(t, err)
	var complaints []string
	config := types.Config{Importer: noImports{importer.Default()}, Error: func(err error) {
		if strings.HasPrefix(err.Error(), "snippet.go:") {
			complaints = append(complaints, err.Error())
		}
	}}
	_, _ = config.Check("ospabpanel", fset, append(files, f), nil)
	return complaints
}

type noImports struct{ types.Importer }

func (noImports) Import(path string) (*types.Package, error) {
	p := types.NewPackage(path, path[strings.LastIndexByte(path, '/')+1:])
	p.MarkComplete()
	return p, nil
}

func TestH24AUserIDThatCannotBeOneIsRefused(t *testing.T) {
	t.Parallel()
	for _, id := range []ospabpanel.PanelUserID{0, -5, 1 << 31} {
		refused(t, "userID", func(r *ospabpanel.CreateRequest) { r.UserID = id })
	}
}

func TestH28EightGiBAreSentAs8192(t *testing.T) {
	t.Parallel()
	assert.Equal(t, int64(8192), stored(t, func(r *ospabpanel.CreateRequest) { r.Memory = 8 * provisioning.GiB }).MemoryMB)
	assert.Equal(t, int64(1536), stored(t, func(r *ospabpanel.CreateRequest) { r.Memory = 1536 * provisioning.MiB }).MemoryMB)
}

func TestH28BareNumbersOfMemoryAreRefused(t *testing.T) {
	t.Parallel()
	for _, memory := range []provisioning.Bytes{0, -1, 8, 8192, provisioning.MiB + 1, 8 * provisioning.GB, 8*provisioning.GiB - 1} {
		refused(t, "memory", func(r *ospabpanel.CreateRequest) { r.Memory = memory })
	}
}

func TestH29ImplausibleMemoryIsRefused(t *testing.T) {
	t.Parallel()
	const mib = provisioning.MiB
	for _, memory := range []provisioning.Bytes{8 * mib, 127 * mib, 4*provisioning.TiB + mib, 8 * 1024 * 1024 * mib} {
		refused(t, "memory", func(r *ospabpanel.CreateRequest) { r.Memory = memory })
	}
	assert.Equal(t, int64(128), stored(t, func(r *ospabpanel.CreateRequest) { r.Memory = 128 * provisioning.MiB }).MemoryMB)
	assert.Equal(t, int64(4194304), stored(t, func(r *ospabpanel.CreateRequest) { r.Memory = 4 * provisioning.TiB }).MemoryMB)
}

func TestH29TheMemoryWindowCanBeSet(t *testing.T) {
	t.Parallel()
	panel := panelWithUsers(t, 5)
	s := newSync(t, panel)
	small, err := s.WithMemoryWindow(8*provisioning.MiB, provisioning.GiB)
	require.NoError(t, err)
	r := order()
	r.Memory = 8 * provisioning.MiB
	_, err = small.Create(t.Context(), r)
	require.NoError(t, err)
	_, err = s.Create(t.Context(), r)
	requireField(t, err, "memory")
	_, err = small.Create(t.Context(), order())
	requireField(t, err, "memory")
	for _, window := range [][2]provisioning.Bytes{{0, 1}, {2, 1}, {-1, 5}} {
		_, err = s.WithMemoryWindow(window[0], window[1])
		requireField(t, err, "memoryWindow")
	}
}

func TestH30BytesOfAHypervisorAreTheSameMemory(t *testing.T) {
	t.Parallel()
	assert.Equal(t, int64(8192), stored(t, func(r *ospabpanel.CreateRequest) { r.Memory = 8589934592 }).MemoryMB)
}

func TestH31ATebibyteOfDiskIsSentAs1024(t *testing.T) {
	t.Parallel()
	assert.Equal(t, int64(1024), stored(t, func(r *ospabpanel.CreateRequest) { r.Disk = provisioning.TiB }).DiskGB)
	for _, disk := range []provisioning.Bytes{0, -1, 40, 20 * provisioning.MiB, provisioning.TB, 1500 * provisioning.MiB, 1 << 31 * provisioning.GiB, math.MaxInt64} {
		refused(t, "disk", func(r *ospabpanel.CreateRequest) { r.Disk = disk })
	}
}

func TestH32NothingIsZeroOrNegative(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, -1, math.MaxInt32 + 1} {
		refused(t, "cpuCores", func(r *ospabpanel.CreateRequest) { r.CPUCores = n })
	}
}

func TestH33TextIsCountedInCharactersAndNeverCut(t *testing.T) {
	t.Parallel()
	name := strings.Repeat("я", 255)
	assert.Equal(t, name, stored(t, func(r *ospabpanel.CreateRequest) { r.Name = name }).Name)
	system := strings.Repeat("й", 100)
	assert.Equal(t, system, stored(t, func(r *ospabpanel.CreateRequest) { r.OS = system }).OS)

	for _, bad := range []string{"", " \t", name + "я", "a\x00b", "line\nbreak", "\xff\xfe"} {
		refused(t, "name", func(r *ospabpanel.CreateRequest) { r.Name = bad })
	}
	for _, bad := range []string{"", system + "й", "a\u0085b", "\xf0\x28"} {
		refused(t, "os", func(r *ospabpanel.CreateRequest) { r.OS = bad })
	}
}

func TestH34OnlyTheFourStatusesAreSent(t *testing.T) {
	t.Parallel()
	panel := ospabpaneltest.New(t)
	s := newSync(t, panel)
	for _, status := range []ospabpanel.Status{"", "deleted", "error", "unknown", "blocked", "active", "Running", "running "} {
		_, err := s.UpdateStatus(t.Context(), 1, status)
		requireField(t, err, "status")
		assert.False(t, status.Known())
	}
	assert.Empty(t, panel.Requests())
	for _, status := range []ospabpanel.Status{ospabpanel.StatusCreating, ospabpanel.StatusRunning, ospabpanel.StatusStopped, ospabpanel.StatusSuspended} {
		_, err := s.UpdateStatus(t.Context(), 1, status)
		require.NoError(t, err)
		assert.True(t, status.Known())
	}
}

func TestH35TheHypervisorIsAWordNotACode(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "proxmox", stored(t, func(r *ospabpanel.CreateRequest) { r.Hypervisor = "" }).Hypervisor)
	for code, word := range map[string]ospabpanel.Hypervisor{"prx": "proxmox", "vmv": "vmware", "hyv": "hyperv", "kvm": "kvm", "xen": "xen"} {
		got, ok := ospabpanel.HypervisorFromCode(code)
		require.True(t, ok)
		assert.Equal(t, word, got)
		assert.True(t, word.Known())
		assert.Equal(t, string(word), stored(t, func(r *ospabpanel.CreateRequest) { r.Hypervisor = word }).Hypervisor)
	}
	for _, bad := range []ospabpanel.Hypervisor{"prx", "vmv", "hyv", "Proxmox", "qemu", "proxmox "} {
		refused(t, "hypervisor", func(r *ospabpanel.CreateRequest) { r.Hypervisor = bad })
	}
	_, ok := ospabpanel.HypervisorFromCode("proxmox")
	assert.False(t, ok)
}

func TestH38NoWordOfTheMainSiteMeansDeletion(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"", "deleted", "error", "unknown", "active", "created", "paused", "not a word"} {
		status, ok := ospabpanel.StatusOf(word, false)
		assert.False(t, ok, word)
		assert.Empty(t, status)
	}
	for word, want := range map[string]ospabpanel.Status{
		"running": "running", "stopped": "stopped", "creating": "creating", "suspended": "suspended", "blocked": "suspended", "RUNNING": "running",
	} {
		status, ok := ospabpanel.StatusOf(word, false)
		assert.True(t, ok, word)
		assert.Equal(t, want, status)
	}
}

func TestH40SuspensionByBillingWins(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"running", "stopped", "creating", "deleted", "error", ""} {
		status, ok := ospabpanel.StatusOf(word, true)
		assert.True(t, ok)
		assert.Equal(t, ospabpanel.StatusSuspended, status)
	}
}
