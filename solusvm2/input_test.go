package solusvm2_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/solusvm2"
)

// drop keeps only the error of a call.
func drop[T any](_ T, err error) error { return err }

func TestAnIDThatIsNoneIsNeverSent(t *testing.T) {
	t.Parallel()
	var o solusvm2.ListOptions
	for name, call := range map[string]func(context.Context, *solusvm2.Client) error{
		"change a server": func(ctx context.Context, c *solusvm2.Client) error {
			return drop(c.Servers.Update(ctx, 0, solusvm2.UpdateServerRequest{}))
		},
		"delete a server": func(ctx context.Context, c *solusvm2.Client) error { return drop(c.Servers.Delete(ctx, -1)) },
		"start":           func(ctx context.Context, c *solusvm2.Client) error { return drop(c.Servers.Start(ctx, 0)) },
		"reset a password": func(ctx context.Context, c *solusvm2.Client) error {
			return drop(c.Servers.ResetPassword(ctx, 0, solusvm2.ResetPasswordOptions{}))
		},
		"open a console":     func(ctx context.Context, c *solusvm2.Client) error { return drop(c.Servers.OpenVNC(ctx, 0)) },
		"read disks":         func(ctx context.Context, c *solusvm2.Client) error { return drop(c.Servers.Disks(ctx, 0)) },
		"read the boot mode": func(ctx context.Context, c *solusvm2.Client) error { return drop(c.Servers.Boot(ctx, 0)) },
		"set the boot mode": func(ctx context.Context, c *solusvm2.Client) error {
			return c.Servers.SetBoot(ctx, 0, solusvm2.ServerBoot{Mode: "disk"})
		},
		"add addresses": func(ctx context.Context, c *solusvm2.Client) error {
			return drop(c.Servers.AddIPs(ctx, 0, solusvm2.AddIPsRequest{Count: 1}))
		},
		"remove addresses": func(ctx context.Context, c *solusvm2.Client) error {
			return drop(c.Servers.RemoveIPs(ctx, 0, solusvm2.RemoveIPsRequest{IDs: []solusvm2.IPAddressID{1}}))
		},
		"remove no address": func(ctx context.Context, c *solusvm2.Client) error {
			return drop(c.Servers.RemoveIPs(ctx, 42, solusvm2.RemoveIPsRequest{IDs: []solusvm2.IPAddressID{0}}))
		},
		"create in no project": func(ctx context.Context, c *solusvm2.Client) error {
			return drop(c.Servers.CreateInProject(ctx, 0, solusvm2.CreateServerRequest{Name: "a", Plan: 5, Location: 2, OS: 21}))
		},
		"create on no resource": func(ctx context.Context, c *solusvm2.Client) error {
			return drop(c.Servers.CreateOnComputeResource(ctx, 0, solusvm2.CreateServerRequest{Name: "a", Plan: 5, User: 7, Project: 3, OS: 21}))
		},
		"list a project": func(ctx context.Context, c *solusvm2.Client) error {
			return drop(c.Servers.ListByProjectComplete(ctx, 0, o))
		},
		"list snapshots":  func(ctx context.Context, c *solusvm2.Client) error { return drop(all(c.Snapshots.List(ctx, 0, o))) },
		"take a snapshot": func(ctx context.Context, c *solusvm2.Client) error { return drop(c.Snapshots.Create(ctx, 0, "a")) },
		"revert":          func(ctx context.Context, c *solusvm2.Client) error { return drop(c.Snapshots.Revert(ctx, 0)) },
		"list backups":    func(ctx context.Context, c *solusvm2.Client) error { return drop(all(c.Backups.List(ctx, 0, o))) },
		"back up":         func(ctx context.Context, c *solusvm2.Client) error { return drop(c.Backups.Create(ctx, 0)) },
		"delete a backup": func(ctx context.Context, c *solusvm2.Client) error { return c.Backups.Delete(ctx, 0) },
		"read a task":     func(ctx context.Context, c *solusvm2.Client) error { return drop(c.Tasks.Get(ctx, 0)) },
		"read a plan":     func(ctx context.Context, c *solusvm2.Client) error { return drop(c.Plans.Get(ctx, 0)) },
		"list plans": func(ctx context.Context, c *solusvm2.Client) error {
			return drop(all(c.Plans.ListByProject(ctx, 0, o)))
		},
		"read a location": func(ctx context.Context, c *solusvm2.Client) error { return drop(c.Locations.Get(ctx, 0)) },
		"read an image":   func(ctx context.Context, c *solusvm2.Client) error { return drop(c.OSImages.Get(ctx, 0)) },
		"list versions":   func(ctx context.Context, c *solusvm2.Client) error { return drop(c.OSImages.Versions(ctx, 0)) },
		"create a version": func(ctx context.Context, c *solusvm2.Client) error {
			return drop(c.OSImages.CreateVersion(ctx, 0, solusvm2.OSImageVersionRequest{}))
		},
		"read a project": func(ctx context.Context, c *solusvm2.Client) error { return drop(c.Projects.Get(ctx, 0)) },
		"list a project's keys": func(ctx context.Context, c *solusvm2.Client) error {
			return drop(all(c.SSHKeys.ListByProject(ctx, 0, o)))
		},
		"read a key": func(ctx context.Context, c *solusvm2.Client) error { return drop(c.SSHKeys.Get(ctx, 0)) },
		"change a user": func(ctx context.Context, c *solusvm2.Client) error {
			return drop(c.Users.Patch(ctx, 0, solusvm2.UpdateUserRequest{}))
		},
		"give a user no role": func(ctx context.Context, c *solusvm2.Client) error {
			return drop(c.Users.Patch(ctx, 7, solusvm2.UpdateUserRequest{Roles: []solusvm2.RoleID{0}}))
		},
		"make a token": func(ctx context.Context, c *solusvm2.Client) error {
			return drop(c.Users.CreateToken(ctx, 0, solusvm2.CreateTokenOptions{}))
		},
		"read a node": func(ctx context.Context, c *solusvm2.Client) error { return drop(c.ComputeResources.Get(ctx, 0)) },
		"delete a node": func(ctx context.Context, c *solusvm2.Client) error {
			return c.ComputeResources.Delete(ctx, 0, solusvm2.DeleteComputeResourceOptions{})
		},
		"change a node's setting": func(ctx context.Context, c *solusvm2.Client) error {
			return drop(c.ComputeResources.UpdateSettings(ctx, 0, solusvm2.ComputeResourceSettings{}))
		},
		"set up a network": func(ctx context.Context, c *solusvm2.Client) error {
			return c.ComputeResources.SetUpNetwork(ctx, 0, solusvm2.SetUpNetworkRequest{ID: "a", Type: "routed"})
		},
		"set up no network": func(ctx context.Context, c *solusvm2.Client) error {
			return c.ComputeResources.SetUpNetwork(ctx, 4, solusvm2.SetUpNetworkRequest{Type: "routed"})
		},
		"add a storage": func(ctx context.Context, c *solusvm2.Client) error {
			return drop(c.ComputeResources.CreateStorage(ctx, 0, solusvm2.CreateStorageRequest{Type: "fb", Path: "/a"}))
		},
		"list networks":        func(ctx context.Context, c *solusvm2.Client) error { return drop(c.ComputeResources.Networks(ctx, 0)) },
		"read a block":         func(ctx context.Context, c *solusvm2.Client) error { return drop(c.IPBlocks.Get(ctx, 0)) },
		"list a block":         func(ctx context.Context, c *solusvm2.Client) error { return drop(all(c.IPAddresses.List(ctx, 0, o))) },
		"take an address":      func(ctx context.Context, c *solusvm2.Client) error { return drop(c.IPAddresses.Create(ctx, 0)) },
		"give an address back": func(ctx context.Context, c *solusvm2.Client) error { return c.IPAddresses.Delete(ctx, 0) },
		"read a role":          func(ctx context.Context, c *solusvm2.Client) error { return drop(c.Roles.Get(ctx, 0)) },
		"create an empty role": func(ctx context.Context, c *solusvm2.Client) error {
			return drop(c.Roles.Create(ctx, solusvm2.CreateRoleRequest{Name: "a", Permissions: []solusvm2.PermissionID{0}}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, panel := newClient(t, answer{status: 500})
			require.ErrorIs(t, call(t.Context(), client), provisioning.Invalid)
			assert.Empty(t, panel.requests())
		})
	}
}

func TestAllOptionsOfTheCoreAreHere(t *testing.T) {
	t.Parallel()
	s := &script{answers: []answer{from(t, "getAccount.200")}}
	hc := &http.Client{Transport: s}
	c, err := solusvm2.New("http://solus.example.com", testToken, solusvm2.WithInsecureHTTP(), solusvm2.WithHTTPClient(hc), solusvm2.WithRetry(solusvm2.RetryPolicy{MaxAttempts: 1}),
		solusvm2.WithAttemptTimeout(time.Second), solusvm2.WithRateLimit(100, 1), solusvm2.WithLogger(slog.New(slog.DiscardHandler)),
		solusvm2.WithUserAgent("shop/1.0"), solusvm2.WithMaxBodyBytes(1<<20))
	require.NoError(t, err)
	assert.Equal(t, "http://solus.example.com", c.BaseURL())
	_, err = c.Account.Get(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "shop/1.0", s.requests()[0].header.Get("User-Agent"))
	_, err = solusvm2.New(panelURL, testToken, solusvm2.WithRootCAs([]byte("not a certificate")))
	require.ErrorIs(t, err, provisioning.Invalid)
	_, err = solusvm2.NewWithLogin("solus.example.com", "a@example.com", "fixture-login-password")
	require.ErrorIs(t, err, provisioning.Invalid)
}
