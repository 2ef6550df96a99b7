package virtfusion_test

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
	"github.com/hvpanels/hvpanels/virtfusion"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// simulated makes the simulated panel the suite's panel.
type simulated struct {
	*virtfusiontest.Panel
	t     *testing.T
	owner int64
}

const ownerRef = 4711

func newSimulated(t *testing.T) *simulated {
	t.Helper()
	p := virtfusiontest.New(t)
	return &simulated{Panel: p, t: t, owner: p.AddUser(virtfusiontest.User{Name: "Otto Owner", Email: "otto@example.com", ExtRelationID: ownerRef})}
}

func (s *simulated) Provider(wrap func(http.RoundTripper) http.RoundTripper) provisioning.Provider {
	s.t.Helper()
	transport := s.Transport()
	if wrap != nil {
		transport = wrap(transport)
	}
	c, err := virtfusion.New(s.URL(), s.Token(), virtfusion.WithHTTPClient(&http.Client{Transport: transport}))
	require.NoError(s.t, err)
	return virtfusion.NewProvider(c, virtfusion.ProviderOptions{})
}

func (s *simulated) Host() string { return "virtfusion.test" }

func (s *simulated) Order(key string) provisioning.CreateRequest {
	return provisioning.CreateRequest{
		Key: key, Hostname: key + ".example.com", Plan: text(virtfusiontest.PackageSmall), Image: text(virtfusiontest.TemplateDebian),
		Owner: provisioning.Owner{Ref: text(ownerRef)}, IPv4: 1, IPv6: true,
		SSHKeys: []string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f otto@example.com"},
	}
}

func (s *simulated) AddServer(name string) provisioning.ID {
	made, err := s.Panel.AddServer(virtfusiontest.Server{OwnerID: s.owner, Name: name, Built: true})
	require.NoError(s.t, err)
	return provisioning.ID(text(made.ID))
}

func (s *simulated) AddAllocated() provisioning.ID {
	made, err := s.Panel.AddServer(virtfusiontest.Server{OwnerID: s.owner})
	require.NoError(s.t, err)
	return provisioning.ID(text(made.ID))
}

func (s *simulated) SetRawState(id provisioning.ID, state string) {
	n, err := strconv.ParseInt(string(id), 10, 64)
	require.NoError(s.t, err)
	s.SetState(n, state)
}

func (s *simulated) Servers() []provisioningtest.Server {
	var all []provisioningtest.Server
	for _, v := range s.Panel.Servers() {
		if v.DeletedAt.IsZero() {
			all = append(all, provisioningtest.Server{ID: provisioning.ID(text(v.ID)), Key: v.Name, Builds: v.Builds, Running: v.Running, Suspended: v.Suspended})
		}
	}
	return all
}

func text(n int64) string { return strconv.FormatInt(n, 10) }

func TestProviderConformance(t *testing.T) {
	t.Parallel()
	provisioningtest.Run(t, provisioningtest.Harness{
		New: func(t *testing.T) provisioningtest.Panel { return newSimulated(t) },
		Ops: provisioningtest.Ops{List: "listServers", OwnerList: "listUserServers", Get: "getServer", Create: "createServer", Mark: "modifyServerName",
			Build: "buildServer", Start: "bootServer", Suspend: "suspendServer", Delete: "deleteServer",
			Rebuild: "buildServer", AddIPv4: "addIPv4Quantity"},
		Capabilities: []string{"AddressManager", "BackupLister", "Builder", "Catalog", "ConsoleOpener", "Creator", "Deleter", "OperationOpener", "OwnerManager", "PanelAccess", "Peeker",
			"Pinger", "Power", "Rebuilder", "Renamer", "Rescuer", "Resizer", "RootPasswordResetter", "Suspender", "UsageReader", "Validator"},
		UnknownID: "999999",
		PageSize:  200,
	})
}
