package solusvm2_test

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
	"github.com/hvpanels/hvpanels/solusvm2"
	"github.com/hvpanels/hvpanels/solusvm2/solusvm2test"
)

// simulated makes the simulated panel the suite's panel: driven by an administrator on the whole node, or by a customer inside a project.
type simulated struct {
	*solusvm2test.Panel
	t       *testing.T
	owner   int64
	project int64 // 0: the whole node
	token   provisioning.Secret
}

const ownerRef = "4711"

func newSimulated(t *testing.T, inProject bool) *simulated {
	t.Helper()
	p := solusvm2test.New(t)
	s := &simulated{Panel: p, t: t, token: p.Token()}
	s.owner = p.AddUser(solusvm2test.User{Email: "otto@example.com", BillingUserID: ownerRef})
	if inProject {
		s.project = p.AddProject(s.owner, "shop")
		s.token = p.TokenFor(s.owner)
	}
	return s
}

func (s *simulated) Provider(wrap func(http.RoundTripper) http.RoundTripper) provisioning.Provider {
	s.t.Helper()
	transport := s.Transport()
	if wrap != nil {
		transport = wrap(transport)
	}
	c, err := solusvm2.New(s.URL(), s.token, solusvm2.WithHTTPClient(&http.Client{Transport: transport}))
	require.NoError(s.t, err)
	return solusvm2.NewProvider(c, solusvm2.ProviderOptions{Project: solusvm2.ProjectID(s.project)})
}

func (s *simulated) Host() string { return "solusvm2.test" }

func (s *simulated) Order(key string) provisioning.CreateRequest {
	order := provisioning.CreateRequest{
		Key: key, Hostname: key + ".example.com", Plan: text(solusvm2test.PlanSmall), Image: text(solusvm2test.VersionDebian12),
		Owner: provisioning.Owner{Ref: ownerRef}, IPv4: 1,
	}
	if s.project == 0 {
		order.SSHKeys = []string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f otto@example.com"}
	}
	return order
}

func (s *simulated) AddServer(name string) provisioning.ID {
	in := solusvm2test.Server{UserID: s.owner, ProjectID: s.project, Name: name}
	if s.project == 0 {
		in.Name, in.Description = "vps.example.com", name
	}
	made, err := s.Panel.AddServer(in)
	require.NoError(s.t, err)
	return provisioning.ID(text(made.ID))
}

func (s *simulated) AddAllocated() provisioning.ID { return s.AddServer("") }

func (s *simulated) SetRawState(id provisioning.ID, state string) {
	n, err := strconv.ParseInt(string(id), 10, 64)
	require.NoError(s.t, err)
	s.SetState(n, state)
}

func (s *simulated) Servers() []provisioningtest.Server {
	var all []provisioningtest.Server
	for _, v := range s.Panel.Servers() {
		if !v.DeletedAt.IsZero() {
			continue
		}
		key := v.Description
		if s.project > 0 {
			key = v.Name
		}
		all = append(all, provisioningtest.Server{ID: provisioning.ID(text(v.ID)), Key: key, Builds: v.Builds, Running: v.Running, Suspended: v.Suspended})
	}
	return all
}

func text(n int64) string { return strconv.FormatInt(n, 10) }

func TestProviderConformance(t *testing.T) {
	t.Parallel()
	node := provisioningtest.Harness{
		New: func(t *testing.T) provisioningtest.Panel { return newSimulated(t, false) },
		Ops: provisioningtest.Ops{List: "listServers", OwnerList: "listServers", Get: "getServer", Create: "createServer", Start: "startServer", Suspend: "suspendServer", Delete: "deleteServer",
			Rebuild: "reinstallServer", AddIPv4: "addServerIPs"},
		Capabilities: []string{"AddressManager", "BackupLister", "Catalog", "ConsoleOpener", "Creator", "Deleter", "OperationOpener", "OwnerManager", "Pinger", "Power", "Rebuilder",
			"Renamer", "RescueLeaver", "Rescuer", "Resizer", "RootPasswordResetter", "Snapshotter", "Suspender", "UsageReader"},
		UnknownID: "999999",
		PageSize:  50,
	}
	t.Run("an administrator on the whole node", func(t *testing.T) {
		t.Parallel()
		provisioningtest.Run(t, node)
	})
	project := node
	project.New = func(t *testing.T) provisioningtest.Panel { return newSimulated(t, true) }
	project.Ops.List, project.Ops.OwnerList, project.Ops.Create = "listProjectServers", "listProjectServers", "createProjectServer"
	project.Refused = map[string]provisioning.Kind{"Suspend": provisioning.Forbidden, "FindOwner": provisioning.Unsupported}
	t.Run("a customer inside a project", func(t *testing.T) {
		t.Parallel()
		provisioningtest.Run(t, project)
	})
}
